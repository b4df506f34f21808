/**
 * What Nova and Neutron publish, in the shape of the recorded messages.
 *
 * @module
 */

import type { JsonObject, Notification } from "../../src/model/notification.ts";
import { notification } from "../support/stories.ts";
import type { ModelFloatingIp, ModelPort, ModelServer } from "./model_cloud.ts";

/** `notification_format` of Nova. */
export type Format = "legacy" | "versioned" | "both";

/** What a message states; a later message of the same resource that states the same makes it a repeat. */
export interface Message {
  readonly notification: Notification;
  readonly resource: string;
  readonly states: readonly string[];
  /** A floating IP's message says where its port is, without the port's revision. */
  readonly isBarrier?: boolean;
}

/** A message with its place in the order of publication. */
export interface Published extends Message {
  readonly index: number;
}

export const PROJECT = "project";
export const USER = "user";
export const CREATED_AT = "2026-11-21T18:59:38";

const ACTOR = {
  userId: USER,
  userName: "alice",
  projectId: PROJECT,
  projectName: "physics",
  requestId: null,
  remoteAddress: null,
};

/** Legacy operations whose versioned name is another. */
const VERSIONED: Readonly<Record<string, string>> = {
  "finish_resize.end": "resize_finish.end",
  "resize.confirm.end": "resize_confirm.end",
  "live_migration.post.dest.end": "live_migration_post_dest.end",
};

/** The messages of an operation on a server, in one format or both. */
export function novaMessages(
  server: ModelServer,
  { operation, format }: { readonly operation: string; readonly format: Format },
): Message[] {
  // At least one of either must come, whatever else states the server's state.
  const end = /^(create|delete)\.end$/.test(operation) ? [operation] : [];
  const resource = `server ${server.id}`;
  // A shelved server may be on its way up from a snapshot.
  const image = server.state === "shelved_offloaded" ? [] : ["image"];
  const legacy: Message = {
    notification: notification(`compute.instance.${operation}`, legacyPayload(server, operation), { actor: ACTOR }),
    resource,
    states: ["server", ...image, ...image.map(() => "facts of the image"), ...end],
  };
  const versioned: Message = {
    notification: notification(
      `instance.${VERSIONED[operation] ?? operation}`,
      { "nova_object.data": versionedPayload(server) },
      { actor: ACTOR },
    ),
    resource,
    states: ["server", "description", ...image, ...end],
  };
  return format === "both" ? [legacy, versioned] : [format === "legacy" ? legacy : versioned];
}

function legacyPayload(server: ModelServer, operation: string): JsonObject {
  const { id, name, hostname, metadata, flavor, image, host, zone, state } = server;
  const facts = {
    ...(image.distro && { os_distro: image.distro }),
    ...(image.version && { os_version: image.version }),
  };
  // The addresses are in the creation alone.
  const fixed_ips = operation !== "create.end" ? {} : {
    fixed_ips: addressesOf(server).map(({ address, mac }) => ({
      address,
      vif_mac: mac,
      type: "fixed",
      label: "net",
      version: versionOf(address),
    })),
  };
  return {
    instance_id: id,
    tenant_id: PROJECT,
    user_id: USER,
    display_name: name,
    hostname,
    host,
    availability_zone: zone,
    state,
    instance_type: flavor.name,
    memory_mb: flavor.memoryMb,
    vcpus: flavor.vcpus,
    disk_gb: flavor.rootGb + flavor.ephemeralGb,
    root_gb: flavor.rootGb,
    ephemeral_gb: flavor.ephemeralGb,
    metadata,
    image_ref_url: `http://glance/images/${image.id}`,
    image_meta: { base_image_ref: image.id, min_ram: "0", ...facts },
    created_at: `${CREATED_AT}+00:00`,
    ...fixed_ips,
  };
}

function versionedPayload(server: ModelServer): JsonObject {
  const { id, name, hostname, description, metadata, flavor, image, host, zone, state } = server;
  return {
    uuid: id,
    tenant_id: PROJECT,
    user_id: USER,
    display_name: name,
    display_description: description,
    host_name: hostname,
    host,
    availability_zone: zone,
    state,
    flavor: {
      "nova_object.data": {
        name: flavor.name,
        memory_mb: flavor.memoryMb,
        vcpus: flavor.vcpus,
        root_gb: flavor.rootGb,
        ephemeral_gb: flavor.ephemeralGb,
      },
    },
    metadata,
    image_uuid: image.id,
    created_at: `${CREATED_AT}Z`,
    ip_addresses: addressesOf(server).map(({ address, mac, port }) => ({
      "nova_object.data": { address, mac, port_uuid: port, label: "net", version: versionOf(address), meta: {} },
    })),
  };
}

/** The addresses of a server, in the order of its ports. */
export function addressesOf(
  { ports }: ModelServer,
): readonly { readonly address: string; readonly mac: string; readonly port: string }[] {
  return ports.flatMap(({ id, mac, addresses }) => addresses.map((address) => ({ address, mac, port: id })));
}

export function versionOf(address: string): 4 | 6 {
  return address.includes(":") ? 6 : 4;
}

export function portMessage(port: ModelPort): Message {
  const { id, server } = port;
  return {
    notification: notification("port.update.end", { port: portPayload(port) }),
    resource: `port ${id}`,
    // A port that is attached must be heard of on its server, to be missed there.
    states: server === null ? ["port"] : ["port", `on ${server.id}`],
  };
}

export function portDeletion(port: ModelPort): Message {
  return {
    notification: notification("port.delete.end", { port: portPayload(port), port_id: port.id }),
    resource: `port ${port.id}`,
    states: ["port", "end"],
  };
}

function portPayload({ id, mac, addresses, server, revision }: ModelPort): JsonObject {
  return {
    id,
    mac_address: mac,
    device_id: server?.id ?? "",
    device_owner: server === null ? "" : "compute:zone-1",
    fixed_ips: addresses.map((address) => ({ subnet_id: "subnet", ip_address: address })),
    revision_number: revision,
  };
}

export function floatingIpMessage({ id, address, port, fixedAddress, revision }: ModelFloatingIp): Message {
  return {
    notification: notification("floatingip.update.end", {
      floatingip: {
        id,
        floating_ip_address: address,
        port_id: port?.id ?? null,
        fixed_ip_address: fixedAddress,
        router_id: port === null ? null : "router",
        port_details: port === null ? null : {
          mac_address: port.mac,
          device_id: port.server?.id ?? "",
          device_owner: port.server === null ? "" : "compute:zone-1",
        },
        project_id: PROJECT,
        revision_number: revision,
      },
    }),
    resource: `floating IP ${id}`,
    states: ["floating IP"],
    isBarrier: true,
  };
}
