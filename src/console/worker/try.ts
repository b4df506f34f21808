import { setImmediate } from "node:timers/promises";
import type { TryAnswer } from "../api.ts";
import { readDocuments } from "../../runtime/documents.ts";
import { DryRun, type DryRunResult } from "../../runtime/dry_run.ts";
import { Refused, type WorkerContext, type WorkerRequest } from "./worker_context.ts";

const MAX_BYTES = 4 * 1024 * 1024;
/** Notifications that are shown: a page has to hold them. */
const MAX_RESULTS = 1000;

/** What notifications would lead to, as `--dry-run` says it. */
export async function tryNotifications(
  { body }: WorkerRequest,
  { loaded: { config }, plugins, log }: WorkerContext,
): Promise<TryAnswer> {
  const bytes = new TextEncoder().encode((body as { readonly text: string }).text);
  if (bytes.length > MAX_BYTES) {
    throw new Refused(413, "Cannot try this: it is larger than 4 MiB. Use oss-watcher --dry-run FILE");
  }
  const run = new DryRun({ config, plugins, log });
  const results: TryAnswer["results"][number][] = [];
  const refused: TryAnswer["refused"][number][] = [];
  const take = (found: readonly DryRunResult[]) => results.push(...found.map(answerOf));
  for (const { line, decoded } of await readDocuments(bytes)) {
    if ("refused" in decoded) {
      refused.push({ line, reason: decoded.refused });
      continue;
    }
    if (results.length >= MAX_RESULTS) {
      const reason = `not read: ${MAX_RESULTS} results are shown at most. Use oss-watcher --dry-run FILE`;
      return { results, refused: [...refused, { line, reason }] };
    }
    const { notification } = decoded;
    if (notification.time !== null) take(await run.settle(Date.parse(notification.time)));
    take([await run.take(notification)]);
    // Other questions are answered meanwhile.
    await setImmediate();
  }
  take(await run.settle(Infinity));
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
    plugins: plugins.map(({ error = null, ...preview }) => ({ ...preview, error })),
  };
}
