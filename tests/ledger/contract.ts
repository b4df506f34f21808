/**
 * What every ledger must do, whatever it stands on.
 *
 * @module
 */

import { deepStrictEqual as assertEquals, rejects as assertRejects } from "node:assert/strict";
import fc from "fast-check";
import { makeDetail } from "../../src/detail/make_detail.ts";
import type { Arrival, Delivery, ImmediateMaker, Ledger, Rejection } from "../../src/model/ledger.ts";
import {
  announceEvents,
  decideEvents,
  decisionOf,
  detailEvents,
  detailOf,
  madeEvent,
  madeMemory,
  madeNotification,
  madeServer,
  NO_CHANGES,
  promptDetail,
  settlementOf,
} from "../support/made_events.ts";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { Gap } from "../../src/model/gap.ts";
import type { ServerMemory } from "../../src/model/memory.ts";
import type { LedgerOperations } from "../../src/model/operations.ts";
import { LedgerModel } from "./ledger_model.ts";

/** A ledger of its own for one test. */
export interface LedgerUnderTest extends AsyncDisposable {
  readonly ledger: Ledger;
  /** Its time, milliseconds since the epoch. */
  now: number;
  /** Ends the process that writes it and starts another, where anything outlives the process. */
  reopen?(): Promise<void>;
  /** What an operator may do, where there is something to operate on. */
  operations?(): LedgerOperations | Promise<LedgerOperations>;
}

export interface LedgerContract {
  readonly name: string;
  readonly open: () => Promise<LedgerUnderTest>;
  /** Whether a call sees what calls before it write, without waiting for them. @default true */
  readonly isSequential?: boolean;
  /** When a delivery that was never tried is due, given the time of the decision. */
  readonly firstDueAt: (decidedAt: number) => number;
  /** Random histories that it is compared with its model in. @default 150 */
  readonly histories?: number;
}

const NOW = Date.UTC(2026, 10, 21);
const REJECTION: Rejection = {
  reason: "no message id",
  size: 2,
  sha256: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  exchange: "nova",
  routingKey: "notifications.info",
  body: null,
};

function arrivals(...messageIds: readonly string[]): Arrival[] {
  return messageIds.map((id) => ({ receivedAt: NOW, notification: madeNotification(id) }));
}

/** Registers the tests of one implementation. */
export function testLedger({ name, open, firstDueAt, histories, isSequential = true }: LedgerContract): void {
  const test = (does: string, body: (opened: LedgerUnderTest) => Promise<void>) =>
    Deno.test(`${name}.${does}`, async () => {
      await using opened = await open();
      opened.now = NOW;
      await body(opened);
    });

  test("record() counts what is new when messages repeat", async ({ ledger }) => {
    assertEquals(await ledger.record(arrivals("a", "b", "a")), 2);
    assertEquals(await ledger.record(arrivals("b", "c")), 1);
    assertEquals(await ledger.record([]), 0);
    assertEquals(await decidedIds(ledger), ["a", "b", "c"]);
  });

  test("record() knows a message again by its id and the time that it gave, if any", async ({ ledger }) => {
    const copy = (id: string, time: string, isTimeless?: boolean): Arrival => {
      return { receivedAt: NOW, notification: { ...madeNotification(id), time }, isTimeless: isTimeless ?? false };
    };
    const [first, later] = ["2026-11-21T18:59:38.385Z", "2026-11-21T19:00:00.000Z"];
    assertEquals(await ledger.record([copy("a", first), copy("a", later), copy("a", first)]), 2);
    assertEquals(await ledger.record([copy("b", first, true), copy("b", later, true), copy("a", later)]), 1);
    assertEquals(await decidedIds(ledger), ["a", "a", "b"]);
    assertEquals(await ledger.record([copy("b", later, true), copy("a", first)]), 0);
  });

  const testSequential: typeof test = (does, body) => isSequential && test(does, body);

  testSequential(
    "record() and decide() at once keep the recorded order; what cannot be decided yet waits behind that",
    async (opened) => {
      await opened.ledger.record(arrivals("a"));
      const seen: string[] = [];
      const [recorded, decided] = await Promise.all([
        opened.ledger.record(arrivals("b", "c", "b", "d")),
        opened.ledger.decide(9, ({ messageId }) => {
          if (messageId === "c") return null;
          seen.push(messageId);
          return decisionOf([madeEvent(`${messageId}/creation`, [messageId])]);
        }),
      ]);
      assertEquals([recorded, decided, seen], [3, 2, ["a", "b"]]);
      await opened.reopen?.();
      assertEquals(await opened.ledger.record(arrivals("b", "c", "d", "e")), 1);
      assertEquals(await decidedIds(opened.ledger), ["c", "d", "e"]);
      assertEquals((await opened.ledger.undetailed(9)).map(({ event }) => event.key), ["a/creation", "b/creation"]);
    },
  );

  test("record() counts rejections, which are never decided", async ({ ledger }) => {
    assertEquals(await ledger.record([{ receivedAt: NOW, rejection: REJECTION }, ...arrivals("a")]), 2);
    assertEquals(await decidedIds(ledger), ["a"]);
  });

  test("record() ignores a message that was decided long ago", async ({ ledger }) => {
    await ledger.record(arrivals("a"));
    await decidedIds(ledger);
    assertEquals(await ledger.record(arrivals("a")), 0);
    assertEquals(await decidedIds(ledger), []);
  });

  test("openGaps() gives what recordGap() was told, without what has ended", async (opened) => {
    const source = { queue: "oss-watcher", brokers: "rabbit-1:5672,rabbit-2:5672" };
    const possible: Gap = { source, exchange: "nova", from: NOW, to: null, certainty: "possible" };
    const watched: Gap = {
      ...possible,
      source: { ...source, queue: "monitoring.info" },
      exchange: null,
      from: NOW - 1,
    };
    const other: Gap = { ...possible, exchange: "neutron" };
    const later: Gap = { ...possible, from: NOW + 5 };
    const ended: Gap = { ...possible, to: NOW + 2, certainty: "lost" };
    for (const gap of [possible, other, watched, later]) await opened.ledger.recordGap(gap);
    assertEquals(await opened.ledger.openGaps(), [watched, possible, other, later]);
    await Promise.all([ended, { ...later, certainty: "lost" } as const].map((gap) => opened.ledger.recordGap(gap)));
    await opened.reopen?.();
    assertEquals(await opened.ledger.openGaps(), [watched, other, { ...later, certainty: "lost" }]);
    await using operations = await opened.operations?.();
    if (operations !== undefined) {
      assertEquals(await operations.gaps(), [watched, ended, other, { ...later, certainty: "lost" }]);
    }
  });

  test("decide() takes at most the limit, in recorded order", async ({ ledger }) => {
    await ledger.record(arrivals("c", "a", "b"));
    assertEquals(await decidedIds(ledger, 2), ["c", "a"]);
    assertEquals(await decidedIds(ledger, 2), ["b"]);
    assertEquals(await decidedIds(ledger, 2), []);
  });

  test("decide() shows each notification what the ones before it taught", async ({ ledger }) => {
    await ledger.record(arrivals("a", "b", "c"));
    const seen: unknown[] = [];
    const decider: Parameters<Ledger["decide"]>[1] = ({ messageId }, memory, isProbe = false) => {
      if (!isProbe) seen.push(memory.server("s")?.deleted);
      const servers = [madeMemory("s", { deleted: messageId === "b" })];
      return decisionOf([], { changes: { ...NO_CHANGES, servers } });
    };
    await ledger.decide(2, decider);
    await ledger.decide(2, decider);
    assertEquals(seen, [undefined, false, true]);
  });

  test("decide() leaves undecided what the decider throws on", async ({ ledger }) => {
    await ledger.record(arrivals("a", "b"));
    const broken: Parameters<Ledger["decide"]>[1] = () => {
      throw new RangeError("broken");
    };
    await assertRejects(() => ledger.decide(1, broken), RangeError);
    assertEquals(await ledger.undetailed(9), []);
    assertEquals(await decidedIds(ledger), ["a", "b"]);
  });

  test("decide() leaves undecided what cannot be decided yet, and all behind it", async ({ ledger }) => {
    await ledger.record(arrivals("a", "b", "c"));
    const servers = [madeMemory("s", { deleted: false })];
    const decided = await ledger.decide(
      9,
      ({ messageId }) => messageId === "b" ? null : decisionOf([], { changes: { ...NO_CHANGES, servers } }),
    );
    assertEquals(decided, 1);
    assertEquals(await ledger.decide(9, () => null), 0);
    assertEquals(await decidedIds(ledger), ["b", "c"]);
    assertEquals((await memoryOf(ledger, "s"))?.id, "s");
  });

  test("prime() remembers, announces nothing, and knows how far it is", async (opened) => {
    const { ledger } = opened;
    await ledger.activate(["p"]);
    assertEquals(await ledger.priming(), []);
    const half = { listing: "servers", next: "s", done: false, count: 1 } as const;
    const changes = { ...NO_CHANGES, servers: [madeMemory("s", { deleted: false })] };
    await ledger.prime(() => ({ changes, progress: half }));
    await opened.reopen?.();
    assertEquals(await opened.ledger.priming(), [half]);
    assertEquals((await memoryOf(opened.ledger, "s"))?.id, "s");
    const ports = { listing: "ports", next: null, done: true, count: 0 } as const;
    const whole = { listing: "servers", next: null, done: true, count: 1 } as const;
    for (const progress of [ports, whole]) await opened.ledger.prime(() => ({ changes: NO_CHANGES, progress }));
    assertEquals(await opened.ledger.priming(), [ports, whole]);
    assertEquals(await opened.ledger.undetailed(9), []);
  });

  test("prime() shows what is remembered, and keeps nothing of what fails", async ({ ledger }) => {
    await remember(ledger, madeMemory("s", { deleted: true }));
    let seen: unknown;
    const failing = ledger.prime((memory) => {
      seen = memory.server("s")?.deleted;
      throw new RangeError("broken");
    });
    await assertRejects(() => failing, RangeError);
    assertEquals(seen, true);
    assertEquals(await ledger.priming(), []);
  });

  test("decide() makes one event of a key, whatever is decided", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await decideEvents(ledger, [madeEvent("s/1", ["a"])]);
    await ledger.record(arrivals("again"));
    assertEquals(await ledger.decide(1, () => decisionOf([madeEvent("s/1", ["b"]), madeEvent("s/2", ["b"])])), 1);
    assertEquals((await ledger.undetailed(9)).map(({ event }) => event.key), ["s/1", "s/2"]);
    await detailEvents(ledger);
    assertEquals(await keys(ledger, "p"), ["s/1", "s/2"]);
  });

  test("memory lists a server's ports and floating IPs in the order of their last change", async ({ ledger }) => {
    const port = (id: string) => ({
      id,
      serverId: null,
      lastServerId: "s",
      mac: null,
      fixedAddresses: [],
      dnsName: null,
      dnsHostname: null,
      revision: null,
      deleted: id === "p3",
    });
    const floatingIp = (id: string) => ({
      id,
      address: "192.0.2.1",
      projectId: null,
      portId: "p1",
      fixedAddress: null,
      revision: 4,
      deleted: false,
      transitions: 1,
      association: { portId: "p1", serverId: "s", fixedAddress: null, mac: null },
    });
    await ledger.record(arrivals("a", "b", "c"));
    const changes = new Map([
      ["a", {
        servers: [],
        ports: [port("p1"), port("p2"), port("p3")],
        floatingIps: [floatingIp("f2"), floatingIp("f1")],
      }],
      ["b", { servers: [], ports: [port("p2"), port("p1")], floatingIps: [floatingIp("f2")] }],
      ["c", NO_CHANGES],
    ]);
    let found: unknown;
    await ledger.decide(3, ({ messageId }, memory) => {
      found = [memory.portsOfServer("s"), memory.floatingIpsOnPort("p1"), memory.floatingIpsOfServer("s")];
      return decisionOf([], { changes: changes.get(messageId)! });
    });
    const floatingIps = [floatingIp("f1"), floatingIp("f2")];
    assertEquals(found, [[port("p3"), port("p2"), port("p1")], floatingIps, floatingIps]);
  });

  test("memory forgets where a floating IP was once it is elsewhere", async ({ ledger }) => {
    const floatingIp = (portId: string | null) => ({
      id: "f",
      address: "192.0.2.1",
      projectId: null,
      portId,
      fixedAddress: null,
      revision: null,
      deleted: false,
      transitions: 1,
      association: portId === null ? null : { portId, serverId: "s", fixedAddress: null, mac: null },
    });
    await ledger.record(arrivals("a", "b", "c"));
    const found: unknown[] = [];
    await ledger.decide(3, ({ messageId }, memory, isProbe = false) => {
      if (!isProbe) found.push([memory.floatingIpsOnPort("p1").length, memory.floatingIpsOfServer("s").length]);
      return decisionOf([], { changes: { ...NO_CHANGES, floatingIps: [floatingIp(messageId === "a" ? "p1" : null)] } });
    });
    assertEquals(found, [[0, 0], [1, 1], [0, 0]]);
  });

  test("undetailed() gives events until their details are stored", async ({ ledger }) => {
    await decideEvents(ledger, [madeEvent("s/1"), madeEvent("s/2"), madeEvent("s/3")]);
    const [first, second] = await ledger.undetailed(2);
    assertEquals([first?.event, second?.event], [madeEvent("s/1"), madeEvent("s/2")]);
    await ledger.storeDetails([detailOf(second!.seq, second!.event)]);
    assertEquals((await ledger.undetailed(9)).map(({ event }) => event.key), ["s/1", "s/3"]);
  });

  test("undetailed() gives what is behind an event", async ({ ledger }) => {
    await decideEvents(ledger, [madeEvent("s/1"), madeEvent("s/2"), madeEvent("s/3")]);
    const [first, second] = await ledger.undetailed(2);
    const after = async (seq: number) => (await ledger.undetailed(1, seq)).map(({ event }) => event.key);
    assertEquals(await after(first!.seq), ["s/2"]);
    assertEquals(await after(second!.seq - 1), ["s/2"]);
    assertEquals(await after(second!.seq + 1000), []);
  });

  test("undetailed() tells what is remembered of each event's server by now", async ({ ledger }) => {
    await remember(ledger, madeMemory("s", { snapshot: madeServer("s", { hostname: "web" }) }));
    const nobody = { ...madeEvent("nobody/1"), server: madeServer(null) };
    await decideEvents(ledger, [madeEvent("s/1"), madeEvent("t/1"), nobody]);
    const remembered = async () => (await ledger.undetailed(9)).map(({ remembered }) => remembered);
    assertEquals(await remembered(), [madeServer("s", { hostname: "web" }), null, null]);
    await remember(ledger, madeMemory("s", { deleted: true, snapshot: madeServer("s", { hostname: "db" }) }));
    assertEquals(await remembered(), [madeServer("s", { hostname: "db" }), null, null]);
  });

  test("storeDetails() fills what memory leaves open with what was learned", async ({ ledger }) => {
    const known = madeServer("s", { hostname: "web", projectId: "p" });
    for (const deleted of [false, true]) {
      await remember(ledger, madeMemory("s", { deleted, snapshot: known }));
      const event = madeEvent(`s/${deleted}`);
      await decideEvents(ledger, [event]);
      const { seq } = (await ledger.undetailed(1))[0]!;
      const learned = madeServer("s", { hostname: "other", projectName: "web shop" });
      await ledger.storeDetails([{ ...detailOf(seq, event), learned }]);
      const snapshot = { ...known, projectName: "web shop" };
      assertEquals(await memoryOf(ledger, "s"), madeMemory("s", { deleted, snapshot }));
    }
  });

  test("storeDetails() begins to remember the server of an association, and no other", async ({ ledger }) => {
    const addresses = [{ address: "10.0.0.5", mac: null, type: "fixed", network: null, version: 4 }];
    const association = (key: string, id: string | null): WatcherEvent => ({
      ...madeEvent(key),
      subject: "floatingip",
      server: madeServer(id, { addresses }),
    });
    const events = [association("s/1", "s"), madeEvent("t/1"), association("u/1", null), association("v/1", "v")];
    await decideEvents(ledger, events);
    const rows = await ledger.undetailed(9);
    await ledger.storeDetails(rows.map(({ seq, event }) => ({
      ...detailOf(seq, event),
      learned: event.key === "v/1" ? null : madeServer(event.server.id, { hostname: "web" }),
    })));
    assertEquals(await memoryOf(ledger, "s"), {
      id: "s",
      creationSeen: false,
      deleted: false,
      snapshot: madeServer("s", { hostname: "web", addresses }),
    });
    assertEquals([await memoryOf(ledger, "t"), await memoryOf(ledger, "v")], [undefined, undefined]);
  });

  test("storeDetails() gives deliveries the detail and what lacks in it", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await decideEvents(ledger, [madeEvent("s/1", ["k"])]);
    const { seq } = (await ledger.undetailed(1))[0]!;
    const detail = makeDetail({ ...madeEvent("s/1"), server: madeServer("s", { hostname: "web" }) }).detail;
    await ledger.storeDetails([{ seq, detail, missing: ["OS"], learned: null }]);
    const { key, subject, created, eventType, time, creationSeen } = madeEvent("s/1");
    assertEquals(await ledger.ready({ plugin: "p", now: NOW, limit: 9 }), [{
      seq,
      plugin: "p",
      event: { key, subject, created, eventType, time, creationSeen, serverId: "s" },
      detail,
      missing: ["OS"],
      attempts: 0,
      triedMs: 0,
      lastAttemptAt: null,
    }]);
  });

  test("decide() with a maker stores details with the decisions, and fills events of its own batch before", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await ledger.record(arrivals("a", "b", "c"));
    const filled = madeServer("s", { hostname: "web" });
    const decisions = [
      decisionOf([madeEvent("s/1", ["a"])]),
      decisionOf([], { outcome: "repeated", fill: { key: "s/1", server: filled } }),
      decisionOf([madeEvent("s/2", ["a"])]),
    ];
    const made: WatcherEvent[] = [];
    const decided = await ledger.decide(99, () => decisions.shift()!, (event) => {
      made.push(event);
      return { detail: makeDetail(event).detail, missing: ["OS"] };
    });
    assertEquals(decided, 3);
    assertEquals(made, [{ ...madeEvent("s/1", ["a"]), server: filled }, madeEvent("s/2", ["a"])]);
    assertEquals(await ledger.undetailed(9), []);
    const [first, ...blocked] = await ledger.ready({ plugin: "p", now: NOW, limit: 9 });
    assertEquals([first?.event.key, first?.detail.FQDN, first?.missing, blocked], ["s/1", "web", ["OS"], []]);
    await settleAs(ledger, "p", { key: "s/1", outcome: "done" });
    assertEquals(await keys(ledger, "p"), ["s/2"]);
  });

  testSequential("a call sees what was asked for before it, without waiting for that", async ({ ledger }) => {
    await ledger.activate(["p"]);
    const recorded = ledger.record(arrivals("a"));
    const decided = ledger.decide(9, () => decisionOf([madeEvent("s/1")]));
    assertEquals(await Promise.all([recorded, decided]), [1, 1]);
    assertEquals((await ledger.undetailed(9)).map(({ event }) => event.key), ["s/1"]);
  });

  test("decide() fills an event only before its detail is stored", async ({ ledger }) => {
    await decideEvents(ledger, [madeEvent("s/1"), madeEvent("s/2")]);
    const [first] = await ledger.undetailed(1);
    await ledger.storeDetails([detailOf(first!.seq, first!.event)]);
    await ledger.record(arrivals("a", "b", "c"));
    const filled = madeServer("s", { hostname: "web" });
    const keys = new Map([["a", "s/1"], ["b", "s/2"], ["c", "never/1"]]);
    await ledger.decide(
      9,
      ({ messageId }) => decisionOf([], { outcome: "repeated", fill: { key: keys.get(messageId)!, server: filled } }),
    );
    const left = await ledger.undetailed(9);
    assertEquals(left.map(({ event }) => event), [{ ...madeEvent("s/2"), server: filled }]);
  });

  test("ready() gives nothing of events without a detail", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await decideEvents(ledger, [madeEvent("s/1")]);
    assertEquals(await keys(ledger, "p"), []);
    assertEquals(await ledger.nextDueAt("p"), null);
    await detailEvents(ledger);
    assertEquals(await keys(ledger, "p"), ["s/1"]);
  });

  test("ready() holds back what shares a key with an earlier unfinished delivery", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await announceEvents(ledger, [
      madeEvent("s/1", ["a", "b"]),
      madeEvent("s/2", ["c"]),
      madeEvent("s/3", ["b", "c"]),
      madeEvent("s/4", ["d"]),
      madeEvent("s/5", ["b"]),
    ]);
    assertEquals(await keys(ledger, "p"), ["s/1", "s/2", "s/4"]);
    await settleAs(ledger, "p", { key: "s/1", outcome: "done" });
    assertEquals(await keys(ledger, "p"), ["s/2", "s/4"]);
    await settleAs(ledger, "p", { key: "s/2", outcome: "dead" });
    assertEquals(await keys(ledger, "p"), ["s/3", "s/4"]);
    await settleAs(ledger, "p", { key: "s/3", outcome: "done" });
    assertEquals(await keys(ledger, "p"), ["s/4", "s/5"]);
  });

  test("ready() holds back what shares a key with an earlier event without a detail", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await decideEvents(ledger, [madeEvent("s/1", ["a"]), madeEvent("s/2", ["a"]), madeEvent("t/1", ["b"])]);
    const [first, second, third] = await ledger.undetailed(3);
    const store = (row: typeof first) => ledger.storeDetails([detailOf(row!.seq, row!.event)]);
    await store(third);
    await store(second);
    assertEquals(await keys(ledger, "p"), ["t/1"]);
    await store(first);
    assertEquals(await keys(ledger, "p"), ["s/1", "t/1"]);
    await settleAs(ledger, "p", { key: "s/1", outcome: "done" });
    assertEquals(await keys(ledger, "p"), ["s/2", "t/1"]);
  });

  test("ready() holds back what has no detail when the earlier one that it waited for is finished", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await announceEvents(ledger, [madeEvent("s/1", ["a"])]);
    await decideEvents(ledger, [madeEvent("s/2", ["a"])]);
    await settleAs(ledger, "p", { key: "s/1", outcome: "done" });
    assertEquals(await keys(ledger, "p"), []);
    await detailEvents(ledger);
    assertEquals(await keys(ledger, "p"), ["s/2"]);
  });

  test("ready() holds nothing back for another plugin's sake", async ({ ledger }) => {
    await ledger.activate(["p", "q"]);
    await announceEvents(ledger, [madeEvent("s/1", ["a"]), madeEvent("s/2", ["a"])]);
    await settleAs(ledger, "p", { key: "s/1", outcome: "done" });
    assertEquals([await keys(ledger, "p"), await keys(ledger, "q")], [["s/2"], ["s/1"]]);
  });

  test("ready() lets a delivery that waits for its next attempt hold back its own keys alone", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await announceEvents(ledger, [madeEvent("s/1", ["a"]), madeEvent("s/2", ["a"]), madeEvent("t/1", ["b"])]);
    await settleAs(ledger, "p", { key: "s/1", outcome: "retry", dueAt: NOW + 1000 });
    assertEquals(await keys(ledger, "p"), ["t/1"]);
    assertEquals(await keys(ledger, "p", NOW + 999), ["t/1"]);
    assertEquals(await keys(ledger, "p", NOW + 1000), ["t/1", "s/1"]);
  });

  test("ready() gives the earliest due, at most the limit", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await announceEvents(ledger, [madeEvent("s/1"), madeEvent("t/1"), madeEvent("u/1"), madeEvent("v/1")]);
    await settleAs(ledger, "p", { key: "s/1", outcome: "retry", dueAt: NOW + 3 });
    await settleAs(ledger, "p", { key: "t/1", outcome: "retry", dueAt: NOW + 2 });
    await settleAs(ledger, "p", { key: "u/1", outcome: "retry", dueAt: NOW + 3 });
    await settleAs(ledger, "p", { key: "v/1", outcome: "interrupted", dueAt: 0 });
    const limited = async (limit: number) =>
      (await ledger.ready({ plugin: "p", now: NOW + 5, limit })).map(({ event }) => event.key);
    assertEquals(await limited(9), ["v/1", "t/1", "s/1", "u/1"]);
    assertEquals(await limited(2), ["v/1", "t/1"]);
    assertEquals(await limited(0), []);
  });

  test("nextDueAt() is the earliest of what is free, due or not", async ({ ledger }) => {
    await ledger.activate(["p"]);
    assertEquals(await ledger.nextDueAt("p"), null);
    await announceEvents(ledger, [madeEvent("s/1", ["a"]), madeEvent("s/2", ["a"]), madeEvent("t/1", ["b"])]);
    assertEquals(await ledger.nextDueAt("p"), firstDueAt(NOW));
    await settleAs(ledger, "p", { key: "s/1", outcome: "retry", dueAt: NOW + 7000 });
    await settleAs(ledger, "p", { key: "t/1", outcome: "retry", dueAt: NOW + 5000 });
    assertEquals(await ledger.nextDueAt("p"), NOW + 5000);
    await settleAs(ledger, "p", { key: "t/1", outcome: "done", now: NOW + 5000 });
    assertEquals(await ledger.nextDueAt("p"), NOW + 7000);
    await settleAs(ledger, "p", { key: "s/1", outcome: "dead", now: NOW + 7000 });
    assertEquals(await ledger.nextDueAt("p"), firstDueAt(NOW));
    await settleAs(ledger, "p", { key: "s/2", outcome: "done" });
    assertEquals(await ledger.nextDueAt("p"), null);
  });

  test("settle() keeps what an attempt told for the next one", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await announceEvents(ledger, [madeEvent("s/1")]);
    await settleAs(ledger, "p", { key: "s/1", outcome: "retry", dueAt: NOW + 1, triedMs: 500, now: NOW });
    await settleAs(ledger, "p", { key: "s/1", outcome: "interrupted", dueAt: 0, triedMs: 700, now: NOW + 2000 });
    const [delivery] = await ledger.ready({ plugin: "p", now: NOW, limit: 1 });
    const { attempts, triedMs, lastAttemptAt } = delivery!;
    assertEquals({ attempts, triedMs, lastAttemptAt }, { attempts: 2, triedMs: 700, lastAttemptAt: NOW + 2000 });
  });

  test("settle() changes nothing when a delivery is finished, or was never made", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await announceEvents(ledger, [madeEvent("s/1", ["a"]), madeEvent("s/2", ["a"])]);
    const [delivery] = await ledger.ready({ plugin: "p", now: NOW, limit: 1 });
    await settleAs(ledger, "p", { key: "s/1", outcome: "done" });
    await ledger.settle([
      settlementOf(delivery!, { outcome: "retry", endedAt: NOW, dueAt: NOW }),
      settlementOf({ seq: 4711, plugin: "p" }, { outcome: "done", endedAt: NOW }),
      settlementOf({ seq: delivery!.seq, plugin: "unheard-of" }, { outcome: "done", endedAt: NOW }),
    ]);
    assertEquals(await keys(ledger, "p"), ["s/2"]);
  });

  test("activate() gives a new plugin events from then on", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await announceEvents(ledger, [madeEvent("s/1", ["a"])]);
    await ledger.activate(["p", "q"]);
    assertEquals(await keys(ledger, "q"), []);
    await announceEvents(ledger, [madeEvent("s/2", ["a"])]);
    assertEquals([await keys(ledger, "p"), await keys(ledger, "q")], [["s/1"], ["s/2"]]);
  });

  test("activate() keeps the deliveries of a plugin that is gone, and they hold back nobody", async ({ ledger }) => {
    await ledger.activate(["p", "q"]);
    await announceEvents(ledger, [madeEvent("s/1", ["a"])]);
    await ledger.activate(["q"]);
    await announceEvents(ledger, [madeEvent("s/2", ["a"])]);
    await settleAs(ledger, "q", { key: "s/1", outcome: "done" });
    assertEquals(await keys(ledger, "q"), ["s/2"]);
    await ledger.activate(["p", "q"]);
    await announceEvents(ledger, [madeEvent("s/3", ["a"])]);
    assertEquals(await keys(ledger, "p"), ["s/1"]);
    await settleAs(ledger, "p", { key: "s/1", outcome: "done" });
    assertEquals(await keys(ledger, "p"), ["s/3"]);
  });

  test("ready() leaves out what is busy, and gives as many others as it is asked for", async ({ ledger }) => {
    await ledger.activate(["p"]);
    await announceEvents(ledger, ["1", "2", "3", "4"].map((n) => madeEvent(`s/${n}`, [n])));
    const all = await ledger.ready({ plugin: "p", now: NOW, limit: 9 });
    const busy = new Set(all.slice(0, 2).map(({ seq }) => seq));
    const given = async () =>
      (await ledger.ready({ plugin: "p", now: NOW, limit: 1, busy })).map(({ event }) => event.key);
    assertEquals(await given(), ["s/3"]);
    // Those that were tried are kept elsewhere than those that were not.
    await ledger.settle(all.map((one) => settlementOf(one, { outcome: "interrupted", endedAt: NOW })));
    assertEquals(await given(), ["s/3"]);
  });

  test("ready() agrees with a naive model whatever happens", () =>
    agreesWithModel({ open, firstDueAt, ...(histories === undefined ? {} : { histories }) }));
}

async function decidedIds(ledger: Ledger, limit = 99): Promise<string[]> {
  const ids: string[] = [];
  const decided = await ledger.decide(limit, ({ messageId }) => {
    ids.push(messageId);
    return decisionOf([]);
  });
  assertEquals(decided, ids.length);
  return ids;
}

/** Writes what a message taught of a server. */
async function remember(ledger: Ledger, server: ServerMemory): Promise<void> {
  await ledger.record(arrivals(crypto.randomUUID()));
  await ledger.decide(99, () => decisionOf([], { changes: { ...NO_CHANGES, servers: [server] } }));
}

async function memoryOf(ledger: Ledger, id: string): Promise<ServerMemory | undefined> {
  let found: ServerMemory | undefined;
  await ledger.record(arrivals(crypto.randomUUID()));
  await ledger.decide(99, (_, memory) => {
    found = memory.server(id);
    return decisionOf([]);
  });
  return found;
}

async function keys(ledger: Ledger, plugin: string, now = NOW): Promise<string[]> {
  return (await ledger.ready({ plugin, now, limit: 99 })).map(({ event }) => event.key);
}

async function settleAs(
  ledger: Ledger,
  plugin: string,
  { key, now = NOW, ...how }: {
    readonly key: string;
    readonly outcome: "done" | "retry" | "dead" | "interrupted";
    readonly now?: number;
    readonly dueAt?: number;
    readonly triedMs?: number;
  },
): Promise<void> {
  const ready = await ledger.ready({ plugin, now: Number.MAX_SAFE_INTEGER, limit: 99 });
  const delivery = ready.find(({ event }) => event.key === key);
  if (delivery === undefined) throw new Error(`${key} is not free`);
  await ledger.settle([settlementOf(delivery, { ...how, endedAt: now })]);
}

const PLUGINS = ["p", "q", "r"] as const;
const HOW_SETTLED = fc.record({
  which: fc.nat(3),
  outcome: fc.constantFrom("done", "retry", "dead", "interrupted"),
  dueInMs: fc.integer({ min: -2000, max: 4000 }),
});
const KEYS = fc.array(fc.subarray(["a", "b", "c", "d", "e"]), { maxLength: 6 });
const STEP = fc.oneof(
  fc.record({ do: fc.constant("announce" as const), keys: KEYS }),
  fc.record({ do: fc.constant("announce promptly" as const), keys: KEYS }),
  fc.record({ do: fc.constant("fail" as const), keys: KEYS }),
  fc.record({ do: fc.constant("detail" as const), which: fc.array(fc.nat(5), { maxLength: 5 }) }),
  // What is settled was ready a step ago: an operator may have come between.
  fc.record({ do: fc.constant("attempt" as const), plugin: fc.constantFrom(...PLUGINS) }),
  fc.record({ do: fc.constant("settle" as const), settled: fc.array(HOW_SETTLED, { maxLength: 4 }) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.nat(3000) }),
  fc.record({ do: fc.constant("activate" as const), plugins: fc.subarray([...PLUGINS]) }),
  fc.record({ do: fc.constant("reopen" as const) }),
  fc.record({
    do: fc.constantFrom("drop" as const, "replay" as const),
    plugin: fc.constantFrom(...PLUGINS),
    which: fc.nat(20),
    force: fc.boolean(),
  }),
);
type Step = typeof STEP extends fc.Arbitrary<infer Value> ? Value : never;

/** Compares a ledger with a naive model, in random histories. */
export async function agreesWithModel(
  contract: Pick<LedgerContract, "open" | "firstDueAt" | "histories">,
): Promise<void> {
  const steps = fc.array(STEP, { minLength: 5, maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      await using opened = await contract.open();
      const run = new ModelRun(opened, new LedgerModel(contract.firstDueAt));
      await run.begin();
      for (const step of steps) await run.take(step);
    }),
    { numRuns: contract.histories ?? 150 },
  );
}

/** A ledger and its model side by side. */
class ModelRun {
  readonly #opened: LedgerUnderTest;
  readonly #model: LedgerModel;
  #active: readonly string[] = ["p", "q"];
  #attempted: readonly Delivery[] = [];
  #events = 0;

  constructor(opened: LedgerUnderTest, model: LedgerModel) {
    this.#opened = opened;
    this.#model = model;
    opened.now = NOW;
  }

  begin(): Promise<void> {
    return this.#opened.ledger.activate(this.#active);
  }

  async take(step: Step): Promise<void> {
    const opened = this.#opened;
    if (step.do === "announce") await this.#announce(step.keys);
    else if (step.do === "announce promptly") await this.#announcePromptly(step.keys);
    else if (step.do === "fail") await this.#fail(step.keys);
    else if (step.do === "detail") await this.#detail(step.which);
    else if (step.do === "attempt") await this.#attempt(step.plugin);
    else if (step.do === "settle") await this.#settle(step.settled);
    else if (step.do === "wait") opened.now += step.ms;
    else if (step.do === "activate") await opened.ledger.activate(this.#active = step.plugins);
    else if (step.do === "reopen") await this.#reopen();
    else await this.#operate(step);
    await this.#assertAgreement();
  }

  async #announce(keys: readonly (readonly string[])[], make?: ImmediateMaker): Promise<readonly WatcherEvent[]> {
    const { ledger, now } = this.#opened;
    const events = keys.map((keys) => madeEvent(`s/${++this.#events}`, keys));
    await decideEvents(ledger, events, make);
    for (const { key, orderKeys } of events) {
      this.#model.add({ key, orderKeys, plugins: this.#active, decidedAt: now });
    }
    return events;
  }

  async #announcePromptly(keys: readonly (readonly string[])[]): Promise<void> {
    for (const { key } of await this.#announce(keys, promptDetail)) this.#model.detail(key);
  }

  /** What is written before the last detail fails is not there after all. */
  async #fail(keys: readonly (readonly string[])[]): Promise<void> {
    const { ledger, reopen } = this.#opened;
    const last = keys.length + this.#events;
    if (keys.length === 0 || reopen === undefined) return;
    const make = (event: WatcherEvent) => {
      if (event.key === `s/${last}`) throw new RangeError("broken");
      return promptDetail(event);
    };
    await assertRejects(decideEvents(ledger, keys.map((keys) => madeEvent(`s/${++this.#events}`, keys)), make));
    await ledger.decide(Number.MAX_SAFE_INTEGER, () => decisionOf([]));
  }

  async #detail(which: readonly number[]): Promise<void> {
    const { ledger } = this.#opened;
    const undetailed = await ledger.undetailed(9);
    const rows = [...new Set(which)].flatMap((each) => undetailed[each] ?? []);
    await ledger.storeDetails(rows.map(({ seq, event }) => detailOf(seq, event)));
    for (const { event } of rows) this.#model.detail(event.key);
  }

  async #attempt(plugin: string): Promise<void> {
    const { ledger, now } = this.#opened;
    this.#attempted = await ledger.ready({ plugin, now, limit: 4 });
  }

  async #settle(settled: readonly (typeof HOW_SETTLED extends fc.Arbitrary<infer How> ? How : never)[]): Promise<void> {
    const { ledger, now } = this.#opened;
    const chosen = new Map(settled.map(({ which, ...how }) => [this.#attempted[which], how]));
    for (const [delivery, { outcome, dueInMs }] of chosen) {
      if (delivery === undefined) continue;
      await ledger.settle([settlementOf(delivery, { outcome, endedAt: now, dueAt: now + dueInMs })]);
      this.#model.settle({ plugin: delivery.plugin, key: delivery.event.key, outcome, dueAt: now + dueInMs });
    }
    this.#attempted = [];
  }

  async #reopen(): Promise<void> {
    if (this.#opened.reopen === undefined) return;
    await this.#opened.reopen();
    this.#attempted = [];
    await this.#opened.ledger.activate(this.#active);
  }

  async #operate(
    { do: action, plugin, which, force }: Extract<Step, { readonly do: "drop" | "replay" }>,
  ): Promise<void> {
    if (this.#opened.operations === undefined) return;
    await using operations = await this.#opened.operations();
    const selection = { keys: [`s/${which}`], plugin };
    const treated = action === "drop"
      ? await operations.drop(selection)
      : await operations.replay(selection, { force });
    const expected = action === "drop"
      ? this.#model.drop(plugin, `s/${which}`)
      : this.#model.replay(plugin, `s/${which}`, { force });
    assertEquals(treated.filter(({ refused }) => refused === null).length, expected ? 1 : 0);
  }

  async #assertAgreement(): Promise<void> {
    const { ledger, now } = this.#opened;
    for (const plugin of PLUGINS) {
      const expected = this.#model.ready(plugin, now);
      const ready = async (limit: number) => (await ledger.ready({ plugin, now, limit })).map(summary);
      assertEquals(await ready(99), expected);
      assertEquals(await ready(2), expected.slice(0, 2));
      assertEquals(await ledger.nextDueAt(plugin), this.#model.nextDueAt(plugin));
    }
  }
}

function summary({ event, attempts }: Delivery): { readonly key: string; readonly attempts: number } {
  return { key: event.key, attempts };
}
