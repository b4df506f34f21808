/** A JSON value as `JSON.parse` gives it. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  /** Any key. */
  readonly [key: string]: Json;
}

/**
 * The user whose request led to the notification, from oslo.messaging's flattened `_context_*`. Any
 * field may be `null`: clouds redact them since 2023, Neutron never has the project's name,
 * Keystone and Glance send none. The owner of the resource is in the payload.
 */
export interface ActorContext {
  readonly userId: string | null;
  readonly userName: string | null;
  readonly projectId: string | null;
  readonly projectName: string | null;
  readonly requestId: string | null;
  readonly remoteAddress: string | null;
}

/**
 * Where a notification or an event comes from: `bus`, a message of RabbitMQ; `reconcile`, a
 * comparison of the ledger's memory with OpenStack's APIs.
 */
export type Origin = "bus" | "reconcile";

/**
 * A notification of oslo.messaging: decoded, without envelope, and without fields that may hold a
 * token.
 */
export interface Notification {
  /** The same in every copy of one notification, unlike `_unique_id`. */
  readonly messageId: string;
  readonly eventType: string;
  /** `service.host` (legacy) or `service:host` (versioned); empty when absent. */
  readonly publisherId: string;
  /**
   * When the service sent it: ISO 8601, UTC, `2026-11-21T18:59:38.385Z`; `null` when absent or
   * unreadable.
   */
  readonly time: string | null;
  readonly payload: JsonObject;
  readonly actor: ActorContext;
  /** `reconcile`: the payload is an observation of OpenStack's APIs. @default "bus" */
  readonly origin?: Origin;
  /** The part, of a message that names many resources. @default the whole message */
  readonly part?: { readonly number: number; readonly of: number };
}
