/** A JSON value as `JSON.parse` gives it. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  /** Any key. */
  readonly [key: string]: Json;
}

/**
 * Who acted, as oslo.messaging's flattened `_context_*` says. Everything may be `null`: clouds redact it since 2023, Neutron
 * never knows the project's name, Keystone and Glance send none of it. The payload says who owns.
 */
export interface ActorContext {
  readonly userId: string | null;
  readonly userName: string | null;
  readonly projectId: string | null;
  readonly projectName: string | null;
  readonly requestId: string | null;
  readonly remoteAddress: string | null;
}

/** What oslo.messaging put on the bus, decoded from any envelope and freed of everything that may hold a token. */
export interface Notification {
  /** The same in every copy of one notification (`_unique_id` is not). */
  readonly messageId: string;
  readonly eventType: string;
  /** `service.host` (legacy) or `service:host` (versioned); empty when absent. */
  readonly publisherId: string;
  /** When the service sent it: ISO 8601, UTC, `2026-11-21T18:59:38.385Z`; `null` when absent or unreadable. */
  readonly time: string | null;
  readonly payload: JsonObject;
  readonly actor: ActorContext;
  /** Which part of a message this is that names many resources. @default all of it */
  readonly part?: { readonly number: number; readonly of: number };
}
