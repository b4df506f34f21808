/**
 * What Nova and Neutron publish for each operation that begins or ends a server, a port or a floating IP, read from their sources
 * (Mitaka to 2026.2), and what follows from it: the table of docs/NOTIFICATIONS.md.
 *
 * @module
 */

import type { JsonObject, Notification } from "../../src/model/notification.ts";
import {
  came,
  cameVersioned,
  floatingIpCame,
  floatingIpGone,
  floatingIpIs,
  notification,
  portCame,
  portGone,
  portIs,
  went,
  wentVersioned,
} from "../support/stories.ts";

/** A row of the table. */
export interface Operation {
  /** What is done, to a server `a`, with the port `1` and the floating IP `f`. */
  readonly name: string;
  /** The releases of which the row tells. */
  readonly releases?: string;
  /** What was told before. */
  readonly before?: readonly Notification[];
  /** What Nova publishes in the older format. */
  readonly unversioned?: readonly Notification[];
  /** What Nova publishes in the versioned format, and since when. */
  readonly versioned?: readonly Notification[];
  readonly versionedSince?: string;
  readonly neutron?: readonly Notification[];
  /** What is announced: keys of events; of a beginning that was not seen with `(unseen)`. */
  readonly announced: readonly string[];
  /** The same when Nova's `notification_format` is `versioned`, if that differs. */
  readonly announcedVersioned?: readonly string[];
}

const ON_HOST = { publisherId: "compute.host-1" };
const ON_API = { publisherId: "compute.ctl-1" };
const HOST = { host: "host-1" };

const legacy = (eventType: string, payload: JsonObject = {}, more: Partial<Notification> = ON_HOST) =>
  notification(eventType, { instance_id: "a", ...HOST, ...payload }, more);
const versioned = (eventType: string, data: JsonObject = {}) =>
  notification(eventType, { "nova_object.data": { uuid: "a", ...HOST, ...data } });
const fixedIps = [{ address: "10.0.0.5", vif_mac: "fa:16:3e:00:00:05" }];
const ipAddresses = [{ "nova_object.data": { address: "10.0.0.5", mac: "fa:16:3e:00:00:05", port_uuid: "1" } }];

const SERVER = [came("a", { fixed_ips: fixedIps }), portIs("1", { server: "a" })];
const ASSOCIATED = [...SERVER, floatingIpIs("f", { port: "1", server: "a" })];
const FREE = [...SERVER, floatingIpCame("f")];

const COMES = "server/a/creation";
const GOES = "server/a/deletion";
const BEGINS = "floatingip/f/1/creation";
const ENDS = "floatingip/f/2/deletion";

export const OPERATIONS: readonly Operation[] = [
  {
    name: "Server: created",
    neutron: [portCame("1"), portIs("1", { server: "a" })],
    unversioned: [came("a", { fixed_ips: fixedIps, message: "Success", state: "active" })],
    versioned: [cameVersioned("a", { ip_addresses: ipAddresses, fault: null })],
    versionedSince: "Ocata",
    announced: [COMES],
  },
  {
    name: "Server: created, after a first host refused it",
    unversioned: [legacy("compute.instance.create.error"), came("a")],
    versioned: [versioned("instance.create.error"), cameVersioned("a")],
    versionedSince: "Ocata",
    announced: [COMES],
  },
  {
    name: "Server: creation fails for good",
    unversioned: [legacy("compute.instance.create.error")],
    versioned: [versioned("instance.create.error")],
    versionedSince: "Ocata",
    announced: [],
  },
  {
    name: "Server: deleted while its host builds it",
    releases: "Mitaka",
    unversioned: [
      came("a", { exception: "UnexpectedDeletingTaskStateError()", state: "building", message: "aborted" }),
      went("a"),
    ],
    announced: [`${GOES} (unseen)`],
    announcedVersioned: [],
  },
  {
    name: "Server: deleted while its host builds it",
    releases: "since Newton",
    unversioned: [legacy("compute.instance.create.error"), went("a")],
    versioned: [versioned("instance.create.error"), wentVersioned("a")],
    versionedSince: "Ocata",
    announced: [`${GOES} (unseen)`],
  },
  {
    name: "Server: deleted after the request, before a host has it",
    releases: "since Ocata",
    announced: [],
  },
  {
    name: "Server: deleted between scheduling and building, or without a host",
    unversioned: [legacy("compute.instance.delete.end", { host: null }, ON_API)],
    versioned: [versioned("instance.delete.end", { host: null })],
    versionedSince: "Queens",
    announced: [`${GOES} (unseen)`],
  },
  {
    name: "Server: deleted, or force-deleted, by its host",
    before: ASSOCIATED,
    neutron: [portGone("1", { server: "a" })],
    unversioned: [went("a")],
    versioned: [wentVersioned("a")],
    versionedSince: "Newton",
    announced: [ENDS, GOES],
  },
  {
    name: "Server: deletion completed when its host starts again",
    before: SERVER,
    unversioned: [went("a")],
    versioned: [wentVersioned("a")],
    versionedSince: "Newton",
    announced: [GOES],
  },
  {
    name: "Server: deleted while its host is down, or when it is shelved and offloaded",
    before: ASSOCIATED,
    neutron: [portGone("1", { server: "a" })],
    unversioned: [legacy("compute.instance.delete.end", {}, ON_API)],
    versioned: [wentVersioned("a")],
    versionedSince: "Queens",
    announced: [ENDS, GOES],
  },
  {
    name:
      "Server: force-deleted while its host is down, when it is shelved and offloaded, or when it failed and has no host",
    before: ASSOCIATED,
    neutron: [portGone("1", { server: "a" })],
    unversioned: [legacy("compute.instance.force_delete.end", {}, ON_API)],
    announced: [ENDS, GOES],
    announcedVersioned: [ENDS],
  },
  {
    name: "Server: deleted softly (`reclaim_instance_interval`)",
    before: SERVER,
    unversioned: [legacy("compute.instance.soft_delete.end")],
    versioned: [versioned("instance.soft_delete.end")],
    versionedSince: "Pike",
    announced: [],
  },
  {
    name: "Server: restored after a soft deletion",
    before: SERVER,
    unversioned: [legacy("compute.instance.restore.end")],
    versioned: [versioned("instance.restore.end")],
    versionedSince: "Newton",
    announced: [],
  },
  {
    name: "Server: reclaimed after a soft deletion",
    before: SERVER,
    unversioned: [legacy("compute.instance.soft_delete.end"), went("a")],
    versioned: [versioned("instance.soft_delete.end"), wentVersioned("a")],
    versionedSince: "Newton",
    announced: [GOES],
  },
  {
    name:
      "Server: deleted softly while its host is down, or when it is shelved and offloaded: Nova keeps nothing to restore",
    releases: "up to Pike",
    before: SERVER,
    unversioned: [legacy("compute.instance.soft_delete.end", {}, ON_API)],
    announced: [GOES],
    announcedVersioned: [],
  },
  {
    name: "Server: deleted softly while its host is down, or when it is shelved and offloaded",
    releases: "since Queens",
    before: SERVER,
    unversioned: [legacy("compute.instance.delete.end", {}, ON_API)],
    versioned: [wentVersioned("a")],
    versionedSince: "Queens",
    announced: [GOES],
  },
  {
    name: "Server: shelved, offloaded, unshelved on any host",
    before: SERVER,
    unversioned: [legacy("compute.instance.shelve_offload.end"), legacy("compute.instance.unshelve.end")],
    versioned: [versioned("instance.shelve_offload.end"), versioned("instance.unshelve.end")],
    versionedSince: "Newton",
    announced: [],
  },
  {
    name: "Server: rebuilt, or evacuated from a host that is down",
    before: SERVER,
    unversioned: [legacy("compute.instance.rebuild.end")],
    versioned: [versioned("instance.rebuild.end")],
    versionedSince: "Ocata",
    announced: [],
  },
  {
    name: "Server: resized or migrated, within a cell or across cells",
    before: SERVER,
    unversioned: [legacy("compute.instance.finish_resize.end"), legacy("compute.instance.resize.confirm.end")],
    versioned: [versioned("instance.resize_finish.end"), versioned("instance.resize_confirm.end")],
    versionedSince: "Pike",
    announced: [],
  },
  {
    name: "Server: migrated live",
    before: ASSOCIATED,
    unversioned: [legacy("compute.instance.live_migration.post.dest.end")],
    versioned: [versioned("instance.live_migration_post_dest.end")],
    versionedSince: "Stein",
    neutron: [portIs("1", { server: "a" })],
    announced: [],
  },
  {
    name: "Port: created for a server",
    releases: "Mitaka",
    before: [floatingIpIs("f", { port: "1" })],
    neutron: [portCame("1", { server: "a" })],
    announced: [BEGINS],
  },
  {
    name: "Port: given to a server (boot on a port, interface attached) when it has a floating IP",
    before: [portCame("1"), floatingIpIs("f", { port: "1", server: null })],
    neutron: [portIs("1", { server: "a" })],
    announced: [BEGINS],
  },
  {
    name: "Port of a user: detached, or its server deleted",
    before: ASSOCIATED,
    neutron: [portIs("1")],
    announced: [ENDS],
  },
  {
    name: "Port: deleted, by a user or by Nova when it detaches it",
    before: ASSOCIATED,
    neutron: [portGone("1", { server: "a" })],
    announced: [ENDS],
  },
  {
    name: "Port: deleted",
    releases: "Mitaka (the id alone is sent)",
    before: ASSOCIATED,
    neutron: [notification("port.delete.end", { port_id: "1" })],
    announced: [ENDS],
  },
  {
    name: "Floating IP: created",
    neutron: [floatingIpCame("f")],
    announced: [],
  },
  {
    name: "Floating IP: created on a port",
    before: SERVER,
    neutron: [floatingIpCame("f", { port: "1", server: "a" })],
    announced: [BEGINS],
  },
  {
    name: "Floating IP: associated, also by Nova's `addFloatingIp`",
    before: FREE,
    neutron: [floatingIpIs("f", { port: "1", server: "a" })],
    announced: [BEGINS],
  },
  {
    name: "Floating IP: associated",
    releases: "up to Queens (no `port_details`)",
    before: FREE,
    neutron: [floatingIpIs("f", { port: "1" })],
    announced: [BEGINS],
  },
  {
    name: "Floating IP: moved to another server",
    before: ASSOCIATED,
    neutron: [floatingIpIs("f", { port: "2", server: "b" })],
    announced: [ENDS, "floatingip/f/3/creation"],
  },
  {
    name: "Floating IP: disassociated",
    before: ASSOCIATED,
    neutron: [floatingIpIs("f")],
    announced: [ENDS],
  },
  {
    name: "Floating IP: deleted while associated",
    before: ASSOCIATED,
    neutron: [floatingIpGone("f", { port: "1", server: "a" })],
    announced: [ENDS],
  },
  {
    name: "Floating IP: deleted while associated",
    releases: "Mitaka (the id alone is sent)",
    before: ASSOCIATED,
    neutron: [notification("floatingip.delete.end", { floatingip_id: "f" })],
    announced: [ENDS],
  },
  {
    name: "Floating IP: edited (description, DNS name, QoS)",
    before: ASSOCIATED,
    neutron: [floatingIpIs("f", { port: "1", server: "a", more: { description: "x" } })],
    announced: [],
  },
  {
    name: "Floating IP: port forwarding created",
    before: FREE,
    neutron: [notification("port_forwarding.create.end", { port_forwarding: { id: "p", internal_port_id: "1" } })],
    announced: [],
  },
  {
    name: "Floating IP on the port of a router, a load balancer or a trunk's subport",
    before: [floatingIpCame("f")],
    neutron: [floatingIpIs("f", { port: "9", server: null })],
    announced: [],
  },
];
