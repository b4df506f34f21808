/**
 * One run: a cloud, its messages in some order, the real stages, and targets.
 *
 * @module
 */

import assert from "node:assert/strict";
import { makeDetail } from "../../src/detail/make_detail.ts";
import { callOf } from "../../src/dispatch/call.ts";
import { decide } from "../../src/facts/decide.ts";
import type { Rules } from "../../src/facts/decision_context.ts";
import { updateOf } from "../../src/facts/update.ts";
import type { Config } from "../../src/model/config.ts";
import { OPTIONAL_KEYS } from "../../src/model/detail.ts";
import { changedKeys, type Following, followingOf } from "../../src/model/following.ts";
import type { Delivery, ImmediateMaker, Ledger } from "../../src/model/ledger.ts";
import type { Memory } from "../../src/model/memory.ts";
import type { Plugin } from "../../src/model/plugin.ts";
import { detailOptionsOf } from "../../src/runtime/detail_stage.ts";
import { followOptionsOf } from "../../src/runtime/follow_options.ts";
import { rulesOf } from "../../src/runtime/rules.ts";
import { decisionOf, madeNotification, settlementOf } from "../support/made_events.ts";
import { delivered, Numbers } from "./delivery.ts";
import type { Format, Published } from "./messages.ts";
import { type Act, ModelCloud } from "./model_cloud.ts";
import { Receiver } from "./receiver.ts";
import { assertTrue } from "./truth.ts";

/** A ledger and its time. */
export interface OpenedLedger {
  readonly ledger: Ledger;
  now: number;
  /** Ends the process that writes it and starts another; absent for a ledger in RAM. */
  reopen?(): void | Promise<void>;
}

export interface RunOptions {
  readonly format: Format;
  /** The followed keys. */
  readonly update: readonly string[] | "all";
  readonly tellsAssociations: boolean;
  /** Whether details are made with the decisions, as without an `openstack` section. */
  readonly isImmediate: boolean;
  readonly acts: readonly Act[];
  readonly loss: number;
  readonly lateness: number;
  readonly numbers: readonly number[];
}

const SETTLE_MS = 3000;
/** `p` and `r` follow; attempts of `r` fail, or are given up. */
const PLUGINS = ["p", "q", "r"] as const;
const noop = () => {};
const METHODS: ReadonlyMap<string, Plugin> = new Map<string, Plugin>([
  ["p", { notify: noop, update: noop }],
  ["q", { notify: noop }],
  ["r", { notify: noop, update: noop }],
]);

export class Run {
  readonly #opened: OpenedLedger;
  readonly #options: RunOptions;
  readonly #cloud: ModelCloud;
  readonly #messages: readonly Published[];
  readonly #numbers: Numbers;
  readonly #config: Config;
  readonly #rules: Rules;
  readonly #following: Following;
  readonly #receivers: ReadonlyMap<string, Receiver>;
  #refusing: ReadonlySet<string> = new Set(["r"]);

  constructor(opened: OpenedLedger, options: RunOptions) {
    const { format, update, tellsAssociations, acts, loss, lateness, numbers } = options;
    this.#opened = opened;
    this.#options = options;
    this.#cloud = new ModelCloud(format);
    for (const act of acts) this.#cloud.act(act);
    this.#numbers = new Numbers(numbers);
    this.#messages = delivered(this.#cloud.published, { loss, lateness, numbers: this.#numbers });
    const associations = tellsAssociations ? ["floatingip.update.end" as const] : [];
    this.#config = {
      events: {
        creation: ["instance.create.end", ...associations],
        deletion: ["instance.delete.end", ...associations],
        update,
        settleSeconds: SETTLE_MS / 1000,
      },
      plugins: [],
      detail: { optional: OPTIONAL_KEYS },
    };
    this.#rules = rulesOf(this.#config);
    this.#following = followingOf(this.#config.events)!;
    const isOrderly = loss === 0 && lateness === 0 && (update === "all" || update.includes("FQDN"));
    this.#receivers = new Map(PLUGINS.map((name) => [
      name,
      new Receiver({ name, following: this.#following, isOrderly: isOrderly && name === "p" }),
    ]));
  }

  async play(): Promise<void> {
    await this.#begin();
    for (const message of this.#messages) {
      await this.#opened.ledger.record([{ receivedAt: 0, notification: message.notification }]);
      await this.#step();
    }
    await this.#end();
    await this.#check();
  }

  async #begin(): Promise<void> {
    const { ledger } = this.#opened;
    await ledger.activate(PLUGINS);
    await ledger.follow(followOptionsOf(this.#config, { plugins: METHODS, rules: () => ({}) })!);
  }

  /** What happens between two messages. */
  async #step(): Promise<unknown> {
    const { ledger, reopen } = this.#opened;
    switch (this.#numbers.below(8)) {
      case 0:
        return undefined;
      case 1:
        this.#opened.now += this.#numbers.below(SETTLE_MS);
        return await this.#decide();
      case 2:
        this.#opened.now += SETTLE_MS;
        await this.#decide();
        return await this.#announce();
      case 3:
        return await this.#deliver(this.#numbers.below(4));
      case 4:
        await this.#decide();
        return await this.#detail(this.#numbers.below(3));
      case 5:
        if (reopen === undefined || this.#numbers.below(4) > 0) return undefined;
        await this.#opened.reopen!();
        return await this.#begin();
      case 6:
        await ledger.announceUpdates(1, this.#make);
        return await this.#deliver(2);
      default:
        return await this.#decide();
    }
  }

  get #make(): ImmediateMaker | undefined {
    return this.#options.isImmediate ? this.#makeDetail : undefined;
  }

  readonly #makeDetail: ImmediateMaker = (event) => {
    return { detail: makeDetail(event, detailOptionsOf(this.#config)).detail, missing: [] };
  };

  async #decide(): Promise<void> {
    const decider = (notification: Published["notification"], memory: Memory) =>
      decide(notification, memory, this.#rules);
    await this.#opened.ledger.decide(99, decider, this.#make);
  }

  async #announce(): Promise<number> {
    return (await this.#opened.ledger.announceUpdates(99, this.#make)).settled;
  }

  /** Makes some of the details that lack, in the order of the events. */
  async #detail(count: number): Promise<number> {
    const { ledger } = this.#opened;
    const events = await ledger.undetailed(count);
    await ledger.storeDetails(events.map(({ seq, event }) => ({ seq, ...this.#makeDetail(event), learned: null })));
    return events.length;
  }

  /** Attempts at most so many deliveries of each plugin. */
  async #deliver(count: number): Promise<number> {
    const { ledger, now } = this.#opened;
    let attempted = 0;
    for (const [plugin, receiver] of this.#receivers) {
      const ready = await ledger.ready({ plugin, now: Number.MAX_SAFE_INTEGER, limit: count });
      for (const delivery of ready) await this.#attempt(receiver, delivery);
      attempted += ready.length;
    }
    this.#opened.now = now;
    return attempted;
  }

  async #attempt(receiver: Receiver, delivery: Delivery): Promise<void> {
    const { ledger, now } = this.#opened;
    const call = callOf(delivery, { following: this.#following, canUpdate: receiver.name !== "q" });
    const isTried = call.method === "notify" || call.method === "update";
    const fate = isTried && this.#refusing.has(receiver.name) ? this.#numbers.below(6) : 2;
    if (fate === 0) {
      return await ledger.settle([settlementOf(delivery, { outcome: "retry", endedAt: now, dueAt: now })]);
    }
    const isGivenUp = fate === 1;
    receiver.take(delivery, call, { isGivenUp });
    const outcome = call.method === "none" ? "unneeded" : isGivenUp || call.method === "impossible" ? "dead" : "done";
    await ledger.settle([settlementOf(delivery, { outcome, endedAt: now })]);
  }

  /** Lets everything come to its end. */
  async #end(): Promise<void> {
    for (let isBusy = true, rounds = 0; isBusy; rounds++) {
      assert.ok(rounds < 1000, "it comes to no end");
      if (rounds === 500) this.#refusing = new Set();
      await this.#decide();
      const detailed = await this.#detail(99);
      this.#opened.now += SETTLE_MS;
      const announced = await this.#announce();
      isBusy = detailed + announced + await this.#deliver(99) > 0;
    }
    const { nextDueAt } = await this.#opened.ledger.announceUpdates(99);
    assert.equal(nextDueAt, null);
  }

  async #check(): Promise<void> {
    const { format, update, tellsAssociations } = this.#options;
    const { ledger } = this.#opened;
    await ledger.record([{ receivedAt: 0, notification: madeNotification("the end") }]);
    await ledger.decide(1, (_, memory) => {
      for (const server of this.#cloud.servers) {
        const known = memory.server(server.id);
        assert.ok(known?.creationSeen && !known.deleted, `${server.id} is not remembered`);
        const floatingIps = memory.floatingIpsOfServer(server.id);
        const cause = { eventType: "", messageId: "", time: "" };
        const { event } = updateOf({ server: known, floatingIps, cause }, {});
        const { detail } = this.#makeDetail(event);
        const all = new Set(Object.keys(detail));
        assertTrue(detail, { server, cloud: this.#cloud, format, keys: all });
        const followed = new Set(update === "all" ? all : update);
        if (tellsAssociations) followed.delete("FloatingIPs");
        for (const [plugin, { told, outdated }] of this.#receivers) {
          const last = told.get(server.id);
          if (plugin !== "r") assert.ok(last !== undefined, `${plugin} ${server.id} was never told`);
          if (plugin === "q" || last === undefined || outdated.has(server.id)) continue;
          const differing = changedKeys(last, detail, this.#following);
          assert.deepEqual(
            differing,
            [],
            `${plugin} ${server.id} told ${JSON.stringify(last)}, not ${JSON.stringify(detail)}`,
          );
          assertTrue(last, { server, cloud: this.#cloud, format, keys: followed });
        }
      }
      for (const id of this.#cloud.deleted) {
        assert.ok(memory.server(id)?.deleted, `${id} is remembered`);
        for (const { name, told } of this.#receivers.values()) assert.ok(!told.has(id), `${name} ${id} is still there`);
      }
      return decisionOf([]);
    });
  }
}
