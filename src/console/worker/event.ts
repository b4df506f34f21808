import type { EventAnswer, PreviewAnswer } from "../api.ts";
import { filteredCall } from "../../dispatch/filtered_call.ts";
import { creationBefore } from "../../model/event_key.ts";
import type { CreationFate, Delivery } from "../../model/ledger.ts";
import { changedKeys, followingOf } from "../../model/following.ts";
import { kindOf } from "../../model/event.ts";
import type { Detail } from "../../model/detail.ts";
import type { Json } from "../../model/notification.ts";
import type { ShownDelivery, ShownEvent } from "../../model/operations.ts";
import type { Plugin } from "../../model/plugin.ts";
import { filterOf } from "../../model/plugin_filter.ts";
import { previewOf } from "../../runtime/preview.ts";
import { Deadline } from "../../wire/deadline.ts";
import { redact } from "../../wire/secrets/redact.ts";
import { Refused, type WorkerContext, type WorkerRequest } from "./worker_context.ts";

/** A preview does no I/O: one that takes longer hangs. */
const PREVIEW_SECONDS = 5;

/** Everything about one event. */
export async function getEvent({ query }: WorkerRequest, context: WorkerContext): Promise<EventAnswer> {
  const shown = await shownEvent(String(query["key"]), context);
  const { event, decidedAt, notification, detail, deliveries } = shown;
  return {
    key: event.key,
    subject: event.subject,
    kind: kindOf(event),
    time: event.time,
    decidedAt,
    origin: event.origin ?? "bus",
    eventType: event.eventType,
    creationSeen: event.creationSeen,
    serverId: event.serverId,
    notification,
    detail,
    deliveries: deliveries.map((delivery) => ({ ...delivery, changed: changesOf(delivery, detail) })),
  };
}

/** What plugins would be sent for an event now. */
export async function previewEvent({ query }: WorkerRequest, context: WorkerContext): Promise<PreviewAnswer> {
  const key = String(query["key"]);
  const shown = await shownEvent(key, context);
  const seq = await numberOf(key, context);
  const told = shown.deliveries.flatMap((delivery) => {
    const plugin = context.plugins.get(delivery.plugin);
    return plugin === undefined ? [] : [{ plugin, delivery }];
  });
  const previews = told.map(({ plugin, delivery }) => previewDelivery(plugin, { shown, delivery, seq, context }));
  return { plugins: await Promise.all(previews) };
}

async function shownEvent(key: string, { withLedger }: WorkerContext): Promise<ShownEvent> {
  const shown = await withLedger((ledger) => ledger.show(key));
  if (shown !== undefined) return shown;
  throw new Refused(404, "Cannot find the event: the ledger has none of this key. It keeps events for ledger.keepDays");
}

/** The event's number, which receivers are sent. */
async function numberOf(key: string, { withLedger }: WorkerContext): Promise<number> {
  const { rows } = await withLedger(({ search }) => search.search({ text: key, limit: 100 }));
  return rows.find((row) => row.key === key)?.seq ?? 0;
}

async function previewDelivery(
  plugin: Plugin,
  { shown: { event, detail }, delivery: { plugin: name, before, attempts }, seq, context }: {
    readonly shown: ShownEvent;
    readonly delivery: ShownDelivery;
    readonly seq: number;
    readonly context: WorkerContext;
  },
): Promise<PreviewAnswer["plugins"][number]> {
  const nothing = { name, method: "none", preview: null } as const;
  if (detail === null) return { ...nothing, error: "Its detail is not made yet" };
  const delivery: Delivery = {
    seq,
    plugin: name,
    event,
    detail,
    ...(before === undefined ? {} : { before }),
    missing: [],
    attempts,
    triedMs: 0,
    lastAttemptAt: null,
  };
  const following = followingOf(context.loaded.config.events);
  const [canUpdate, filter] = [plugin.update !== undefined, filterOf(plugin)];
  const ledger = { creationFate: (name: string, { key }: { readonly key: string }) => fateOf(name, key, context) };
  const call = await filteredCall(delivery, { following, canUpdate, filter, ledger, redact });
  if (call.method === "undecided") return { ...nothing, error: call.error };
  if (call.method === "impossible") return { ...nothing, error: "The server's creation was not delivered to it" };
  if (call.method === "none" || call.method === "skipped") return { ...nothing, error: null };
  using deadline = new Deadline(new AbortController().signal, PREVIEW_SECONDS);
  try {
    const { method, preview, error = null } = await deadline.race(
      previewOf(plugin, { delivery, call, log: context.log(name) }),
    );
    return { name, method, preview, error };
  } catch (error) {
    return { name, method: call.method, preview: null, error: redact(error instanceof Error ? error.message : "") };
  }
}

/** What a plugin has heard of the creation before an event, by what is shown of that. */
async function fateOf(plugin: string, key: string, { withLedger }: WorkerContext): Promise<CreationFate> {
  const place = creationBefore(key);
  const shown = place && await withLedger((ledger) => ledger.show(place.key));
  const delivery = shown?.deliveries.find((one) => one.plugin === plugin);
  if (delivery === undefined || delivery.finishedAt === null) return "unknown";
  if (delivery.attempts > 0) return "told";
  return delivery.state === "dead" ? "undecided" : "skipped";
}

/** What differs from what the plugin was told before; `null`: it was told nothing, or all is new. */
function changesOf({ before }: ShownDelivery, detail: Detail | null): EventAnswer["deliveries"][number]["changed"] {
  if (!before || detail === null) return null;
  const valueOf = (of: Detail, key: string) => (of[key] ?? null) as Json;
  return changedKeys(before, detail, { keys: "all", tellsAssociations: false })
    .map((key) => ({ key, before: valueOf(before, key), after: valueOf(detail, key) }));
}
