/**
 * What Nova and Neutron publish for each change of a server that is told as an update, read from their sources, and the keys of the
 * detail that it tells: the second table of docs/NOTIFICATIONS.md.
 *
 * @module
 */

import type { JsonObject, Notification } from "../../src/model/notification.ts";
import { floatingIpIs, notification, portGone, portIs } from "../support/stories.ts";

/** A row of the table. */
export interface Change {
  /** What is done to the server `a`, which has the port `1`. */
  readonly name: string;
  readonly releases?: string;
  /** What was told before, behind the server's creation. */
  readonly before?: readonly Notification[];
  /** What Nova publishes in the older format. */
  readonly unversioned?: readonly Notification[];
  readonly versioned?: readonly Notification[];
  readonly neutron?: readonly Notification[];
  /** The keys that are told: sorted, with the optional ones. */
  readonly keys: readonly string[];
  /** The same of the older format alone, if that differs. */
  readonly unversionedKeys?: readonly string[];
  /** The same of the versioned format alone, if that differs. */
  readonly versionedKeys?: readonly string[];
}

/** The server as both formats say it. */
const SAID = {
  name: "one",
  hostname: "one",
  description: "as it came",
  metadata: { owner: "alice" },
  flavor: "m1.tiny",
  vcpus: 1,
  ramMib: 512,
  diskGb: 1,
  image: "image-1",
  host: "host-1",
  zone: "zone-1",
  state: "active",
};
type Said = { readonly [Key in keyof typeof SAID]?: (typeof SAID)[Key] | null | Readonly<Record<string, string>> };

const OS: Readonly<Record<string, string>> = { "image-1": "debian", "image-2": "ubuntu" };

function legacy(operation: string, changed: Said, seconds = 1): Notification {
  const said = { ...SAID, ...changed };
  const payload = {
    instance_id: "a",
    display_name: said.name,
    hostname: said.hostname,
    metadata: said.metadata,
    instance_type: said.flavor,
    vcpus: said.vcpus,
    memory_mb: said.ramMib,
    disk_gb: said.diskGb,
    image_ref_url: `http://glance/images/${said.image}`,
    image_meta: { base_image_ref: said.image, os_distro: OS[String(said.image)] },
    host: said.host,
    availability_zone: said.zone,
    state: said.state,
  } as JsonObject;
  return notification(`compute.instance.${operation}`, payload, { time: timeOf(seconds) });
}

function versioned(operation: string, changed: Said, more: JsonObject = {}, seconds = 1): Notification {
  const said = { ...SAID, ...changed };
  const flavor = {
    name: said.flavor,
    vcpus: said.vcpus,
    memory_mb: said.ramMib,
    root_gb: said.diskGb,
    ephemeral_gb: 0,
  };
  const data = {
    uuid: "a",
    display_name: said.name,
    host_name: said.hostname,
    display_description: said.description,
    metadata: said.metadata,
    flavor: { "nova_object.data": flavor },
    image_uuid: said.image,
    host: said.host,
    availability_zone: said.zone,
    state: said.state,
    ...more,
  } as JsonObject;
  return notification(`instance.${operation}`, { "nova_object.data": data }, { time: timeOf(seconds) });
}

function timeOf(seconds: number): string {
  return new Date(Date.UTC(2026, 10, 21, 19, 13, 11 + seconds)).toISOString();
}

const UPDATE = "update";
/** A change that both formats tell by messages of these types. */
const both = (unversionedTypes: readonly string[], versionedTypes: readonly string[], said: Said) => ({
  unversioned: unversionedTypes.map((type) => legacy(type, said)),
  versioned: versionedTypes.map((type) => versioned(type, said)),
});
const same = (type: string, said: Said) => both([type], [type], said);

const MAC = "fa:16:3e:00:00:05";
const ADDRESS = { address: "10.0.0.5", mac: MAC, port_uuid: "1", version: 4, label: "net" };
const SECOND = { address: "10.0.0.6", mac: "fa:16:3e:00:00:06", port_uuid: "2", version: 4, label: "net" };
const secondPort = { mac_address: SECOND.mac, fixed_ips: [{ subnet_id: "subnet", ip_address: SECOND.address }] };
const inVersioned = (...addresses: readonly JsonObject[]) => ({
  ip_addresses: addresses.map((one) => ({ "nova_object.data": one })),
});

/** The creation, in both formats, and the server's port. */
export const CREATION: Readonly<Record<"unversioned" | "versioned" | "neutron", Notification>> = {
  unversioned: withAddress(legacy("create.end", {}, 0)),
  versioned: versioned("create.end", {}, inVersioned(ADDRESS), 0),
  neutron: portIs("1", { server: "a", revision: 1, more: named("one") }),
};

function withAddress(created: Notification): Notification {
  const fixed_ips = [{ address: ADDRESS.address, vif_mac: MAC, version: 4, label: "net", type: "fixed" }];
  return { ...created, payload: { ...created.payload, fixed_ips } };
}

function named(hostname: string): JsonObject {
  const dns_assignment = [{ hostname, ip_address: ADDRESS.address, fqdn: `${hostname}.example.org.` }];
  return { dns_name: hostname, dns_assignment };
}

const LARGE = { flavor: "c2.large", vcpus: 4, ramMib: 8192, diskGb: 50 };
const LARGE_KEYS = ["CPU", "Flavor", "Ram", "Storage"];

export const CHANGES: readonly Change[] = [
  { name: "Server: renamed", ...same(UPDATE, { name: "two" }), keys: ["Name"] },
  {
    name: "Server: another hostname",
    releases: "since Xena",
    ...same(UPDATE, { hostname: "two" }),
    keys: ["FQDN"],
  },
  {
    name: "Server: metadata set, an item set or removed",
    ...same(UPDATE, { metadata: { owner: "bob" } }),
    keys: ["Metadata", "Owner"],
  },
  {
    name: "Server: description set or removed",
    releases: "since Newton",
    ...same(UPDATE, { description: "as it is" }),
    keys: ["Description"],
    unversionedKeys: [],
  },
  { name: "Server: stopped", ...same("power_off.end", { state: "stopped" }), keys: ["Status"] },
  { name: "Server: started", before: stopped(), ...same("power_on.end", {}), keys: ["Status"] },
  { name: "Server: paused", ...same("pause.end", { state: "paused" }), keys: ["Status"] },
  { name: "Server: unpaused", before: stopped("paused"), ...same("unpause.end", {}), keys: ["Status"] },
  { name: "Server: suspended", ...same("suspend.end", { state: "suspended" }), keys: ["Status"] },
  { name: "Server: resumed", before: stopped("suspended"), ...same("resume.end", {}), keys: ["Status"] },
  { name: "Server: rescued", ...same("rescue.end", { state: "rescued" }), keys: ["Status"] },
  { name: "Server: unrescued", before: stopped("rescued"), ...same("unrescue.end", {}), keys: ["Status"] },
  {
    name: "Server: resized",
    ...both(["finish_resize.end"], ["resize_finish.end"], { ...LARGE, host: "host-2", state: "resized" }),
    keys: [...LARGE_KEYS, "Host", "Status"].sort(),
  },
  {
    name: "Server: resize or migration confirmed",
    before: stopped("resized"),
    ...both(["resize.confirm.end"], ["resize_confirm.end"], {}),
    keys: ["Status"],
  },
  {
    name: "Server: resize reverted",
    before: [
      legacy(UPDATE, { ...LARGE, host: "host-2", state: "resized" }, 0.5),
      versioned(UPDATE, { ...LARGE, host: "host-2", state: "resized" }, {}, 0.5),
    ],
    ...both(["resize.revert.end"], ["resize_revert.end"], {}),
    keys: [...LARGE_KEYS, "Host", "Status"].sort(),
  },
  {
    name: "Server: migrated",
    ...both(["finish_resize.end"], ["resize_finish.end"], { host: "host-2", state: "resized" }),
    keys: ["Host", "Status"],
  },
  {
    name: "Server: migrated live",
    ...both(["live_migration.post.dest.end"], ["live_migration_post_dest.end"], { host: "host-2" }),
    keys: ["Host"],
  },
  { name: "Server: evacuated", ...same("rebuild.end", { host: "host-2" }), keys: ["Host"] },
  {
    name: "Server: rebuilt with another image",
    ...same("rebuild.end", { image: "image-2" }),
    keys: ["ImageID", "OS"],
    versionedKeys: ["ImageID"],
  },
  { name: "Server: shelved", ...same("shelve.end", { state: "shelved" }), keys: ["Status"] },
  {
    name: "Server: shelved and offloaded",
    ...same("shelve_offload.end", { state: "shelved_offloaded", host: null, zone: null }),
    keys: ["Host", "Status", "Zone"],
  },
  {
    name: "Server: unshelved",
    before: [
      legacy(UPDATE, { state: "shelved_offloaded", host: null, zone: null }, 0.5),
      versioned(UPDATE, { state: "shelved_offloaded", host: null, zone: null }, {}, 0.5),
    ],
    ...same("unshelve.end", {}),
    keys: ["Host", "Status", "Zone"],
  },
  { name: "Server: deleted softly", ...same("soft_delete.end", { state: "soft-delete" }), keys: ["Status"] },
  { name: "Server: rebooted while it is stopped", before: stopped(), ...same("reboot.end", {}), keys: ["Status"] },
  {
    name: "Server: a period's audit (`instance_usage_audit`) after a rename that was not told",
    ...same("exists", { name: "two" }),
    keys: ["Name"],
  },
  {
    name: "Server: its deletion has begun, and its ports go",
    unversioned: [withTask(legacy("delete.start", {}))],
    versioned: [versioned("delete.start", {}, { task_state: "deleting" })],
    neutron: [portGone("1", { server: "a", revision: 2 })],
    keys: [],
  },
  { name: "Server: restored", before: stopped("soft-delete"), ...same("restore.end", {}), keys: ["Status"] },
  {
    name: "Server: a port attached",
    neutron: [portIs("2", { server: "a", more: secondPort })],
    versioned: [versioned("interface_attach.end", {}, inVersioned(ADDRESS, SECOND))],
    keys: ["Addresses"],
  },
  {
    name: "Server: its only port detached",
    neutron: [portGone("1", { server: "a", revision: 2 })],
    versioned: [versioned("interface_detach.end", {}, inVersioned())],
    keys: ["Addresses", "IP", "IPType", "MAC"],
  },
  {
    name: "Port: another address",
    neutron: [
      portIs("1", { server: "a", revision: 2, more: { fixed_ips: [{ subnet_id: "subnet", ip_address: "10.0.0.9" }] } }),
    ],
    keys: ["Addresses", "IP"],
  },
  {
    name: "Port: named as the server, in Neutron's DNS",
    before: [portIs("1", { server: "a", revision: 2 }), ...renamedHost()],
    neutron: [portIs("1", { server: "a", revision: 3, more: named("two") })],
    keys: ["FQDN"],
  },
  {
    name: "Floating IP: associated, moved, disassociated, where the groups do not list `floatingip.update.end`",
    neutron: [floatingIpIs("f", { port: "1", server: "a" })],
    keys: ["FloatingIPs"],
  },
];

/** The server was in another state. */
function stopped(state = "stopped"): readonly Notification[] {
  return [legacy(UPDATE, { state }, 0.5), versioned(UPDATE, { state }, {}, 0.5)];
}

function withTask(message: Notification): Notification {
  return { ...message, payload: { ...message.payload, state_description: "deleting" } };
}

function renamedHost(): readonly Notification[] {
  return [legacy(UPDATE, { hostname: "two" }, 0.5), versioned(UPDATE, { hostname: "two" }, {}, 0.5)];
}
