import { setImmediate } from "node:timers/promises";
import type { TryAnswer } from "../api.ts";
import { documentsIn } from "../../runtime/documents.ts";
import { DryRun, type DryRunResult } from "../../runtime/dry_run.ts";
import { replay } from "../../runtime/replay.ts";
import { Refused, type WorkerContext, type WorkerRequest } from "./worker_context.ts";

const MAX_BYTES = 4 * 1024 * 1024;
/** Lines that are looked at: no notification is shorter than 200 characters. */
const MAX_LINES = 20_000;
/** Results, and refusals, that are shown: a page has to hold them. */
const MAX_RESULTS = 1000;
/** Characters of an answer's results. One large detail may be in all of them. */
const MAX_LENGTH = 16 * 1024 * 1024;

/** What notifications would lead to, as `--dry-run` says it. */
export async function tryNotifications(
  { body }: WorkerRequest,
  { loaded: { config }, plugins, log }: WorkerContext,
): Promise<TryAnswer> {
  const { text } = body as { readonly text: string };
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > MAX_BYTES) {
    throw new Refused(413, "Cannot try this: it is larger than 4 MiB. Use oss-watcher --dry-run FILE");
  }
  if (text.split("\n", MAX_LINES + 1).length > MAX_LINES) {
    throw new Refused(413, `Cannot try this: it has more than ${MAX_LINES} lines. Use oss-watcher --dry-run FILE`);
  }
  const run = new DryRun({ config, plugins, log });
  const results: TryAnswer["results"][number][] = [];
  const refused: TryAnswer["refused"][number][] = [];
  let length = 0;
  /** Returns whether there is room for more. */
  const take = (result: DryRunResult) => {
    const answer = answerOf(result);
    length += JSON.stringify(answer).length;
    if (results.length >= MAX_RESULTS || length > MAX_LENGTH) return false;
    results.push(answer);
    return true;
  };
  const cut = (line: number, what: string) => {
    const reason = `not read: ${what} are shown at most. Use oss-watcher --dry-run FILE`;
    return { results, refused: [...refused, { line, reason }] };
  };
  const shown = `${MAX_RESULTS} results, or 16 MiB of them,`;
  const history = documentsIn(bytes, { maxInflatedBytes: MAX_BYTES });
  for await (const { document: { line }, ...step } of replay(run, history)) {
    // Other questions are answered meanwhile.
    await setImmediate();
    if ("result" in step) {
      if (!take(step.result)) return cut(line, shown);
      continue;
    }
    if (refused.length >= MAX_RESULTS) return cut(line, `${MAX_RESULTS} refusals`);
    refused.push({ line, reason: step.refused });
  }
  return { results, refused };
}

function answerOf(result: DryRunResult): TryAnswer["results"][number] {
  const { messageId, event, time, outcome, reason, events, plugins, keysToAsk } = result;
  return {
    messageId,
    event,
    time,
    outcome,
    reason,
    events: events.map(({ before = null, changed = null, ...one }) => {
      return { ...one, before, changed, keysToAsk: keysToAsk.get(one.key) ?? [] };
    }),
    plugins: plugins.map(({ error = null, skipped = false, ...preview }) => {
      return { ...preview, method: skipped ? "none" as const : preview.method, error };
    }),
  };
}
