import type { Call } from "../dispatch/call.ts";
import type { Delivery } from "../model/ledger.ts";
import type { Json } from "../model/notification.ts";
import type { Logger, NotifyContext, Plugin } from "../model/plugin.ts";
import { redact } from "../wire/secrets/redact.ts";
import { withoutGivenSecrets } from "../wire/secrets/without_given_secrets.ts";

/** What one plugin would send for one event. */
export interface PluginPreview {
  readonly name: string;
  readonly key: string;
  readonly created: boolean;
  /** The method that would be called. */
  readonly method: "notify" | "update";
  /** What the plugin's `preview` or `previewUpdate` says; `null` when it has none. */
  readonly preview: Json;
  /** What it threw, or why its filter cannot decide. */
  readonly error?: string;
  /** Its filter does not let the event through. @default false */
  readonly skipped?: true;
}

export interface PreviewOptions {
  readonly delivery: Delivery;
  readonly call: Extract<Call, { readonly method: "notify" | "update" }>;
  readonly log: Logger;
  /** What the plugin gets as the event's number. @default that of the delivery */
  readonly sequence?: number;
}

/** Of an event that a plugin is not told, since its filter skips it or fails. */
export function untoldPreview(
  { plugin: name, event: { key, created, updated = false } }: Delivery,
  error: string | null,
): PluginPreview {
  const untold = { name, key, created, method: updated ? "update" as const : "notify" as const, preview: null };
  return error === null ? { ...untold, skipped: true } : { ...untold, error };
}

/** Asks a plugin what it would send. Never rejects. */
export async function previewOf(
  plugin: Plugin,
  { delivery: { seq, plugin: name, event, missing }, call, log, sequence = seq }: PreviewOptions,
): Promise<PluginPreview> {
  const { key, created } = event;
  const never = new AbortController();
  const context: NotifyContext = {
    origin: "bus",
    sequence,
    kind: created ? "creation" : "deletion",
    ...event,
    attempt: 1,
    signal: never.signal,
    log,
    missing,
    keep() {},
    note() {},
  };
  const { method, detail } = call;
  try {
    const preview = call.method === "notify"
      ? await plugin.preview?.(detail, created, context)
      : await plugin.previewUpdate?.(detail, {
        ...context,
        kind: "update",
        before: call.before,
        changed: call.changed,
      });
    return { name, key, created, method, preview: asJson(preview) };
  } catch (error) {
    const text = redact(error instanceof Error ? error.message : String(error));
    return { name, key, created, method, preview: null, error: text };
  }
}

/**
 * A preview as JSON: a user's plugin may return anything. Values that config.ts got by `env()` are
 * hidden.
 */
function asJson(preview: unknown): Json {
  return withoutGivenSecrets(JSON.parse(JSON.stringify(preview) ?? "null"));
}
