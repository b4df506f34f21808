import type { LedgerOperations } from "../../model/operations.ts";
import type { CheckAnswer, PluginActionAnswer } from "../api.ts";
import type { Action } from "../../model/audit_trail.ts";
import { Deadline } from "../../wire/deadline.ts";
import { redact } from "../../wire/secrets/redact.ts";
import { Refused, type WorkerContext, type WorkerRequest } from "./worker_context.ts";

const CHECK_SECONDS = 30;

/** Asks a plugin's target whether it is there. */
export async function checkPlugin(
  { body }: WorkerRequest,
  { plugins, clock }: WorkerContext,
): Promise<CheckAnswer> {
  const { name } = body as { readonly name: string };
  const plugin = plugins.get(name);
  if (plugin === undefined) throw notConfigured(name);
  if (plugin.check === undefined) throw new Refused(409, `Cannot check ${name}: the plugin has no method check`);
  const beganAt = clock.passedMs();
  using deadline = new Deadline(new AbortController().signal, CHECK_SECONDS);
  const error = await deadline.race(Promise.resolve(plugin.check(deadline.signal))).then(() => null, textOf);
  return { ok: error === null, error, tookMs: Math.round(clock.passedMs() - beganAt) };
}

/** Lets a plugin's deliveries wait. */
export function pausePlugin(request: WorkerRequest, context: WorkerContext): Promise<PluginActionAnswer> {
  return act("pause", { request, context }, async (ledger, { name, tell }) => {
    // The first pause counts: who has paused it, and since when.
    if ((await ledger.pauses()).has(name)) return 0;
    await tell();
    await ledger.pause(name, request.who);
    return 0;
  });
}

/** Ends a pause. */
export function resumePlugin(request: WorkerRequest, context: WorkerContext): Promise<PluginActionAnswer> {
  return act("resume", { request, context }, async (ledger, { name, tell }) => {
    if (!(await ledger.pauses()).has(name)) return 0;
    await tell();
    await ledger.resume(name);
    return 0;
  });
}

/** Makes all retries of a plugin due, and probes its target. */
export function tryPlugin(request: WorkerRequest, context: WorkerContext): Promise<PluginActionAnswer> {
  return act("try", { request, context }, async (ledger, { name, tell }) => {
    if (!await ledger.isConfigured(name)) throw notConfigured(name);
    if ((await ledger.pauses()).has(name)) {
      throw new Refused(409, `Cannot try the plugin "${name}": it is paused. Resume it: its deliveries then go on`);
    }
    await tell();
    return await ledger.tryNow(name);
  });
}

async function act(
  action: Action,
  { request: { body, who }, context: { withLedger, clock } }: {
    readonly request: WorkerRequest;
    readonly context: WorkerContext;
  },
  work: (
    ledger: LedgerOperations,
    options: { readonly name: string; readonly tell: () => Promise<void> },
  ) => Promise<number>,
): Promise<PluginActionAnswer> {
  const { name } = body as { readonly name: string };
  return await withLedger(async (ledger) => {
    if (!(await ledger.plugins()).includes(name)) {
      throw new Refused(404, `Cannot find the plugin "${name}": the ledger has never known one of this name`);
    }
    const tell = () => ledger.trail.write({ at: clock.now(), who, action, what: name, details: {} });
    return { name, count: await work(ledger, { name, tell }) };
  });
}

function notConfigured(name: string): Refused {
  return new Refused(
    404,
    `Cannot use the plugin "${name}": the service runs without it. Add it to config.ts and reload`,
  );
}

function textOf(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error));
}
