/**
 * Short stories for `src/facts`: notifications with nothing in them but what counts, told one after the other.
 *
 * @module
 */

import { decide } from "../../src/facts/decide.ts";
import type { Rules } from "../../src/facts/decision_context.ts";
import { RamMemory } from "../../src/ledger/ram/memory.ts";
import type { Decision } from "../../src/model/decision.ts";
import type { ActorContext, Json, JsonObject, Notification } from "../../src/model/notification.ts";
import { EVERYTHING } from "./rules.ts";

export const NOBODY: ActorContext = {
  userId: null,
  userName: null,
  projectId: null,
  projectName: null,
  requestId: null,
  remoteAddress: null,
};

/** What was decided of one notification after the other, each against what the ones before it left. */
export class Story {
  readonly memory = new RamMemory();
  readonly #rules: Rules;

  constructor(rules: Partial<Rules> = {}) {
    this.#rules = { ...EVERYTHING, ...rules };
  }

  tell(notification: Notification): Decision {
    const decision = decide(notification, this.memory, this.#rules);
    this.memory.apply(decision.changes);
    return decision;
  }

  /** The keys of the events of one notification, with a mark where the beginning was not seen. */
  keys(notification: Notification): string[] {
    return this.tell(notification).events.map(({ key, creationSeen }) => creationSeen ? key : `${key} (unseen)`);
  }

  /** The outcome and its reason. */
  outcome(notification: Notification): string {
    const { outcome, reason } = this.tell(notification);
    return `${outcome}: ${reason}`;
  }
}

let messages = 0;

export function notification(eventType: string, payload: JsonObject, more: Partial<Notification> = {}): Notification {
  return {
    messageId: `message-${++messages}`,
    eventType,
    publisherId: "",
    time: "2026-11-21T19:13:11.667Z",
    payload,
    actor: NOBODY,
    ...more,
  };
}

/** `compute.instance.create.end`. */
export function came(server: string, payload: JsonObject = {}, more: Partial<Notification> = {}): Notification {
  return notification("compute.instance.create.end", { instance_id: server, ...payload }, more);
}

/** `compute.instance.delete.end`. */
export function went(server: string, payload: JsonObject = {}, more: Partial<Notification> = {}): Notification {
  return notification("compute.instance.delete.end", { instance_id: server, ...payload }, more);
}

/** `instance.create.end`. */
export function cameVersioned(server: string, data: JsonObject = {}): Notification {
  return notification("instance.create.end", { "nova_object.data": { uuid: server, ...data } });
}

/** `instance.delete.end`. */
export function wentVersioned(server: string, data: JsonObject = {}): Notification {
  return notification("instance.delete.end", { "nova_object.data": { uuid: server, ip_addresses: [], ...data } });
}

export interface PortWords {
  /** The server that holds it. */
  readonly server?: string | null;
  readonly revision?: Json;
  readonly more?: JsonObject;
}

/** `port.create.end`. */
export function portCame(port: string, words: PortWords = {}): Notification {
  return notification("port.create.end", { port: portOf(port, words) });
}

/** `port.update.end`. */
export function portIs(port: string, words: PortWords = {}): Notification {
  return notification("port.update.end", { port: portOf(port, words) });
}

/** `port.delete.end`. */
export function portGone(port: string, words: PortWords = {}): Notification {
  return notification("port.delete.end", { port: portOf(port, words), port_id: port });
}

function portOf(port: string, { server = null, revision = null, more = {} }: PortWords): JsonObject {
  return {
    id: port,
    mac_address: MAC,
    device_id: server ?? "",
    device_owner: server === null ? "" : "compute:zone-1",
    fixed_ips: [{ subnet_id: "subnet", ip_address: "10.0.0.5" }],
    revision_number: revision,
    ...more,
  };
}

export interface FloatingIpWords {
  readonly port?: string | null;
  /** The server that the port belongs to; without it there are no `port_details`, as in old releases. */
  readonly server?: string | null;
  readonly revision?: Json;
  readonly more?: JsonObject;
}

/** `floatingip.update.end`. */
export function floatingIpIs(id: string, words: FloatingIpWords = {}): Notification {
  return notification("floatingip.update.end", { floatingip: floatingIpOf(id, words) });
}

/** `floatingip.create.end`. */
export function floatingIpCame(id: string, words: FloatingIpWords = {}): Notification {
  return notification("floatingip.create.end", { floatingip: floatingIpOf(id, words) });
}

/** `floatingip.delete.end`. */
export function floatingIpGone(id: string, words: FloatingIpWords = {}): Notification {
  return notification("floatingip.delete.end", { floatingip_id: id, floatingip: floatingIpOf(id, words) });
}

export function floatingIpOf(id: string, words: FloatingIpWords = {}): JsonObject {
  const { port = null, server, revision = null, more = {} } = words;
  return {
    id,
    floating_ip_address: ADDRESS,
    port_id: port,
    fixed_ip_address: port === null ? null : "10.0.0.5",
    router_id: port === null ? null : "router",
    port_details: port === null || server === undefined ? null : {
      mac_address: MAC,
      device_id: server ?? "",
      device_owner: server === null ? "network:router_interface" : "compute:zone-1",
    },
    revision_number: revision,
    ...more,
  };
}

/** The floating address of {@linkcode floatingIpOf}. */
export const ADDRESS = "203.0.113.7";

/** The MAC address of all ports. */
export const MAC = "fa:16:3e:00:00:05";
