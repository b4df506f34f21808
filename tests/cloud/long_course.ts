// What else happens to servers: most of it is no event.
import type { PrivateCloud } from "../../tools/openstack/cloud.ts";
import type { CloudClient } from "../../tools/openstack/rest.ts";
import type { Cast } from "./cast.ts";
import { GONE, type ServerRef } from "./tenant.ts";
import { IDENTITY } from "./judge.ts";
import { began, came, ended, went } from "./step.ts";
import type { Watch } from "./watch.ts";

/**
 * Fields of the server that only messages of its own bring up to date: an association's has none. Its name is the one
 * with which it came: Nova of 2025.1 takes it from the ports of a server that it offloads, and never gives it back.
 */
const OF_THE_SERVER = [
  "FQDN",
  ...["Metadata", "Owner", "AdditionalUsers", "ApplicationName", "EnvironmentCI", "Description"],
];

interface LongCast extends Cast {
  readonly admin: CloudClient;
  readonly cloud: PrivateCloud;
}

export async function takeLongCourse(watch: Watch, cast: LongCast): Promise<void> {
  await live(watch, cast);
  await failToCome(watch, cast);
  await goOtherwise(watch, cast);
  await goByForce(watch, cast);
}

/** Everything that a server can live through without coming or going. */
async function live(watch: Watch, { alice, cloud, admin }: LongCast): Promise<void> {
  const { images, flavors } = cloud.inventory;
  const ip = await alice.makeFloatingIp();
  let server: ServerRef;
  await watch.step({
    title: "boot a server with a long life",
    act: async () => {
      server = await alice.boot({ name: "long-life", metadata: { owner: "alice" }, description: "as it came" });
      return [came(server)];
    },
  });
  await watch.step({
    title: "pause, suspend, reboot, shelve, lock, and back",
    act: async () => {
      await alice.act(server, { pause: null }, "PAUSED");
      await alice.act(server, { unpause: null }, "ACTIVE");
      await alice.act(server, { suspend: null }, "SUSPENDED");
      await alice.act(server, { resume: null }, "ACTIVE");
      await alice.act(server, { reboot: { type: "HARD" } }, "ACTIVE");
      await alice.act(server, { shelve: null }, "SHELVED_OFFLOADED");
      await alice.act(server, { unshelve: null }, "ACTIVE");
      await alice.act(server, { lock: null });
      await alice.act(server, { unlock: null });
      return [];
    },
  });
  await watch.step({
    title: "other metadata",
    act: async () => {
      await alice.setMetadata(server, { owner: "bob", description: "as it is" });
      return [];
    },
  });
  await watch.step({
    title: "associate after the metadata changed",
    asCreated: OF_THE_SERVER,
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(server)).id });
      return [began(ip, server)];
    },
  });
  await watch.step({
    title: "give a floating IP a QoS policy",
    act: async () => {
      const { policy } = await admin.neutron("POST", "/qos/policies", { policy: { name: "slow", shared: true } });
      await alice.setFloatingIp(ip, { qos_policy_id: policy.id });
      return [];
    },
  });
  await watch.step({
    title: "resize, rebuild with another image",
    act: async () => {
      await alice.act(server, { resize: { flavorRef: flavors["c2.large"] } }, "VERIFY_RESIZE");
      await alice.act(server, { confirmResize: null }, "ACTIVE");
      await alice.settles(server);
      await alice.act(server, { rebuild: { imageRef: images["windows-2022"] } });
      // Nothing says that it has begun.
      await alice.becomes(server, "ACTIVE");
      await alice.settles(server);
      return [];
    },
  });
  await watch.step({
    title: "delete it",
    before: [server!],
    asCreated: [...OF_THE_SERVER, "OS", "ImageID", "Storage", "Ram", "CPU"],
    act: async () => {
      await alice.delete(server);
      return [ended(ip, server), went(server)];
    },
  });
}

/** Hosts that refuse. */
async function failToCome(watch: Watch, { alice }: LongCast): Promise<void> {
  let aborted: ServerRef;
  await watch.step({
    title: "boot a server that its host gives up",
    act: async () => {
      aborted = await alice.request({ name: "aborted", zone: "zone-abort" });
      await alice.becomes(aborted, "ERROR");
      return [];
    },
  });
  await watch.step({
    title: "delete it in ERROR",
    before: [aborted!],
    // It had a port, which Neutron's messages told of, and which went when the host gave up.
    except: IDENTITY,
    act: async () => {
      await alice.delete(aborted);
      return [went(aborted)];
    },
  });
  let second: ServerRef;
  await watch.step({
    title: "boot a server that the second host takes",
    act: async () => {
      second = await alice.boot({ name: "second-try", zone: "zone-retry" });
      return [came(second)];
    },
  });
  await watch.step({
    title: "delete it",
    before: [second!],
    act: async () => {
      await alice.delete(second);
      return [went(second)];
    },
  });
}

async function goOtherwise(watch: Watch, { alice, bob, admin }: LongCast): Promise<void> {
  let server: ServerRef;
  await watch.step({
    title: "boot a server for an administrator to delete",
    act: async () => {
      server = await bob.boot({ name: "unwanted" });
      return [came(server)];
    },
  });
  await watch.step({
    title: "delete a server as administrator of another project",
    before: [server!],
    act: async () => {
      await admin.nova("DELETE", `/servers/${server.id}`);
      await bob.becomes(server, GONE);
      return [went(server)];
    },
  });
  let shelved: ServerRef;
  await watch.step({
    title: "boot a server without a network",
    act: async () => {
      shelved = await alice.boot({ name: "lonely", nics: [] });
      return [came(shelved)];
    },
  });
  await watch.step({
    title: "delete it when no host has it",
    before: [shelved!],
    act: async () => {
      await alice.act(shelved, { shelve: null }, "SHELVED_OFFLOADED");
      await alice.delete(shelved);
      return [went(shelved)];
    },
  });
}

/** Nova's API deletes what no compute host can: it then says so by other messages, and in its older format alone. */
async function goByForce(watch: Watch, { alice, admin, cloud }: LongCast): Promise<void> {
  let stranded: ServerRef;
  await watch.step({
    title: "boot a server whose host will be lost",
    act: async () => {
      stranded = await alice.boot({ name: "stranded", zone: "zone-retry" });
      return [came(stranded)];
    },
  });
  const ip = await alice.makeFloatingIp();
  await watch.step({
    title: "associate",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(stranded)).id });
      return [began(ip, stranded)];
    },
  });
  const { server } = await admin.nova("GET", `/servers/${stranded!.id}`);
  const host = server["OS-EXT-SRV-ATTR:host"];
  await watch.step({
    title: "delete it by force while its host is down",
    before: [stranded!],
    act: async () => {
      await cloud.losesHost(host);
      await alice.act(stranded, { forceDelete: null }, GONE);
      return [ended(ip, stranded), went(stranded)];
    },
  });
  await watch.step({
    title: "its host comes back, and finds it gone",
    act: async () => {
      await cloud.hasHostAgain(host);
      return [];
    },
  });
  let shelved: ServerRef;
  await watch.step({
    title: "boot a server that will be shelved",
    act: async () => {
      shelved = await alice.boot({ name: "shelved" });
      return [came(shelved)];
    },
  });
  await watch.step({
    title: "delete it by force when no host has it",
    before: [shelved!],
    act: async () => {
      await alice.act(shelved, { shelve: null }, "SHELVED_OFFLOADED");
      await alice.act(shelved, { forceDelete: null }, GONE);
      return [went(shelved)];
    },
  });
}
