/**
 * What every ledger must do where changes of servers are followed.
 *
 * @module
 */

import { deepStrictEqual as assertEquals, rejects as assertRejects } from "node:assert/strict";
import { makeDetail } from "../../src/detail/make_detail.ts";
import { orderKeys } from "../../src/facts/order_keys.ts";
import { updateOf } from "../../src/facts/update.ts";
import type { Decision } from "../../src/model/decision.ts";
import { MAX_ITEMS } from "../../src/model/bounds.ts";
import type { Address, ServerSnapshot, WatcherEvent } from "../../src/model/event.ts";
import { changedKeys } from "../../src/model/following.ts";
import type { Delivery, FollowOptions, Ledger, Settlement } from "../../src/model/ledger.ts";
import type { ServerMemory } from "../../src/model/memory.ts";
import {
  decisionOf,
  detailEvents,
  madeAssociation,
  madeNotification,
  madeServer,
  madeServerEvent,
  NO_CHANGES,
  promptDetail,
  settlementOf,
} from "../support/made_events.ts";
import type { LedgerContract, LedgerUnderTest } from "./contract.ts";

const NOW = Date.UTC(2026, 10, 21);
const SETTLE_MS = 3000;
const FOLLOWING = { keys: "all", tellsAssociations: true } as const;

/** A ledger whose plugins `p` and `q` follow changes. */
class Followed {
  readonly opened: LedgerUnderTest;
  /** When the ledger was restored from a backup. */
  restoredAtMs = 0;
  #messages = 0;
  #plugins: readonly string[] = ["p", "q"];

  constructor(opened: LedgerUnderTest) {
    this.opened = opened;
    opened.now = NOW;
  }

  get ledger(): Ledger {
    return this.opened.ledger;
  }

  async begin(plugins: readonly string[] = this.#plugins, active: readonly string[] = plugins): Promise<void> {
    this.#plugins = plugins;
    await this.ledger.activate(active);
    await this.ledger.follow(this.#options());
  }

  async reopen(): Promise<boolean> {
    if (this.opened.reopen === undefined) return false;
    await this.opened.reopen();
    await this.begin(this.#plugins);
    return true;
  }

  #options(): FollowOptions {
    return {
      plugins: this.#plugins,
      settleMs: SETTLE_MS,
      makeUpdate: (settled) => {
        const made = updateOf(settled, { restoredAtMs: this.restoredAtMs });
        const { announced } = settled;
        const { detail } = makeDetail(made.event);
        return announced !== null && changedKeys(announced, detail, FOLLOWING).length === 0 ? null : made;
      },
    };
  }

  /** Decides so many notifications in one batch, with details. */
  decide(...decisions: readonly Decider[]): Promise<number> {
    return this.#decide(decisions, promptDetail);
  }

  /** The same; the details are made later. */
  decideUndetailed(...decisions: readonly Decider[]): Promise<number> {
    return this.#decide(decisions);
  }

  async #decide(decisions: readonly Decider[], make?: typeof promptDetail): Promise<number> {
    const numbered = decisions.map((decision) => [`m${++this.#messages}`, decision] as const);
    const byId = new Map<string, Decider>(numbered);
    await this.ledger.record(numbered.map(([id]) => ({ receivedAt: 0, notification: madeNotification(id) })));
    return await this.ledger.decide(
      99,
      ({ messageId }, memory) => byId.get(messageId)!((id) => memory.server(id)),
      make,
    );
  }

  /** Announces what has settled by now; gives how many servers were looked at. */
  async announce(): Promise<number> {
    return (await this.ledger.announceUpdates(99, promptDetail)).settled;
  }

  /** Lets changes settle, and announces. */
  async settle(): Promise<void> {
    this.opened.now += SETTLE_MS;
    await this.announce();
  }

  async ready(plugin = "p"): Promise<readonly Delivery[]> {
    return await this.ledger.ready({ plugin, now: Number.MAX_SAFE_INTEGER, limit: 99 });
  }

  /** Ends what is ready, again and again; gives key, name and former name of each. */
  async deliver(plugin = "p", outcome: Settlement["outcome"] = "done"): Promise<Told[]> {
    const told: Told[] = [];
    for (let ready = await this.ready(plugin); ready.length > 0; ready = await this.ready(plugin)) {
      for (const delivery of ready) {
        told.push(toldOf(delivery));
        await this.ledger.settle([settlementOf(delivery, { outcome, endedAt: this.opened.now })]);
      }
    }
    return told;
  }
}

type Told = readonly [key: string, name: unknown, before?: unknown];

function toldOf({ event, detail, before }: Delivery): Told {
  const told = [event.key.replace(/^server\//, ""), detail.FQDN] as const;
  return before === undefined ? told : [...told, before && before.FQDN];
}

type Decider = (server: (id: string) => ServerMemory | undefined) => Decision;

/** A server of project `p`; `hostname` is its name. */
function snapshotOf(id: string, known: Partial<ServerSnapshot>): ServerSnapshot {
  return madeServer(id, { projectId: "p", ...known });
}

function withOrder(event: WatcherEvent): WatcherEvent {
  return { ...event, orderKeys: orderKeys(event) };
}

/** A creation. */
function came(id: string, hostname: string): Decider {
  return () => {
    const server = snapshotOf(id, { hostname });
    const memory = { id, creationSeen: true, deleted: false, snapshot: server };
    const event = withOrder(madeServerEvent("creation", server as ServerSnapshot & { id: string }));
    return decisionOf([event], { changes: { ...NO_CHANGES, servers: [memory] } });
  };
}

/** Another name. */
function renamed(id: string, hostname: string): Decider {
  return (server) => {
    const known = server(id)!;
    const servers = [{ ...known, snapshot: { ...known.snapshot, hostname } }];
    return decisionOf([], { changes: { ...NO_CHANGES, servers }, changedServers: [id] });
  };
}

/** Other addresses, as many as a server may have. */
function readdressed(id: string, change: number): Decider {
  return (server) => {
    const known = server(id)!;
    const servers = [{ ...known, snapshot: { ...known.snapshot, addresses: addressesOf(change) } }];
    return decisionOf([], { changes: { ...NO_CHANGES, servers }, changedServers: [id] });
  };
}

function addressesOf(change: number): readonly Address[] {
  const network = { mac: null, type: "fixed", network: null, version: 4 };
  return Array.from({ length: MAX_ITEMS }, (_, n) => ({ ...network, address: `10.0.${change}.${n}` }));
}

/** The creation of a server without a name, on addresses. */
function cameOn(id: string, addresses: readonly Address[]): Decider {
  return () => decisionOf([withOrder(madeServerEvent("creation", { id, projectId: "p", addresses }))]);
}

/** A deletion. */
function went(id: string): Decider {
  return (server) => {
    const known = server(id)!;
    const { updates = 0, snapshot } = known;
    const event = withOrder(madeServerEvent("deletion", { ...snapshot, id, updates }));
    return decisionOf([event], { changes: { ...NO_CHANGES, servers: [{ ...known, deleted: true }] } });
  };
}

function associated(id: string): Decider {
  return (server) => {
    const { updates = 0, snapshot } = server(id)!;
    return decisionOf([withOrder(madeAssociation({ ...snapshot, id, updates }))]);
  };
}

/** Registers the tests of one implementation. */
export function testLedgerUpdates({ name, open }: Pick<LedgerContract, "name" | "open">): void {
  const test = (does: string, body: (followed: Followed) => Promise<void>) =>
    Deno.test(`${name}.${does}`, async () => {
      await using opened = await open();
      await body(new Followed(opened));
    });

  test("announceUpdates() announces nothing where changes are not followed", async (followed) => {
    await followed.ledger.activate(["p"]);
    await followed.decide(came("a", "alpha"));
    await followed.decide(renamed("a", "beta"));
    assertEquals(await followed.ledger.announceUpdates(9), { settled: 0, nextDueAt: null });
    assertEquals((await followed.deliver()).map(([key]) => key), ["a/creation"]);
  });

  test("announceUpdates() makes one update of what changes within the time after the first change", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"));
    await followed.decide(renamed("a", "beta"));
    followed.opened.now += SETTLE_MS - 1;
    await followed.decide(renamed("a", "gamma"));
    const dueAt = NOW + SETTLE_MS;
    assertEquals(await followed.ledger.announceUpdates(9, promptDetail), { settled: 0, nextDueAt: dueAt });
    followed.opened.now++;
    assertEquals(await followed.ledger.announceUpdates(9, promptDetail), { settled: 1, nextDueAt: null });
    await followed.decide(renamed("a", "delta"));
    await followed.settle();
    for (const plugin of ["p", "q"]) {
      assertEquals(await followed.deliver(plugin), [
        ["a/creation", "alpha"],
        ["a/update/1", "gamma", "alpha"],
        ["a/update/2", "delta", "gamma"],
      ]);
    }
  });

  test("announceUpdates() takes at most the limit, and says when the next are due", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"), came("b", "beta"));
    await followed.decide(renamed("a", "alpha-2"));
    followed.opened.now += 1000;
    await followed.decide(renamed("b", "beta-2"));
    followed.opened.now += SETTLE_MS;
    assertEquals(await followed.ledger.announceUpdates(1), { settled: 1, nextDueAt: NOW + 1000 + SETTLE_MS });
    assertEquals(await followed.ledger.announceUpdates(1), { settled: 1, nextDueAt: null });
    assertEquals((await followed.ledger.undetailed(9)).map(({ event }) => event.key), [
      "server/a/update/1",
      "server/b/update/1",
    ]);
  });

  test("announceUpdates() announces nothing of a server that is as it was announced", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"));
    await followed.decide(renamed("a", "beta"), renamed("a", "alpha"));
    await followed.settle();
    assertEquals(await followed.deliver(), [["a/creation", "alpha"]]);
    await followed.decide(renamed("a", "beta"));
    await followed.settle();
    await followed.decide(renamed("a", "alpha"));
    await followed.settle();
    assertEquals(await followed.deliver(), [["a/update/1", "beta", "alpha"], ["a/update/2", "alpha", "beta"]]);
  });

  test("ready() gives associations and deletions what the plugin was last told", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"));
    await followed.decide(renamed("a", "beta"));
    await followed.settle();
    await followed.decide(renamed("a", "gamma"), associated("a"), went("a"));
    assertEquals(await followed.deliver(), [
      ["a/creation", "alpha"],
      ["a/update/1", "beta", "alpha"],
      ["floatingip/f/1/creation", "gamma", "beta"],
      ["a/deletion", "gamma", "beta"],
    ]);
  });

  test("ready() takes for told what an attempt delivered, by plugin", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"));
    await followed.deliver("p");
    await followed.deliver("q", "dead");
    for (const [name, outcome] of [["beta", "unneeded"], ["gamma", "dead"], ["delta", "done"]] as const) {
      await followed.decide(renamed("a", name));
      await followed.settle();
      const told = await followed.deliver("p", outcome);
      assertEquals(told.map(([, now, before]) => [now, before]), [[name, "alpha"]]);
    }
    await followed.decide(went("a"));
    assertEquals(await followed.deliver("p"), [["a/deletion", "delta", "delta"]]);
    assertEquals(await followed.deliver("q", "dead"), [
      ["a/update/1", "beta", null],
      ["a/update/2", "gamma", null],
      ["a/update/3", "delta", null],
      ["a/deletion", "delta", null],
    ]);
  });

  test("settle() lets a delivery that is unneeded hold back nothing", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"));
    await followed.deliver();
    for (const name of ["beta", "gamma"]) {
      await followed.decide(renamed("a", name));
      await followed.settle();
    }
    const [first, ...others] = await followed.ready();
    assertEquals([first?.event.key, others], ["server/a/update/1", []]);
    await followed.ledger.settle([settlementOf(first!, { outcome: "unneeded", endedAt: NOW })]);
    assertEquals((await followed.ready()).map(toldOf), [["a/update/2", "gamma", "alpha"]]);
  });

  test("decide() announces the update that releases a name before the creation that takes it", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"));
    await followed.decide(renamed("a", "beta"));
    await followed.decide(came("b", "alpha"));
    assertEquals(await followed.deliver(), [
      ["a/creation", "alpha"],
      ["a/update/1", "beta", "alpha"],
      ["b/creation", "alpha"],
    ]);
    await followed.settle();
    assertEquals(await followed.deliver(), []);
  });

  test("decide() holds the creation back until the name that it takes is released", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"));
    await followed.decide(renamed("a", "beta"), came("b", "alpha"));
    const [first] = await followed.ready();
    await followed.ledger.settle([settlementOf(first!, { outcome: "done", endedAt: NOW })]);
    assertEquals((await followed.ready()).map(toldOf), [["a/update/1", "beta", "alpha"]]);
  });

  test("decide() announces the update that releases a name before the creation, all in one batch", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"), renamed("a", "beta"), came("b", "alpha"));
    await followed.settle();
    assertEquals(await followed.deliver(), [
      ["a/creation", "alpha"],
      ["a/update/1", "beta", "alpha"],
      ["b/creation", "alpha"],
    ]);
  });

  test("decide() announces the update that releases a name although the detail before it is not made", async (followed) => {
    await followed.begin();
    await followed.decideUndetailed(came("a", "alpha"));
    await followed.decideUndetailed(renamed("a", "beta"));
    await followed.decideUndetailed(came("b", "alpha"));
    await detailEvents(followed.ledger);
    await followed.settle();
    assertEquals(await followed.deliver(), [
      ["a/creation", "alpha"],
      ["a/update/1", "beta", "alpha"],
      ["b/creation", "alpha"],
    ]);
  });

  test("announceUpdates() announces first what releases the name that an update takes; also where two swap", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"), came("b", "beta"));
    await followed.deliver();
    await followed.decide(renamed("a", "beta"));
    followed.opened.now++;
    await followed.decide(renamed("b", "alpha"));
    followed.opened.now = NOW + SETTLE_MS;
    await followed.announce();
    assertEquals(await followed.deliver(), [["b/update/1", "alpha", "beta"], ["a/update/1", "beta", "alpha"]]);
    await followed.settle();
    assertEquals(await followed.deliver(), []);
  });

  test("decide() gives an association what the update before it tells, also where two swap", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"), came("b", "beta"));
    await followed.deliver();
    await followed.decide(renamed("a", "beta"), renamed("b", "alpha"), associated("a"));
    assertEquals(await followed.deliver(), [
      ["a/update/1", "beta", "alpha"],
      ["b/update/1", "alpha", "beta"],
      ["floatingip/f/1/creation", "beta", "beta"],
    ]);
  });

  test("announceUpdates() waits for the detail of what was announced before", async (followed) => {
    await followed.begin();
    await followed.decideUndetailed(came("a", "alpha"));
    await followed.decideUndetailed(renamed("a", "beta"));
    await followed.settle();
    assertEquals((await followed.ledger.undetailed(9)).map(({ event }) => event.key), ["server/a/creation"]);
    await detailEvents(followed.ledger);
    await followed.settle();
    assertEquals(await followed.deliver(), [["a/creation", "alpha"], ["a/update/1", "beta", "alpha"]]);
  });

  test("decide() notices a change in the batch of the creation", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"), renamed("a", "beta"));
    await followed.settle();
    assertEquals(await followed.deliver(), [["a/creation", "alpha"], ["a/update/1", "beta", "alpha"]]);
  });

  test("decide() completes a creation, and undoes nothing that it says, by a fill of later", async (followed) => {
    await followed.begin();
    const fill = { key: "server/a/creation", server: snapshotOf("a", { hostname: "beta", imageOs: "debian" }) };
    await followed.decide(came("a", "alpha"), renamed("a", "beta"), () => decisionOf([], { fill }));
    await followed.decideUndetailed(came("b", "bravo"));
    const other = { key: "server/b/creation", server: snapshotOf("b", { hostname: "delta", imageOs: "fedora" }) };
    await followed.decide(() => decisionOf([], { fill: other }));
    await detailEvents(followed.ledger);
    const ready = await followed.ready();
    assertEquals(ready.map(({ detail: { FQDN, OS } }) => [FQDN, OS]), [["alpha", "debian"], ["bravo", "fedora"]]);
  });

  test("decide() forgets the changes of a server with its deletion", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"));
    await followed.decide(renamed("a", "beta"), went("a"));
    assertEquals(await followed.ledger.announceUpdates(9), { settled: 0, nextDueAt: null });
    await followed.settle();
    assertEquals((await followed.deliver()).map(([key]) => key), ["a/creation", "a/deletion"]);
  });

  test("announceUpdates() waits no longer than it must when the clock is set back", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"));
    await followed.decide(renamed("a", "beta"));
    followed.opened.now -= 3_600_000;
    assertEquals(await followed.ledger.announceUpdates(9, promptDetail), { settled: 1, nextDueAt: null });
    assertEquals(await followed.deliver(), [["a/creation", "alpha"], ["a/update/1", "beta", "alpha"]]);
  });

  test("decide() ignores the changes of a server that was never announced", async (followed) => {
    await followed.begin();
    const memory = { id: "a", creationSeen: false, deleted: false, snapshot: snapshotOf("a", { hostname: "alpha" }) };
    await followed.decide(() => decisionOf([], { changes: { ...NO_CHANGES, servers: [memory] } }));
    await followed.decide(renamed("a", "beta"));
    assertEquals(await followed.ledger.announceUpdates(9), { settled: 0, nextDueAt: null });
  });

  test("announceUpdates() counts on from a restore, and still knows what was told before", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"));
    await followed.decide(renamed("a", "beta"));
    await followed.settle();
    followed.restoredAtMs = 1_800_000_000_000;
    for (const name of ["gamma", "delta"]) {
      await followed.decide(renamed("a", name));
      await followed.settle();
    }
    assertEquals(await followed.deliver(), [
      ["a/creation", "alpha"],
      ["a/update/1", "beta", "alpha"],
      ["a/update/1800000001", "gamma", "beta"],
      ["a/update/1800000002", "delta", "gamma"],
    ]);
  });

  test("follow() gives updates to the plugins that follow, and to no others", async (followed) => {
    await followed.begin(["p"], ["p", "q"]);
    await followed.decide(came("a", "alpha"));
    await followed.decide(renamed("a", "beta"));
    await followed.settle();
    await followed.decide(went("a"));
    assertEquals((await followed.deliver("p")).map(([key]) => key), ["a/creation", "a/update/1", "a/deletion"]);
    assertEquals(await followed.deliver("q"), [["a/creation", "alpha"], ["a/deletion", "beta", "alpha"]]);
  });

  test("follow() gives no update to a plugin that was activated after the creation", async (followed) => {
    await followed.begin(["p", "q"], ["p"]);
    await followed.decide(came("a", "alpha"));
    await followed.ledger.activate(["p", "q"]);
    await followed.decide(renamed("a", "beta"), came("b", "bravo"), renamed("b", "charlie"));
    await followed.settle();
    await followed.decide(went("a"));
    assertEquals(
      await followed.deliver("q"),
      [
        ["b/creation", "bravo"],
        ["a/deletion", "beta", null],
        ["b/update/1", "charlie", "bravo"],
      ],
    );
  });

  test("announceUpdates() keeps the order keys of a server bounded, however often it changes", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"));
    for (let change = 0; change < 8; change++) {
      await followed.decide(readdressed("a", change));
      await followed.settle();
      await followed.deliver();
    }
    await followed.decide(renamed("a", "beta"));
    await followed.settle();
    // The first name, the former addresses, but not those of long ago.
    await followed.decide(came("b", "alpha"), cameOn("d", addressesOf(7)));
    await followed.decide(cameOn("c", addressesOf(0)));
    assertEquals((await followed.ready()).map(({ event }) => event.key), ["server/a/update/9", "server/c/creation"]);
  });

  test("announceUpdates() makes changes of before a restart known", async (followed) => {
    await followed.begin();
    await followed.decide(came("a", "alpha"), came("b", "beta"));
    await followed.decide(renamed("a", "alpha-2"));
    if (!await followed.reopen()) return;
    assertEquals(await followed.ledger.announceUpdates(9), { settled: 0, nextDueAt: NOW + SETTLE_MS });
    // It knows which name the change releases, too.
    await followed.decide(came("c", "alpha"));
    assertEquals((await followed.deliver()).map(([key]) => key).toSorted(), [
      "a/creation",
      "a/update/1",
      "b/creation",
      "c/creation",
    ]);
    await followed.decide(renamed("b", "beta-2"));
    await followed.settle();
    assertEquals(await followed.deliver(), [["b/update/1", "beta-2", "beta"]]);
  });

  test("announceUpdates() knows nothing of changes whose transaction failed", async (followed) => {
    if (followed.opened.reopen === undefined) return;
    await followed.begin();
    await followed.decide(came("a", "alpha"));
    const broken = () => {
      throw new RangeError("broken");
    };
    await assertRejects(followed.decide(renamed("a", "beta"), broken), RangeError);
    assertEquals(await followed.ledger.announceUpdates(9), { settled: 0, nextDueAt: null });
    await followed.ledger.decide(9, () => decisionOf([]));
    await followed.decide(renamed("a", "gamma"));
    followed.opened.now += SETTLE_MS;
    const failing = followed.ledger.announceUpdates(9, broken);
    await assertRejects(failing, RangeError);
    await followed.announce();
    assertEquals(await followed.deliver(), [["a/creation", "alpha"], ["a/update/1", "gamma", "alpha"]]);
  });
}
