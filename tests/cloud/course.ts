// What is done to the cloud, and what must come of it, written by hand.
import { began, came, ended, type Expected, type Watch, went } from "./watch.ts";
import type { ServerRef, Tenant } from "./tenant.ts";

export interface Cast {
  /** Of one project. */
  readonly alice: Tenant;
  /** Of another. */
  readonly bob: Tenant;
  /** Of Bob's project, too. */
  readonly carol: Tenant;
}

const METADATA = {
  owner: "alice",
  additional_users: "bob,carol",
  application_name: "Beam Control",
  environment_ci: "CI-4711",
  serviceNowId: "SN0001234",
};

const HOSTILE = {
  Owner: "alice,dc=example",
  additional_users: " bob ;; carol,,bob,*)(uid=*",
  description: 'line "one" \\ <b>\r\nBcc: all@example.org \u001b[2J',
  application_name: "ünïcode – ✓",
  empty: "",
  long: "v".repeat(255),
  __proto__x: "{{7*7}} $(id) `id`",
  "a b:c_d-e.f": "key with odd characters",
};

const NOTHING: readonly Expected[] = [];

/** Servers and floating IPs of two projects come and go in all the ways that the design lists. */
export async function takeCourse(watch: Watch, { alice, bob, carol }: Cast): Promise<void> {
  const first = await comeAndGo(watch, { alice, bob });
  await associate(watch, alice, first);
  await ownPorts(watch, alice, first[0]);
  await detach(watch, alice, first[1]);
  await endWithTheServer(watch, alice, first);
  await change(watch, { alice, bob, carol });
}

type Pair = readonly [ServerRef, ServerRef];

/** Two servers of Alice that stay for the rest, others that come and go. */
async function comeAndGo(watch: Watch, { alice, bob }: Pick<Cast, "alice" | "bob">): Promise<Pair> {
  const pair: ServerRef[] = [];
  await watch.step({
    title: "boot a server, with metadata",
    act: async () => {
      const description = "Beam control, room 4";
      pair.push(await alice.boot({ name: "beam-ctl-01", flavor: "m1.small", metadata: METADATA, description }));
      return [came(pair[0]!)];
    },
  });
  await watch.step({
    title: "boot a server with two NICs, one of them dual-stack",
    act: async () => {
      const nics = [alice.network(0), alice.network(1)];
      pair.push(await alice.boot({ name: "Beam CTL 02", image: "plain-image", flavor: "c2.large", nics }));
      return [came(pair[1]!)];
    },
  });
  let hostile: ServerRef;
  await watch.step({
    title: "boot a server of another project, with a hostile name, metadata and description",
    act: async () => {
      const name = 'a,b=c*)(uid=*"; DROP TABLE hosts; -- <script>$(id)`id`';
      const form = { image: "windows-2022", metadata: HOSTILE, description: "naïve ☃ description" };
      hostile = await bob.boot({ name, ...form });
      return [came(hostile)];
    },
  });
  await watch.step({
    title: "associate a floating IP of the other project",
    act: async () => [began(await bob.makeFloatingIp(await bob.portOf(hostile)), hostile)],
  });
  await watch.step({
    title: "boot three with one request",
    unordered: true,
    act: async () => (await bob.bootMany({ name: "batch" }, 3)).map(came),
  });
  return [pair[0]!, pair[1]!];
}

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
      await alice.deletePort(own);
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

/** What changes a server's data in its life, and who deletes it. */
async function change(watch: Watch, { alice, bob, carol }: Cast): Promise<void> {
  let server: ServerRef;
  await watch.step({
    title: "boot a server that will change",
    act: async () => {
      server = await alice.boot({ name: "changing", metadata: METADATA, description: "before" });
      return [came(server)];
    },
  });
  await watch.step({
    title: "rename, other metadata, stop, start",
    act: async () => {
      await alice.rename(server, "changed");
      await alice.setMetadata(server, { OWNER: "bob", description: "as changed" });
      await alice.act(server, { "os-stop": null }, "SHUTOFF");
      await alice.act(server, { "os-start": null }, "ACTIVE");
      return NOTHING;
    },
  });
  await watch.step({
    title: "delete a server that changed",
    before: [server!],
    act: async () => {
      await alice.delete(server);
      return [went(server)];
    },
  });
  let carols: ServerRef;
  await watch.step({
    title: "boot a server by another user of the project",
    act: async () => {
      carols = await carol.boot({ name: "shop-02" });
      return [came(carols)];
    },
  });
  await watch.step({
    title: "delete a server by another user than its owner",
    before: [carols!],
    act: async () => {
      await bob.delete(carols);
      return [went(carols)];
    },
  });
  let stillborn: ServerRef;
  await watch.step({
    title: "boot a server that no host can have",
    act: async () => {
      stillborn = await alice.request({ name: "too-big", flavor: "x9.huge" });
      await alice.becomes(stillborn, "ERROR");
      return NOTHING;
    },
  });
  await watch.step({
    title: "delete a server that never had a host",
    before: [stillborn!],
    act: async () => {
      await alice.delete(stillborn);
      return [went(stillborn)];
    },
  });
}
