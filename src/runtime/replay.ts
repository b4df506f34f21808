import type { Document } from "./documents.ts";
import type { DryRun, DryRunResult } from "./dry_run.ts";

/** A notification of a history, or changes that have settled before it, and what came of it. */
export type ReplayStep<Read extends Document> =
  /** It is no notification. */
  | { readonly document: Read; readonly refused: string }
  | { readonly document: Read; readonly result: DryRunResult };

/**
 * Plays a history: each notification at its own time, after the updates that are due by then. In
 * the end all updates are due.
 */
export async function* replay<Read extends Document>(
  run: Pick<DryRun, "settle" | "take">,
  history: AsyncIterable<Read>,
): AsyncIterable<ReplayStep<Read>> {
  let last: Read | undefined;
  for await (const document of history) {
    last = document;
    const { decoded } = document;
    if ("refused" in decoded) {
      yield { document, refused: decoded.refused };
      continue;
    }
    const { notification } = decoded;
    if (notification.time !== null) {
      for (const result of await run.settle(Date.parse(notification.time))) yield { document, result };
    }
    yield { document, result: await run.take(notification) };
  }
  if (last === undefined) return;
  for (const result of await run.settle(Infinity)) yield { document: last, result };
}
