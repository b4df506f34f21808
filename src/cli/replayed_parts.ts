import { replayedEvents } from "../inspect/compare/replayed_event.ts";
import type { Document } from "../runtime/documents.ts";
import type { DryRun } from "../runtime/dry_run.ts";
import { replay, type ReplayStep } from "../runtime/replay.ts";
import type { ReplayedPart } from "./replay_messages.ts";

/** Documents of a history whose events are told at once. */
const PART = 200;

interface NumberedDocument extends Document {
  /** From 1. */
  readonly number: number;
}

/** Replays a history part by part; each part has the same documents in every replay. */
export class ReplayedParts {
  readonly #steps: AsyncIterator<ReplayStep<NumberedDocument>>;
  /** The first step of the next part. */
  #ahead: ReplayStep<NumberedDocument> | undefined;
  #end = 0;

  constructor(run: DryRun, history: AsyncIterable<Document>) {
    this.#steps = replay(run, numbered(history))[Symbol.asyncIterator]();
  }

  async next(): Promise<ReplayedPart> {
    this.#end += PART;
    const steps: ReplayStep<NumberedDocument>[] = [];
    for (;;) {
      const step = this.#ahead ?? (await this.#steps.next()).value;
      this.#ahead = undefined;
      if (step === undefined) return partOf(steps, { isLast: true });
      if (step.document.number > this.#end) {
        this.#ahead = step;
        return partOf(steps, { isLast: false });
      }
      steps.push(step);
    }
  }
}

async function* numbered(history: AsyncIterable<Document>): AsyncIterable<NumberedDocument> {
  let number = 0;
  for await (const document of history) yield { ...document, number: ++number };
}

function partOf(
  steps: readonly ReplayStep<NumberedDocument>[],
  { isLast }: { readonly isLast: boolean },
): ReplayedPart {
  const notifications = new Set(steps.flatMap((step) => "result" in step ? [step.document.number] : []));
  const refused = steps.flatMap((step) => {
    const reason = "refused" in step ? step.refused : step.result.outcome === "refused" ? step.result.reason : null;
    return reason === null ? [] : [{ line: step.document.line, reason }];
  });
  const events = steps.flatMap((step) =>
    "refused" in step ? [] : replayedEvents(step.result).map((event) => ({ at: step.document.number, event }))
  );
  return { kind: "part", notifications: notifications.size, refused, events, isLast };
}
