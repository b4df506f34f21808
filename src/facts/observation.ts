import type { ServerSnapshot } from "../model/event.ts";
import type { Listing } from "../model/ledger.ts";
import type { Memory } from "../model/memory.ts";
import type { JsonObject, Notification } from "../model/notification.ts";
import type { FloatingIpState, PortState } from "./network_payload.ts";

/**
 * What OpenStack's APIs said of one resource when the ledger's memory was compared with them.
 * `*Absent`: the API answered that there is no such resource.
 */
export type Observation =
  | {
    readonly what: "server";
    readonly state: ServerSnapshot;
    /** Whether it came after the ledger began: an older one is remembered, and not announced. */
    readonly isNew: boolean;
    /** When it was read, milliseconds since the epoch. @default not known, in older ledgers */
    readonly readAtMs?: number;
  }
  | { readonly what: "serverAbsent"; readonly id: string }
  | ({ readonly what: "port"; readonly state: PortState } & Read)
  | { readonly what: "portAbsent"; readonly id: string }
  | ({
    readonly what: "floatingIp";
    readonly state: FloatingIpState;
    /** As of a server. */
    readonly isNew: boolean;
  } & Read)
  | { readonly what: "floatingIpAbsent"; readonly id: string };

/** When and against what the state of a resource of Neutron was read. */
interface Read {
  /** Milliseconds since the epoch. */
  readonly readAtMs: number;
  /**
   * For releases without revisions: the row of memory with which the state was compared, as JSON.
   * If memory has changed since, a message came, and the observation is out of date.
   */
  readonly comparedWith?: string | null;
}

/** The id of the resource that was observed. */
export function observedId(observation: Observation): string {
  return "id" in observation ? observation.id : observation.state.id as string;
}

/** Whether an observation is of a server, of its port, or of a floating IP on it. */
export function concernsServer(
  observation: Observation,
  { server, memory }: { readonly server: string; readonly memory: Memory },
): boolean {
  const id = observedId(observation);
  switch (listingOf(observation)) {
    case "servers":
      return id === server;
    case "ports":
      return (observation.what === "port" ? observation.state.serverId : memory.port(id)?.serverId) === server;
    case "floatingIps": {
      const isOnIt = observation.what === "floatingIp" && observation.state.port?.serverId === server;
      return isOnIt || memory.floatingIp(id)?.association?.serverId === server;
    }
  }
}

/** The listing that has the resource, if it is there. */
export function listingOf({ what }: Observation): Listing {
  return what.startsWith("server") ? "servers" : what.startsWith("port") ? "ports" : "floatingIps";
}

/** The type that the lost notification would have had. */
const EVENT_TYPES: Readonly<Record<Observation["what"], string>> = {
  server: "compute.instance.create.end",
  serverAbsent: "compute.instance.delete.end",
  port: "port.update.end",
  portAbsent: "port.delete.end",
  floatingIp: "floatingip.update.end",
  floatingIpAbsent: "floatingip.delete.end",
};

/** An observation in the form in which it is recorded and decided, as notifications are. */
export function observedNotification(
  observation: Observation,
  { messageId, time }: { readonly messageId: string; readonly time: string },
): Notification {
  return {
    messageId,
    eventType: EVENT_TYPES[observation.what],
    publisherId: "oss-watcher",
    time,
    origin: "reconcile",
    payload: observation as unknown as JsonObject,
    actor: NOBODY,
  };
}

/** The observation in a notification that {@linkcode observedNotification} made. */
export function readObservation({ payload }: Notification): Observation {
  return payload as unknown as Observation;
}

const NOBODY = {
  userId: null,
  userName: null,
  projectId: null,
  projectName: null,
  requestId: null,
  remoteAddress: null,
};
