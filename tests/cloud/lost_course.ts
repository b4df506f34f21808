// Notifications are lost in every way. oss-watcher finds out by itself what they would have told.
import { restartBroker } from "../../tools/openstack/broker.ts";
import type { PrivateCloud } from "../../tools/openstack/cloud.ts";
import { allUp } from "../../tools/openstack/readiness.ts";
import type { CloudClient } from "../../tools/openstack/rest.ts";
import { COMPUTES } from "../../tools/openstack/settings.ts";
import { progress } from "../../tools/packages.ts";
import { until } from "../support/until.ts";
import type { Cast } from "./cast.ts";
import { seeLess, seeOtherRegions } from "./lost_accounts.ts";
import { restoreTheLedger } from "./lost_ledger.ts";
import { saysNothing } from "./lost_silence.ts";
import { askState, believed, type State, stateDifferences } from "./receiver_state.ts";
import { began, came, ended, type Step, went } from "./step.ts";
import type { FloatingIpRef, PortRef, ServerRef } from "./tenant.ts";
import type { Watch } from "./watch.ts";

export interface LostCast extends Cast {
  readonly admin: CloudClient;
  readonly cloud: PrivateCloud;
}

/** What stays through all of it. */
export interface Stay {
  /** Of Alice. */
  readonly one: ServerRef;
  readonly two: ServerRef;
  /** The ports with which the two came. */
  readonly ports: readonly [PortRef, PortRef];
  /** Of Bob. */
  readonly shop: ServerRef;
  /** Of Alice, on one of her two servers. */
  readonly ip: FloatingIpRef;
}

export async function takeLostCourse(watch: Watch, cast: LostCast): Promise<void> {
  const before = await askState(cast.admin);
  const stay = await begin(watch, cast);
  await loseBroker(watch, cast, stay);
  await loseQueue(watch, cast, stay);
  await seeLess(watch, cast, stay);
  await seeOtherRegions(watch, cast);
  await restoreTheLedger(watch, cast, stay);
  await holdState(watch, before, cast.admin);
  await saysNothing(watch, cast);
  await holdState(watch, before, cast.admin);
}

/** The receiver's state must be the cloud's. */
async function holdState(watch: Watch, before: State, admin: CloudClient): Promise<void> {
  await watch.settle();
  const receiver = believed(before, watch.calls);
  const now = await askState(admin, receiver.servers);
  watch.problems.push(...stateDifferences(receiver, now));
  progress(`  ${now.servers.size} servers, ${now.associations.size} associations: compared with the receiver's`);
}

async function begin(watch: Watch, { alice, bob }: LostCast): Promise<Stay> {
  const servers: ServerRef[] = [];
  await watch.step({
    title: "boot the servers that stay",
    unordered: true,
    act: async () => {
      servers.push(await alice.boot({ name: "stay-01", metadata: { owner: "alice" } }));
      servers.push(await alice.boot({ name: "stay-02", nics: [alice.network(1)] }));
      servers.push(await bob.boot({ name: "shop-01" }));
      return servers.map(came);
    },
  });
  const [one, two, shop] = servers as [ServerRef, ServerRef, ServerRef];
  const ports = [await alice.portOf(one), await alice.portOf(two)] as const;
  const ip = await alice.makeFloatingIp();
  await watch.step({
    title: "associate",
    unordered: true,
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: ports[0].id });
      const other = await bob.makeFloatingIp(await bob.portOf(shop));
      return [began(ip, one), began(other, shop)];
    },
  });
  return { one, two, ports, shop, ip };
}

/** The exchanges of a stock cloud are not durable: the broker loses them, with our bindings. */
async function loseBroker(watch: Watch, cast: LostCast, stay: Stay): Promise<void> {
  const { alice, bob } = cast;
  const { one, two, ports, ip } = stay;
  const { server: going, floatingIp } = await withFloatingIp(watch, alice, "going-01");
  await lost(watch, {
    title: "RabbitMQ is killed while the service hangs",
    before: [one, going],
    act: async () => {
      using _hanging = watch.hang();
      await killBroker(watch, cast);
      const new1 = await alice.boot({ name: "unheard-01", metadata: { owner: "alice", description: "unheard" } });
      const brief = await bob.boot({ name: "brief-01" });
      await alice.setFloatingIp(ip, { port_id: ports[1].id });
      await alice.delete(going);
      await bob.delete(brief);
      await published(alice, new1, going);
      await published(bob, brief);
      return [came(new1), ended(ip, one), began(ip, two), ended(floatingIp, going), went(going)];
    },
  });
  await watch.step({
    title: "RabbitMQ is killed while a request is on its way",
    before: [two],
    unordered: true,
    act: async () => {
      let moving = Promise.resolve();
      await killBroker(watch, cast, () => moving = alice.setFloatingIp(ip, { port_id: ports[0].id }));
      await moving;
      const server = await bob.boot({ name: "unheard-02" });
      return [ended(ip, two), began(ip, one), came(server)];
    },
  });
}

/** Resolves when Nova and Neutron work again. */
async function killBroker({ queue }: Watch, { cloud, admin }: LostCast, act = () => {}): Promise<void> {
  await restartBroker(cloud.rabbit, { except: queue, act });
  // A report that was lost is repeated after a minute, and the host counts as down until then.
  const since = new Date();
  await until(() => allUp(admin, COMPUTES.slice(0, 1), since), 180_000);
}

/** The queue is deleted while the service is stopped. */
async function loseQueue(watch: Watch, { alice, bob, cloud: { rabbit } }: LostCast, stay: Stay): Promise<void> {
  const { one, two, ports, ip } = stay;
  const { server: going, floatingIp } = await withFloatingIp(watch, bob, "going-02");
  await lost(watch, {
    title: "the service is stopped, and its queue deleted",
    before: [one, going],
    act: async () => {
      await watch.stop();
      await rabbit.ctl("delete_queue", watch.queue);
      const server = await alice.boot({ name: "unheard-03", nics: [alice.network(0), alice.network(1)] });
      const second = await bob.boot({ name: "unheard-04", image: "windows-2022", flavor: "m1.small" });
      const fresh = await bob.makeFloatingIp(await bob.portOf(second));
      await bob.delete(going);
      await bob.deleteFloatingIp(floatingIp);
      // There and back: for a receiver that is no news.
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(server)).id });
      await alice.setFloatingIp(ip, { port_id: ports[0].id });
      await alice.act(two, { reboot: { type: "HARD" } }, "ACTIVE");
      await published(alice, server, two);
      await published(bob, second, going);
      await watch.listen();
      return [came(server), came(second), began(fresh, second), ended(floatingIp, going), went(going)];
    },
  });
  const own = await alice.makePort();
  await alice.attach(two, own);
  let onOwn: FloatingIpRef;
  await watch.step({
    title: "associate with a port that was attached later",
    asCreated: ["Addresses"],
    act: async () => {
      onOwn = await alice.makeFloatingIp(own);
      return [began(onOwn, two)];
    },
  });
  await lost(watch, {
    title: "stopped and deleted again: a floating IP moves twice, another one with its port",
    before: [one, two],
    asCreated: ["Addresses"],
    // Two of them on one server are told one after the other.
    except: ["FloatingIPs"],
    act: async () => {
      await watch.stop();
      await rabbit.ctl("delete_queue", watch.queue);
      await alice.detach(two, own);
      await alice.attach(one, own);
      const server = await alice.boot({ name: "unheard-05" });
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(server)).id });
      await alice.setFloatingIp(ip, { port_id: ports[1].id });
      await alice.delete(server);
      await published(alice, server, one, two);
      await watch.listen();
      return [ended(ip, one), began(ip, two), ended(onOwn, two), began(onOwn, one)];
    },
  });
  await watch.step({
    title: "what is heard again",
    before: [two],
    asCreated: ["Addresses"],
    except: ["FloatingIPs"],
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: ports[0].id });
      return [ended(ip, two), began(ip, one)];
    },
  });
}

/** A server with a floating IP, of which the receiver knows. */
async function withFloatingIp(
  watch: Watch,
  tenant: Cast["alice"],
  name: string,
): Promise<{ readonly server: ServerRef; readonly floatingIp: FloatingIpRef }> {
  let server: ServerRef;
  let floatingIp: FloatingIpRef;
  await watch.step({
    title: `boot ${name}`,
    act: async () => {
      server = await tenant.boot({ name });
      return [came(server)];
    },
  });
  await watch.step({
    title: `associate with ${name}`,
    act: async () => {
      floatingIp = await tenant.makeFloatingIp(await tenant.portOf(server));
      return [began(floatingIp, server)];
    },
  });
  return { server: server!, floatingIp: floatingIp! };
}

/** Waits until all is published that Nova says of servers: it does so after it shows the change. */
export async function published(tenant: Cast["alice"], ...servers: readonly ServerRef[]): Promise<void> {
  for (const server of servers) await tenant.settles(server);
}

/** A step all of whose events only a comparison can tell. */
export async function lost(watch: Watch, step: Omit<Step, "unordered" | "isFound">): Promise<void> {
  const before = await watch.found();
  const events = watch.events;
  await watch.step({ ...step, unordered: true, isFound: true });
  const [found, wanted] = [await watch.found() - before, watch.events - events];
  if (found !== wanted) watch.problems.push(`${step.title}: comparisons have found ${found} events, not ${wanted}`);
}
