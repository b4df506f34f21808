// One operation of a course: what is done, and what must come of it.
import type { FloatingIpRef, ServerRef } from "./tenant.ts";

/** An event that an operation must lead to. */
export interface Expected {
  readonly kind: "came" | "changed" | "went" | "began" | "ended";
  readonly server: ServerRef;
  readonly floatingIp?: FloatingIpRef;
  /** Of `changed`: the keys of the detail. Of `went`: those of a change that may be told before, if the deletion takes long. */
  readonly keys?: readonly string[];
}

export const came = (server: ServerRef): Expected => ({ kind: "came", server });
export const changed = (server: ServerRef, ...keys: readonly string[]): Expected => ({ kind: "changed", server, keys });
export const went = (server: ServerRef, ...keys: readonly string[]): Expected => ({ kind: "went", server, keys });
export const began = (floatingIp: FloatingIpRef, server: ServerRef): Expected => ({
  kind: "began",
  server,
  floatingIp,
});
export const ended = (floatingIp: FloatingIpRef, server: ServerRef): Expected => ({
  kind: "ended",
  server,
  floatingIp,
});

export interface Step {
  readonly title: string;
  /** Servers that the operation takes something from: the APIs are asked for them before it. */
  readonly before?: readonly ServerRef[];
  /** Does it; returns what must come of it, in this order. */
  readonly act: () => Promise<readonly Expected[]>;
  /** Events may come in any order: several resources at once. */
  readonly unordered?: boolean;
  /** The port had its server, and Neutron said so, before Nova told anybody of the server: then nobody knew the network's name. */
  readonly isEarly?: boolean;
  /** Fields of an association's events that are as at the server's creation, whatever the APIs say now: no message of the server came with it. */
  readonly asCreated?: readonly string[];
  /** A comparison found it: no message said more than the APIs. */
  readonly isFound?: boolean;
  /** Fields for which nobody can be asked any more. */
  readonly except?: readonly string[];
}
