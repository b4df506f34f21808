// What changes in the life of servers, and the updates that must come of it, with their keys: written by hand.
import type { PrivateCloud } from "../../tools/openstack/cloud.ts";
import type { CloudClient } from "../../tools/openstack/rest.ts";
import { type Cast, METADATA } from "./cast.ts";
import { began, came, changed, ended, type Expected, went } from "./step.ts";
import type { PortRef, ServerRef } from "./tenant.ts";
import type { UpdatesStage } from "./updates_stage.ts";

export interface UpdatesCast extends Cast {
  readonly admin: CloudClient;
  readonly cloud: PrivateCloud;
}

const NOTHING: readonly Expected[] = [];
/** Hostnames. */
const NAMES = "2.90";
/** Descriptions. */
const DESCRIPTIONS = "2.19";

/**
 * A server keeps the DNS name that was told when no port has it any more. Nova of 2025.1 also takes
 * it from the ports of a server that it offloads, and never gives it back.
 */
const DNS_NAME = ["FQDN"];

export async function takeUpdatesCourse(stage: UpdatesStage, cast: UpdatesCast): Promise<void> {
  const server = await edit(stage, cast);
  await changeItsForm(stage, cast, server);
  await changeItsPorts(stage, cast, server);
  await associate(stage, cast, server);
  await move(stage, cast);
  await hurry(stage, cast);
}

/** Names, metadata and descriptions. */
async function edit(stage: UpdatesStage, { alice }: UpdatesCast): Promise<ServerRef> {
  let server: ServerRef;
  await stage.step({
    title: "boot a server",
    act: async () => {
      server = await alice.boot({ name: "life-01", metadata: METADATA, description: "as it came" });
      return [came(server)];
    },
  });
  await stage.step({
    title: "rename",
    act: async () => {
      await alice.rename(server, "life-02");
      return [changed(server, "Name")];
    },
  });
  await stage.step({
    title: "rename, and back at once",
    act: async () => {
      await alice.rename(server, "life-03");
      await alice.rename(server, "life-02");
      return NOTHING;
    },
  });
  await stage.step({
    title: "another hostname",
    act: async () => {
      await alice.edit(server, { hostname: "host-02" }, NAMES);
      return [changed(server, "FQDN")];
    },
  });
  await stage.step({
    title: "its port gets that name, too",
    act: async () => {
      await alice.setPort(await alice.portOf(server), { dns_name: "host-02" });
      return [changed(server, "FQDN")];
    },
  });
  await stage.step({
    title: "other metadata",
    act: async () => {
      await alice.setMetadata(server, { Owner: "bob", additional_users: "carol", colour: "blue" });
      return [changed(server, "Metadata", "Owner", "AdditionalUsers", "ApplicationName", "EnvironmentCI")];
    },
  });
  await stage.step({
    title: "one item of the metadata set",
    act: async () => {
      await alice.setMetadataItem(server, "environment_ci", "CI-1");
      return [changed(server, "Metadata", "EnvironmentCI")];
    },
  });
  await stage.step({
    title: "one item of the metadata removed",
    act: async () => {
      await alice.setMetadataItem(server, "Owner", null);
      return [changed(server, "Metadata", "Owner")];
    },
  });
  await stage.step({
    title: "another description",
    act: async () => {
      await alice.edit(server, { description: "as it is" }, DESCRIPTIONS);
      return [changed(server, "Description")];
    },
  });
  await stage.step({
    title: "no description",
    act: async () => {
      await alice.edit(server, { description: "" }, DESCRIPTIONS);
      return [changed(server, "Description")];
    },
  });
  await stage.step({
    title: "all metadata removed",
    act: async () => {
      await alice.setMetadata(server, {});
      return [changed(server, "Metadata", "AdditionalUsers", "EnvironmentCI")];
    },
  });
  return server!;
}

/** Flavor, image and state. */
async function changeItsForm(stage: UpdatesStage, { alice, cloud }: UpdatesCast, server: ServerRef): Promise<void> {
  const { images, flavors } = cloud.inventory;
  await stage.step({
    title: "stop",
    act: async () => {
      await alice.act(server, { "os-stop": null }, "SHUTOFF");
      return [changed(server, "Status")];
    },
  });
  await stage.step({
    title: "start",
    act: async () => {
      await alice.act(server, { "os-start": null }, "ACTIVE");
      return [changed(server, "Status")];
    },
  });
  await stage.step({
    title: "reboot, lock, unlock",
    act: async () => {
      await alice.act(server, { reboot: { type: "HARD" } }, "ACTIVE");
      await alice.act(server, { lock: null });
      await alice.act(server, { unlock: null });
      return NOTHING;
    },
  });
  await stage.step({
    title: "resize",
    act: async () => {
      await alice.act(server, { resize: { flavorRef: flavors["c2.large"] } }, "VERIFY_RESIZE");
      return [changed(server, "Flavor", "CPU", "Ram", "Storage", "Status")];
    },
  });
  await stage.step({
    title: "confirm it",
    act: async () => {
      await alice.act(server, { confirmResize: null }, "ACTIVE");
      await alice.settles(server);
      return [changed(server, "Status")];
    },
  });
  await stage.step({
    title: "resize again",
    act: async () => {
      await alice.act(server, { resize: { flavorRef: flavors["m1.small"] } }, "VERIFY_RESIZE");
      return [changed(server, "Flavor", "CPU", "Ram", "Storage", "Status")];
    },
  });
  await stage.step({
    title: "revert it",
    act: async () => {
      await alice.act(server, { revertResize: null }, "ACTIVE");
      await alice.settles(server);
      return [changed(server, "Flavor", "CPU", "Ram", "Storage", "Status")];
    },
  });
  for (const image of ["windows-2022", "plain-image", "debian-12"]) {
    await stage.step({
      title: `rebuild with the image ${image}`,
      act: async () => {
        await alice.act(server, { rebuild: { imageRef: images[image] } });
        await alice.settles(server);
        await alice.becomes(server, "ACTIVE");
        return [changed(server, "ImageID", "OS")];
      },
    });
  }
  await stage.step({
    title: "rebuild with the same image",
    act: async () => {
      await alice.act(server, { rebuild: { imageRef: images["debian-12"] } });
      await alice.settles(server);
      await alice.becomes(server, "ACTIVE");
      return NOTHING;
    },
  });
}

async function changeItsPorts(stage: UpdatesStage, { alice }: UpdatesCast, first: ServerRef): Promise<void> {
  const server = { ...first, networks: [alice.network(0), alice.network(1)] };
  let port: PortRef;
  await stage.step({
    title: "attach a NIC in the same network",
    act: async () => {
      port = await alice.attach(server);
      return [changed(server, "Addresses")];
    },
  });
  await stage.step({
    title: "detach it",
    act: async () => {
      await alice.detach(server, port);
      return [changed(server, "Addresses")];
    },
  });
  const second = await alice.makeSecondPort();
  await stage.step({
    title: "attach a port in another network",
    act: async () => {
      await alice.attach(server, second);
      return [changed(server, "Addresses")];
    },
  });
  await stage.step({
    title: "a second fixed address on it",
    act: async () => {
      await alice.addAddress(second, 4);
      return [changed(server, "Addresses")];
    },
  });
  await stage.step({
    title: "IPv6 on it",
    act: async () => {
      await alice.addAddress(second, 6);
      return [changed(server, "Addresses")];
    },
  });
  await stage.step({
    title: "detach it",
    act: async () => {
      await alice.detach(server, second);
      return [changed(server, "Addresses")];
    },
  });
  const main = await alice.portOf(server);
  const [address] = await alice.addressesOf(main);
  await stage.step({
    title: "another address on its only port",
    act: async () => {
      const ip_address = address!.replace(/\d+$/, "250");
      await alice.setPort(main, { fixed_ips: [{ ip_address }] });
      return [changed(server, "Addresses", "IP")];
    },
  });
}

/** Floating IPs, beside changes of the server. */
async function associate(stage: UpdatesStage, { alice }: UpdatesCast, one: ServerRef): Promise<void> {
  let two: ServerRef;
  await stage.step({
    title: "boot another server",
    act: async () => {
      two = await alice.boot({ name: "other-01", nics: [alice.network(0), alice.network(1)] });
      return [came(two)];
    },
  });
  const ip = await alice.makeFloatingIp();
  await stage.step({
    title: "associate, and rename at the same time",
    act: async () => {
      await alice.rename(one, "life-04");
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(one)).id });
      return [began(ip, one), changed(one, "Name")];
    },
  });
  await stage.step({
    title: "other metadata while it has a floating IP",
    act: async () => {
      await alice.setMetadata(one, { owner: "carol" });
      return [changed(one, "Metadata", "Owner")];
    },
  });
  await stage.step({
    title: "move it to the other server",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(two)).id });
      return [ended(ip, one), began(ip, two)];
    },
  });
  await stage.step({
    title: "disassociate, and rename at the same time",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: null });
      await alice.rename(two, "other-02");
      return [ended(ip, two), changed(two, "Name")];
    },
  });
  await stage.step({
    title: "associate again",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(two)).id });
      return [began(ip, two)];
    },
  });
  await stage.step({
    title: "delete a server that changed, with its floating IP",
    act: async () => {
      await alice.delete(two);
      return [ended(ip, two), went(two)];
    },
  });
  await stage.step({
    title: "delete the server that changed most",
    act: async () => {
      await alice.delete(one);
      return [went(one)];
    },
  });
}

/** From host to host. */
async function move(stage: UpdatesStage, { alice, admin, cloud }: UpdatesCast): Promise<void> {
  let server: ServerRef;
  const ip = await alice.makeFloatingIp();
  const hostOf = async () => (await admin.nova("GET", `/servers/${server.id}`)).server["OS-EXT-SRV-ATTR:host"];
  const act = (action: Readonly<Record<string, unknown>>, microversion: string) =>
    admin.nova("POST", `/servers/${server.id}/action`, { body: action, microversion });
  await stage.step({
    title: "boot a server that two hosts can have",
    act: async () => {
      server = await alice.boot({ name: "nomad-01", zone: "zone-retry" });
      return [came(server)];
    },
  });
  await stage.step({
    title: "associate",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(server)).id });
      return [began(ip, server)];
    },
  });
  await stage.step({
    title: "shelve and offload",
    asTold: DNS_NAME,
    act: async () => {
      await alice.act(server, { shelve: null }, "SHELVED_OFFLOADED");
      return [changed(server, "Host", "Status", "Zone")];
    },
  });
  await stage.step({
    title: "rename while it is offloaded",
    asTold: DNS_NAME,
    act: async () => {
      await alice.rename(server, "nomad-02");
      return [changed(server, "Name")];
    },
  });
  await stage.step({
    title: "unshelve",
    asTold: DNS_NAME,
    act: async () => {
      await alice.act(server, { unshelve: null }, "ACTIVE");
      return [changed(server, "Host", "Status", "Zone")];
    },
  });
  await stage.step({
    title: "migrate",
    asTold: DNS_NAME,
    act: async () => {
      await act({ migrate: null }, "2.55");
      await alice.becomes(server, "VERIFY_RESIZE");
      return [changed(server, "Host", "Status")];
    },
  });
  await stage.step({
    title: "confirm it",
    asTold: DNS_NAME,
    act: async () => {
      await alice.act(server, { confirmResize: null }, "ACTIVE");
      await alice.settles(server, "confirmResize");
      return [changed(server, "Status")];
    },
  });
  await stage.step({
    title: "migrate live",
    asTold: DNS_NAME,
    act: async () => {
      const before = await hostOf();
      await act({ "os-migrateLive": { host: null, block_migration: "auto" } }, "2.55");
      await alice.settles(server, "live-migration");
      await alice.becomes(server, "ACTIVE");
      if (await hostOf() === before) throw new Error("The server did not move");
      return [changed(server, "Host")];
    },
  });
  const host = await hostOf();
  await stage.step({
    title: "evacuate from a host that is lost",
    asTold: DNS_NAME,
    act: async () => {
      await cloud.losesHost(host);
      await act({ evacuate: {} }, "2.55");
      await alice.settles(server, "evacuate");
      await alice.becomes(server, "ACTIVE");
      return [changed(server, "Host")];
    },
  });
  await stage.step({
    title: "that host comes back",
    asTold: DNS_NAME,
    act: async () => {
      await cloud.hasHostAgain(host);
      return NOTHING;
    },
  });
  await stage.step({
    title: "delete it",
    asTold: DNS_NAME,
    act: async () => {
      await alice.delete(server);
      return [ended(ip, server), went(server)];
    },
  });
}

/** Changes while an operation runs, and so close to the beginning or the end that nobody is told of them. */
async function hurry(stage: UpdatesStage, { alice, cloud }: UpdatesCast): Promise<void> {
  let server: ServerRef;
  await stage.step({
    title: "boot a server, and rename it at once",
    act: async () => {
      server = await alice.request({ name: "hasty-01" });
      await alice.rename(server, "hasty-02");
      await alice.becomes(server, "ACTIVE");
      return [came(server)];
    },
  });
  await stage.step({
    title: "rebuild it, with another name while that goes on",
    act: async () => {
      await alice.act(server, { rebuild: { imageRef: cloud.inventory.images["windows-2022"] } });
      await alice.rename(server, "hasty-rebuilt");
      await alice.settles(server);
      await alice.becomes(server, "ACTIVE");
      return [changed(server, "ImageID", "OS", "Name")];
    },
  });
  await stage.step({
    title: "detach its only NIC",
    asTold: DNS_NAME,
    act: async () => {
      await alice.detach(server, await alice.portOf(server));
      return [changed(server, "Addresses", "IP", "IPType", "MAC")];
    },
  });
  await stage.step({
    title: "rename it, and delete it at once",
    act: async () => {
      await alice.rename(server, "hasty-03");
      await alice.delete(server);
      return [went(server, "Name")];
    },
  });
}
