/**
 * A model of what a filtered target may hear, against the real ledger: filters change over restarts,
 * attempts fail, the process is killed between any two steps, operators replay and drop.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { DeliveryPlan } from "../../src/dispatch/delivery_plan.ts";
import { finishUntold } from "../../src/dispatch/untold.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { openOperations } from "../../src/ledger/sqlite/operations.ts";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { Following } from "../../src/model/following.ts";
import type { Delivery, Ledger, Settlement } from "../../src/model/ledger.ts";
import type { Plugin } from "../../src/model/plugin.ts";
import { when } from "../../src/wire/options/when.ts";
import { SILENT } from "../support/loggers.ts";
import { announceEvents, madeEvent, madeServerEvent } from "../support/made_events.ts";
import { TemporaryLedger } from "../support/temporary_ledger.ts";

const FOLLOWING: Following = { keys: "all", tellsAssociations: true, settleMs: 0 };
const CLOCK = { now: () => 1, passedMs: () => 1, sleep: () => Promise.resolve() };
const NOW = Number.MAX_SAFE_INTEGER;

/** Where the process is killed: before or after what is written, and after the target was called. */
const KILLS = ["before begun", "after begun", "after call", "before outcome", "after outcome"] as const;

/** The filter is changed before the next start. */
interface Kill {
  readonly at: typeof KILLS[number];
  readonly filter: number;
}

type Step =
  | { readonly do: "announce"; readonly of: number }
  | {
    readonly do: "deliver";
    readonly end: "done" | "retry" | "dead";
    readonly kill: Kill | null;
    readonly pick: number;
  }
  | { readonly do: "restart"; readonly filter: number }
  | { readonly do: "operate"; readonly how: "replay" | "drop" | "tell skipped"; readonly pick: number };

/** Deliveries are the most frequent: all else leads to some. */
const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("announce" as const), of: fc.nat(3) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      end: fc.constantFrom("done" as const, "done" as const, "retry" as const, "dead" as const),
      kill: fc.option(fc.record({ at: fc.constantFrom(...KILLS), filter: fc.nat(63) }), { freq: 2 }),
      pick: fc.nat(3),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("restart" as const), filter: fc.nat(63) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("operate" as const),
      how: fc.constantFrom("replay" as const, "drop" as const, "tell skipped" as const),
      pick: fc.nat(9),
    }),
  },
);

class Killed extends Error {}

/** How often the steps have led to what. */
type Seen = Record<"told" | "skipped" | "ends" | "undecided", number>;

/** A service with one filtered plugin, whose process may be killed, and what its target hears. */
class World implements Disposable {
  readonly #opened = new TemporaryLedger();
  /** Whether the target was called for a resource's creation, and what it heard in all. */
  readonly heard: { readonly key: string; readonly resource: string; readonly isAccepted: boolean }[] = [];
  readonly announced: string[] = [];
  /**
   * Resources of which an operator has told something by key and plugin: that is his word, not the
   * filter's, also where he drops it before it is attempted.
   */
  readonly byName = new Set<string>();
  /** Resources of which an operator has dropped something: an attempt may have begun, so that the target may have it. */
  readonly dropped = new Set<string>();
  /** Resources of which an operator has replayed something. */
  readonly replayed = new Set<string>();
  readonly #lives = [0, 0, 0, 0];
  #ledger!: SqliteLedger;
  #plan!: DeliveryPlan;
  #kill: Kill | null = null;

  [Symbol.dispose](): void {
    this.#opened[Symbol.dispose]();
  }

  async start(filter: number): Promise<void> {
    this.#ledger = new SqliteLedger(this.#opened.database, () => 1);
    await this.#ledger.activate(["p"]);
    await this.#ledger.follow({ plugins: ["p"], settleMs: 0, makeUpdate: () => null });
    const plugin: Plugin = { name: "p", notify() {}, update() {} };
    const ledger: Pick<Ledger, "creationFate" | "settle"> = {
      creationFate: (name, event) => this.#ledger.creationFate(name, event),
      settle: (settlements) => this.#settle(settlements),
    };
    const filtered = when(plugin, { match: ({ FQDN }) => matches(filter, Number(FQDN?.slice(1))) });
    this.#plan = new DeliveryPlan({
      plugin: filtered,
      following: FOLLOWING,
      ledger,
      clock: CLOCK,
      redact: (text) => text,
    });
  }

  async take(step: Step): Promise<void> {
    if (step.do === "announce") await this.#announce(step.of);
    if (step.do === "deliver") await this.deliver(step);
    if (step.do === "restart") await this.#restart(step.filter);
    if (step.do === "operate") await this.#operate(step);
  }

  /** Attempts one ready delivery. Returns whether there was one. */
  async deliver({ end, kill, pick }: Pick<Step & { do: "deliver" }, "end" | "kill" | "pick">): Promise<boolean> {
    const ready = await this.#ledger.ready({ plugin: "p", now: NOW, limit: 4 });
    const delivery = ready[pick % Math.max(1, ready.length)];
    if (delivery === undefined) return false;
    this.#kill = kill;
    try {
      await this.#attempt(delivery, end);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      await this.#restart(kill?.filter ?? 0);
    }
    return true;
  }

  async operations<Result>(work: (operations: ReturnType<typeof openOperations>) => Promise<Result>): Promise<Result> {
    await using operations = openOperations(this.#opened.file);
    return await work(operations);
  }

  async #attempt(delivery: Delivery, end: "done" | "retry" | "dead"): Promise<void> {
    const { seq, plugin, event: { key } } = delivery;
    const ledger = { settle: (settlements: readonly Settlement[]) => this.#settle(settlements) };
    const call = await this.#plan.of(delivery);
    if (call.method !== "notify" && call.method !== "update") {
      await finishUntold(delivery, { call, ledger, log: SILENT, at: 1 });
      return;
    }
    this.heard.push({ key, resource: resourceOf(key), isAccepted: end === "done" });
    if (this.#kill?.at === "after call") throw new Killed();
    const failure = end === "done" ? null : { reason: "other" as const, error: "refused" };
    await this.#settle([{ seq, plugin, outcome: end, startedAt: 1, endedAt: 1, failure, dueAt: 0, triedMs: 0 }]);
  }

  async #settle(settlements: readonly Settlement[]): Promise<void> {
    const what = settlements[0]?.outcome === "begun" ? "begun" : "outcome";
    if (this.#kill?.at === `before ${what}`) throw new Killed();
    await this.#ledger.settle(settlements);
    if (this.#kill?.at === `after ${what}`) throw new Killed();
  }

  async #restart(filter: number): Promise<void> {
    this.#opened.reopen();
    await this.start(filter);
  }

  /** The next event of a resource: two are servers that change, two are floating IPs. */
  async #announce(of: number): Promise<void> {
    const life = this.#lives[of]!++;
    const event = of < 2 ? serverEvent(of, life) : associationEvent(of, life);
    if (event === null) return;
    this.announced.push(event.key);
    await announceEvents(this.#ledger, [event]);
  }

  async #operate(
    { how, pick }: { readonly how: "replay" | "drop" | "tell skipped"; readonly pick: number },
  ): Promise<void> {
    const key = this.announced[pick % Math.max(1, this.announced.length)];
    if (key === undefined) return;
    await this.operations(async (operations) => {
      const keys = [key];
      if (how === "drop") {
        await operations.drop({ keys });
        this.dropped.add(resourceOf(key));
      } else {
        const selection = how === "replay" ? { keys } : { keys, plugin: "p" };
        const results = await operations.replay(selection, { force: false });
        if (how === "tell skipped" && results[0]?.refused === null) this.byName.add(resourceOf(key));
        this.replayed.add(resourceOf(key));
      }
    });
  }
}

/** Filters are numbers of six bits: which two names match, and whether the filter fails on a third. */
function matches(filter: number, name: number): boolean {
  if (filter >= 32 && name % 3 === filter % 3) throw new Error("boom");
  return (filter >> (name % 4)) % 2 === 1;
}

/** Of a server: creation, two updates, deletion. Its name, which filters look at, changes. */
function serverEvent(of: number, life: number): WatcherEvent | null {
  const [id, hostname] = [`s${of}`, `n${of + life}`];
  if (life === 0) return madeServerEvent("creation", { id, hostname });
  if (life < 3) return madeServerEvent("update", { id, hostname, updates: life - 1 });
  return life === 3 ? madeServerEvent("deletion", { id, hostname, updates: 2 }) : null;
}

/** Of a floating IP: associations that begin and end, again and again. */
function associationEvent(of: number, life: number): WatcherEvent {
  const created = life % 2 === 0;
  const key = `floatingip/f${of}/${life + 1}/${created ? "creation" : "deletion"}`;
  const made = madeEvent(key, [`floatingip/f${of}`]);
  return { ...made, subject: "floatingip", created, server: { ...made.server, hostname: `n${life % 5}` } };
}

/** A server, or one association: it begins with an odd number and ends with the next one. */
function resourceOf(key: string): string {
  const [what, id, number] = key.split("/");
  return what === "server" ? `${what}/${id}` : `${what}/${id}/${Math.ceil(Number(number) / 2)}`;
}

async function play(steps: readonly Step[], filter: number, seen: Seen): Promise<void> {
  using world = new World();
  await world.start(filter);
  for (const step of steps) await world.take(step);
  // What is left is delivered without a failure.
  while (await world.deliver({ end: "done", kill: null, pick: 0 }));
  await world.operations(async (operations) => {
    for (const key of world.announced.filter((key) => !key.endsWith("/creation"))) {
      await judge(key, { world, seen, operations });
    }
  });
  judgeOrder(world);
}

Deno.test("a deletion that nobody could decide stays a dead letter when its creation alone is replayed", async () => {
  const tell: Step = { do: "deliver", end: "done", kill: null, pick: 0 };
  const replay: Step = { do: "operate", how: "replay", pick: 0 };
  const announce: Step = { do: "announce", of: 2 };
  const seen = { told: 0, skipped: 0, ends: 0, undecided: 0 };
  await play(
    [announce, { do: "restart", filter: 42 }, announce, tell, tell, { do: "restart", filter: 7 }, replay],
    0,
    seen,
  );
  assert.equal(seen.told, 1);
});

Deno.test("a target that was told of a creation hears its end, and one that was not never hears of it", async () => {
  const seen = { told: 0, skipped: 0, ends: 0, undecided: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 10, maxLength: 50 }), fc.nat(63), async (steps, filter) => {
      await play(steps, filter, seen);
    }),
    { numRuns: 60 },
  );
  // The steps must lead to all of these.
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, what);
});

async function judge(
  key: string,
  { world, seen, operations }: {
    readonly world: World;
    readonly seen: Seen;
    readonly operations: ReturnType<typeof openOperations>;
  },
): Promise<void> {
  const of = world.heard.filter(({ resource }) => resource === resourceOf(key));
  const wasTold = of.some(({ key }) => key.endsWith("/creation"));
  const [delivery] = (await operations.show(key))?.deliveries ?? [];
  const heardThis = of.some((one) => one.key === key);
  if (!wasTold) {
    seen.skipped++;
    if (delivery?.state === "dead" && delivery.attempts === 0) seen.undecided++;
    const isOperators = world.byName.has(resourceOf(key)) || world.dropped.has(resourceOf(key));
    assert.ok(!heardThis || isOperators, `${key} was told, though its creation was not`);
    return;
  }
  seen.told++;
  if (!key.endsWith("/deletion") || delivery?.state === "dropped") return;
  // Nobody could decide about creation and deletion, and an operator has replayed the first alone: the second
  // is still a dead letter, for him to replay.
  if (delivery?.state === "dead" && delivery.attempts === 0 && world.replayed.has(resourceOf(key))) return;
  seen.ends++;
  assert.ok(heardThis, `${key} is ${delivery?.state}, though the creation was told`);
}

/** Nothing is told of a resource before its creation was tried. */
function judgeOrder({ heard }: World): void {
  for (const [resource, calls] of Map.groupBy(heard, (call) => call.resource)) {
    const first = calls.findIndex(({ key }) => key.endsWith("/creation"));
    const update = calls.findIndex(({ key }) => key.includes("/update/"));
    assert.ok(update === -1 || (first !== -1 && first < update), `${resource}: an update before its creation`);
  }
}
