// Associations that begin and end in every way, and the events that must come of it, written by hand.
import { METADATA, type Pair } from "./cast.ts";
import { began, came, ended, type Expected, went } from "./step.ts";
import type { ServerRef, Tenant } from "./tenant.ts";
import type { Watch } from "./watch.ts";

export async function takeFloatingIpCourse(watch: Watch, alice: Tenant, pair: Pair): Promise<void> {
  await associate(watch, alice, pair);
  await ownPorts(watch, alice, pair[0]);
  await detach(watch, alice, pair[1]);
  await endWithTheServer(watch, alice, pair);
}

const NOTHING: readonly Expected[] = [];

async function associate(watch: Watch, alice: Tenant, [one, two]: Pair): Promise<void> {
  const port = await alice.portOf(one);
  const ip = await alice.makeFloatingIp();
  await watch.step({
    title: "create a floating IP and edit it while it is free",
    act: async () => {
      await alice.setFloatingIp(ip, { description: "free" });
      return NOTHING;
    },
  });
  await watch.step({
    title: "associate",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: port.id });
      return [began(ip, one)];
    },
  });
  await watch.step({
    title: "edit an associated floating IP, associate it again where it is",
    act: async () => {
      await alice.setFloatingIp(ip, { description: "only this changed" });
      await alice.setFloatingIp(ip, { port_id: port.id });
      return NOTHING;
    },
  });
  const other = await alice.portOf(two);
  await watch.step({
    title: "move to another server",
    before: [one],
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: other.id });
      return [ended(ip, one), began(ip, two)];
    },
  });
  await watch.step({
    title: "disassociate",
    before: [two],
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: null });
      return [ended(ip, two)];
    },
  });
  await watch.step({
    title: "associate with Nova's old action",
    act: async () => {
      await alice.act(one, { addFloatingIp: { address: ip.address } });
      return [began(ip, one)];
    },
  });
  await watch.step({
    title: "disassociate with Nova's old action",
    before: [one],
    act: async () => {
      await alice.act(one, { removeFloatingIp: { address: ip.address } });
      return [ended(ip, one)];
    },
  });
  await watch.step({
    title: "delete a free floating IP",
    act: async () => {
      await alice.deleteFloatingIp(ip);
      return NOTHING;
    },
  });
  const atOnce = await alice.makeFloatingIp(port);
  await watch.step({
    title: "associate at creation",
    act: () => Promise.resolve([began(atOnce, one)]),
  });
  await watch.step({
    title: "delete an associated floating IP",
    before: [one],
    act: async () => {
      await alice.deleteFloatingIp(atOnce);
      return [ended(atOnce, one)];
    },
  });
}

/** A port of the user's own, that outlives its servers. */
async function ownPorts(watch: Watch, alice: Tenant, one: ServerRef): Promise<void> {
  const port = await alice.makePort(2);
  const [address, second] = await alice.addressesOf(port);
  const ip = await alice.makeFloatingIp();
  await watch.step({
    title: "associate with a port that belongs to no server",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: port.id, fixed_ip_address: address });
      return NOTHING;
    },
  });
  let server: ServerRef;
  await watch.step({
    title: "boot a server on a port that has a floating IP",
    unordered: true,
    isEarly: true,
    act: async () => {
      server = await alice.boot({ name: "prepared-01", nics: [port], metadata: METADATA });
      return [began(ip, server), came(server)];
    },
  });
  await watch.step({
    title: "another fixed address of the same port",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: port.id, fixed_ip_address: second });
      return NOTHING;
    },
  });
  await watch.step({
    title: "delete a server with a user's port",
    before: [server!],
    act: async () => {
      await alice.delete(server);
      return [ended(ip, server), went(server)];
    },
  });
  let next: ServerRef;
  await watch.step({
    title: "boot another server on the port that was left",
    unordered: true,
    isEarly: true,
    act: async () => {
      next = await alice.boot({ name: "prepared-02", nics: [port] });
      return [began(ip, next), came(next)];
    },
  });
  await watch.step({
    title: "detach a user's port",
    before: [next!],
    act: async () => {
      await alice.detach(next, port);
      return [ended(ip, next)];
    },
  });
  await watch.step({
    title: "attach the port to a running server",
    asCreated: ["Addresses"],
    act: async () => {
      await alice.attach(one, port);
      return [began(ip, one)];
    },
  });
  await watch.step({
    title: "detach it again",
    asCreated: ["Addresses"],
    before: [one],
    act: async () => {
      await alice.detach(one, port);
      return [ended(ip, one)];
    },
  });
  await watch.step({
    title: "delete a server that has no port any more",
    before: [next!],
    act: async () => {
      await alice.delete(next);
      return [went(next)];
    },
  });
  await watch.step({
    title: "delete the port, then the floating IP, of no server",
    act: async () => {
      await alice.deletePort(port);
      await alice.deleteFloatingIp(ip);
      return NOTHING;
    },
  });
}

/** A port that goes from under a running server. */
async function detach(watch: Watch, alice: Tenant, two: ServerRef): Promise<void> {
  const ip = await alice.makeFloatingIp();
  const attached = await alice.attach(two);
  await watch.step({
    title: "associate with a port that was attached later",
    asCreated: ["Addresses"],
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: attached.id });
      return [began(ip, two)];
    },
  });
  await watch.step({
    title: "detach Nova's port",
    asCreated: ["Addresses"],
    before: [two],
    act: async () => {
      await alice.detach(two, attached);
      return [ended(ip, two)];
    },
  });
  const own = await alice.makePort();
  let server: ServerRef;
  await watch.step({
    title: "boot a server on a user's port",
    act: async () => {
      server = await alice.boot({ name: "on-own-port", nics: [own] });
      return [came(server)];
    },
  });
  await watch.step({
    title: "associate with it",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: own.id });
      return [began(ip, server)];
    },
  });
  await watch.step({
    title: "delete the port under a running server",
    before: [server!],
    act: async () => {
      await alice.deletePortInUse(own);
      return [ended(ip, server)];
    },
  });
  await alice.deleteFloatingIp(ip);
}

async function endWithTheServer(watch: Watch, alice: Tenant, [one, two]: Pair): Promise<void> {
  const ip = await alice.makeFloatingIp();
  await watch.step({
    title: "associate before the server goes",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(two)).id });
      return [began(ip, two)];
    },
  });
  await watch.step({
    title: "delete a server with Nova's port",
    before: [two],
    act: async () => {
      await alice.delete(two);
      return [ended(ip, two), went(two)];
    },
  });
  await watch.step({
    title: "associate what was left",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(one)).id });
      return [began(ip, one)];
    },
  });
}
