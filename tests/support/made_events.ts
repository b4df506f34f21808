/**
 * Events made up for tests of what comes after them: the ledger and dispatch.
 *
 * @module
 */

import { makeDetail } from "../../src/detail/make_detail.ts";
import type { Decision } from "../../src/model/decision.ts";
import type { ServerSnapshot, WatcherEvent } from "../../src/model/event.ts";
import type { DetailRecord, ImmediateDetail, ImmediateMaker, Ledger, Settlement } from "../../src/model/ledger.ts";
import type { MemoryChanges, ServerMemory } from "../../src/model/memory.ts";
import type { Notification } from "../../src/model/notification.ts";
import { unknownServer } from "../../src/model/snapshot.ts";

/** Nothing is learnt. */
export const NO_CHANGES: MemoryChanges = { servers: [], ports: [], floatingIps: [] };

/** A server of which nothing is known but its id and what is given. */
export function madeServer(id: string | null, known: Partial<ServerSnapshot> = {}): ServerSnapshot {
  return { ...unknownServer(id), ...known };
}

/** What is remembered of a server. */
export function madeMemory(
  id: string,
  { deleted = false, snapshot = madeServer(id) }: { readonly deleted?: boolean; readonly snapshot?: ServerSnapshot } =
    {},
): ServerMemory {
  return { id, creationSeen: true, deleted, snapshot };
}

/** An event of the server whose id is the first part of the key, in order with all that share one of `orderKeys`. */
export function madeEvent(key: string, orderKeys: readonly string[] = []): WatcherEvent {
  return {
    key,
    subject: "server",
    created: true,
    eventType: "compute.instance.create.end",
    messageId: `message of ${key}`,
    time: "2026-11-21T18:59:38.385Z",
    server: madeServer(key.split("/")[0]!),
    floatingIp: null,
    floatingIps: [],
    creationSeen: true,
    orderKeys,
  };
}

/** An event of a server that changes; with `updates`, how many updates were announced before. */
export function madeServerEvent(
  kind: "creation" | "update" | "deletion",
  { updates = 0, number = updates + 1, ...known }:
    & Partial<ServerSnapshot>
    & { readonly updates?: number; readonly number?: number } = {},
): WatcherEvent {
  const id = known.id ?? "s";
  const key = `server/${id}/${kind === "update" ? `update/${number}` : kind}`;
  return {
    ...madeEvent(key, [`server/${id}`]),
    server: madeServer(id, known),
    created: kind !== "deletion",
    ...(kind === "update" ? { updated: true } : {}),
    ...(kind === "creation" ? {} : { updates }),
  };
}

/** The association of a server that changes with a floating IP. */
export function madeAssociation(
  { updates = 0, ...known }: Partial<ServerSnapshot> & { readonly updates?: number } = {},
): WatcherEvent {
  const id = known.id ?? "s";
  const floatingIp = { id: "f", address: "203.0.113.7", fixedAddress: "10.0.0.5", mac: null };
  return {
    ...madeEvent("floatingip/f/1/creation", [`server/${id}`]),
    subject: "floatingip",
    server: madeServer(id, known),
    floatingIp,
    floatingIps: [floatingIp],
    updates,
  };
}

export function madeNotification(messageId: string): Notification {
  return {
    messageId,
    eventType: "compute.instance.create.end",
    publisherId: "compute.host",
    time: "2026-11-21T18:59:38.385Z",
    payload: {},
    actor: {
      userId: null,
      userName: null,
      projectId: null,
      projectName: null,
      requestId: null,
      remoteAddress: null,
    },
  };
}

/** A decision for these events. */
export function decisionOf(events: readonly WatcherEvent[], more: Partial<Decision> = {}): Decision {
  const outcome = events.length > 0 ? "event" : "remembered";
  return { outcome, reason: "", events, fill: null, changes: NO_CHANGES, ...more };
}

/** Records one notification per event and decides it to be that event. */
export async function decideEvents(
  ledger: Ledger,
  events: readonly WatcherEvent[],
  make?: ImmediateMaker,
): Promise<void> {
  const byMessage = new Map(events.map((event) => [event.messageId, event]));
  await ledger.record([...byMessage.keys()].map((id) => ({ receivedAt: 0, notification: madeNotification(id) })));
  const decider = ({ messageId }: Notification) => decisionOf([byMessage.get(messageId)!]);
  // Not every ledger decides all at once.
  while (await ledger.decide(Number.MAX_SAFE_INTEGER, decider, make) > 0);
}

/** The detail of an event that needs nothing but the event. */
export function promptDetail(event: WatcherEvent): ImmediateDetail {
  return { detail: makeDetail(event).detail, missing: [] };
}

/** What makes an event deliverable. */
export function detailOf(seq: number, event: WatcherEvent): DetailRecord {
  return { seq, detail: makeDetail(event).detail, missing: [], learned: null };
}

/** Stores the detail of every event that lacks one. */
export async function detailEvents(ledger: Ledger): Promise<void> {
  const events = await ledger.undetailed(Number.MAX_SAFE_INTEGER);
  await ledger.storeDetails(events.map(({ seq, event }) => detailOf(seq, event)));
}

/** Makes events deliverable: recorded, decided, detailed. */
export async function announceEvents(ledger: Ledger, events: readonly WatcherEvent[]): Promise<void> {
  await decideEvents(ledger, events);
  await detailEvents(ledger);
}

/** How an attempt that took a second ended. */
export function settlementOf(
  { seq, plugin }: { readonly seq: number; readonly plugin: string },
  { outcome, endedAt, ...more }:
    & Pick<Settlement, "outcome" | "endedAt">
    & Partial<Pick<Settlement, "dueAt" | "triedMs">>,
): Settlement {
  const failure = outcome === "done" ? null : { reason: "other" as const, error: "It failed" };
  return { seq, plugin, outcome, startedAt: endedAt - 1000, endedAt, failure, dueAt: 0, triedMs: 0, ...more };
}
