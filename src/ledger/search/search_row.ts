import type { Detail } from "../../model/detail.ts";
import { kindOf, type WatcherEvent } from "../../model/event.ts";
import type { FoundDelivery } from "../../model/event_search.ts";
import type { ListedState } from "../../model/operations.ts";
import { type RecentEvent, storedEvent } from "../recent_events.ts";

/** A delivery as a search reads it, whatever the engine. */
export interface SearchRow {
  readonly seq: number;
  /** The number and the name of its plugin. */
  readonly plugin: number;
  readonly name: string;
  readonly state: ListedState;
  readonly attempts: number;
  readonly dueAt: number;
  readonly finishedAt: number | null;
  readonly isPaused: boolean;
  readonly key: string;
  readonly decidedAt: number;
  /** JSON of the event: all of it until its detail is made. */
  readonly data: string;
  /** JSON; `null`: not made yet. */
  readonly detail: string | null;
  /** The last failure. */
  readonly error: string | null;
}

/** An event as a search reads it. */
export interface SearchedEvent {
  readonly key: string;
  readonly event: RecentEvent["event"];
  /** What is known of it until its detail is made; `null` afterwards. */
  readonly whole: WatcherEvent | null;
  readonly detail: Detail | null;
}

export function searchedEvent({ key, data, detail }: Pick<SearchRow, "key" | "data" | "detail">): SearchedEvent {
  const stored: Partial<WatcherEvent> = JSON.parse(data);
  return {
    key,
    event: storedEvent(data),
    whole: stored.server === undefined ? null : stored as WatcherEvent,
    detail: detail === null ? null : JSON.parse(detail),
  };
}

/** The address that an event is shown with. */
export function addressOf({ whole, detail }: SearchedEvent): string | null {
  return detail?.IP ?? whole?.floatingIp?.address ?? whole?.server.addresses[0]?.address ?? null;
}

/** A row as the console shows it. */
export function foundDelivery(row: SearchRow, searched: SearchedEvent): FoundDelivery {
  const { event, whole, detail } = searched;
  const { state } = row;
  const isOpen = state === "waiting" || state === "retrying";
  return {
    seq: row.seq,
    key: row.key,
    state,
    plugin: row.name,
    kind: kindOf(event),
    subject: event.subject,
    serverId: event.serverId,
    name: detail?.FQDN ?? whole?.server.hostname ?? null,
    address: addressOf(searched),
    projectId: detail?.ProjectID ?? whole?.server.projectId ?? null,
    projectName: detail?.ProjectName ?? whole?.server.projectName ?? null,
    origin: event.origin === "reconcile" ? "reconcile" : "bus",
    at: row.decidedAt,
    attempts: row.attempts,
    dueAt: isOpen ? row.dueAt : null,
    finishedAt: row.finishedAt,
    reason: state === "done" || state === "skipped" ? null : row.error,
    ...(isOpen && row.isPaused ? { isPaused: true } : {}),
  };
}
