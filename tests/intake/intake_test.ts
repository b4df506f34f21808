import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { Delivered } from "../../src/rabbitmq/consumer.ts";
import { Intake } from "../../src/intake/intake.ts";
import { WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import type { Arrival } from "../../src/model/ledger.ts";
import { SILENT } from "../support/loggers.ts";

/** A channel that keeps what was acknowledged on it. */
class Channel {
  readonly open = true;
  readonly prefetch: number;
  readonly acknowledged: number[] = [];

  constructor(prefetch = 8) {
    this.prefetch = prefetch;
  }

  ackThrough(tag: number): void {
    this.acknowledged.push(tag);
  }
}

/** Keeps what timers are asked for, and lets none go off. */
class Timers implements Disposable {
  readonly delays: (number | undefined)[] = [];
  readonly #setTimeout = globalThis.setTimeout;

  constructor() {
    globalThis.setTimeout = ((_action: unknown, delayMs?: number) => (this.delays.push(delayMs), 0)) as never;
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#setTimeout;
  }
}

interface Given {
  readonly record?: (arrivals: readonly Arrival[]) => Promise<number>;
  readonly keepRejectedBodies?: boolean;
  readonly now?: () => number;
}

function intakeWith({ record, keepRejectedBodies = false, now = () => Date.UTC(2026, 10, 21) }: Given = {}) {
  const recorded: Arrival[] = [];
  const failures: unknown[] = [];
  const intake = new Intake({
    ledger: {
      record: record ?? ((arrivals) => {
        recorded.push(...arrivals);
        return Promise.resolve(arrivals.length);
      }),
    },
    wanted: WATCHED_EVENT_TYPES,
    keepRejectedBodies,
    now,
    log: SILENT,
    onRecorded: () => {},
    onFailed: (error) => failures.push(error),
  });
  return { intake, recorded, failures };
}

function message(tag: number, channel: Channel, body: unknown): Delivered {
  const bytes = typeof body === "string" ? body : JSON.stringify(body);
  return {
    tag,
    channel,
    body: new TextEncoder().encode(bytes),
    exchange: "nova",
    routingKey: "notifications.info",
    redelivered: false,
    compression: null,
  };
}

function creation(id: string) {
  const payload = { instance_id: `server-${id}` };
  return { message_id: id, event_type: "compute.instance.create.end", payload, timestamp: null };
}

const UNWANTED = { message_id: "u", event_type: "compute.instance.update", payload: {} };

Deno.test("Intake acknowledges after it recorded, once, through the last message of any kind", async () => {
  const { intake, recorded } = intakeWith();
  const channel = new Channel();
  intake.accept(message(1, channel, creation("a")));
  intake.accept(message(2, channel, UNWANTED));
  assert.deepEqual(channel.acknowledged, []);
  await intake.flush();
  assert.deepEqual(channel.acknowledged, [2]);
  assert.equal(recorded.length, 1);
  assert.deepEqual(intake.counts, { received: 2, ignored: 1, rejected: 0, recorded: 1 });
});

Deno.test("Intake asks nothing of the ledger for messages that nobody wants", async () => {
  const { intake } = intakeWith({ record: () => Promise.reject(new Error("asked")) });
  const channel = new Channel();
  for (let tag = 1; tag <= 20; tag++) intake.accept(message(tag, channel, UNWANTED));
  await intake.flush();
  assert.equal(channel.acknowledged.at(-1), 20);
});

Deno.test("Intake waits for no more when half of the prefetch has come", async () => {
  const { intake } = intakeWith();
  const channel = new Channel();
  for (let tag = 1; tag < channel.prefetch / 2; tag++) intake.accept(message(tag, channel, UNWANTED));
  await Promise.resolve();
  assert.deepEqual(channel.acknowledged, []);
  intake.accept(message(channel.prefetch / 2, channel, UNWANTED));
  await Promise.resolve();
  assert.deepEqual(channel.acknowledged, [channel.prefetch / 2]);
  await intake.flush();
});

Deno.test("Intake acknowledges what comes while an acknowledgement ends, though nothing comes after it", async () => {
  for (let turns = 0; turns < 12; turns++) {
    const recording = Promise.withResolvers<number>();
    const { intake } = intakeWith({ record: () => recording.promise });
    const channel = new Channel(2);
    intake.accept(message(1, channel, turns === 0 ? UNWANTED : creation("a")));
    recording.resolve(1);
    for (let turn = 1; turn < turns; turn++) await Promise.resolve();
    intake.accept(message(2, channel, UNWANTED));
    await setImmediate();
    assert.equal(channel.acknowledged.at(-1), 2, `after ${turns} turns`);
  }
});

Deno.test("Intake waits for no more when as many have come as are decided at once", async () => {
  const { intake, recorded } = intakeWith();
  const channel = new Channel(10_000);
  for (let tag = 1; tag <= 125; tag++) intake.accept(message(tag, channel, creation(`a${tag}`)));
  assert.equal(recorded.length, 125);
  await intake.flush();
});

Deno.test("Intake takes a message at once after a pause, and gathers for 5 ms those that come soon after it", async () => {
  let now = 0;
  using timers = new Timers();
  const { intake } = intakeWith({ now: () => now });
  const channel = new Channel(1000);
  for (const [tag, at, delayMs] of [[1, 0, 0], [2, 100, 0], [3, 102, 3], [4, 50, 0]] as const) {
    now = at;
    intake.accept(message(tag, channel, creation(`a${tag}`)));
    assert.equal(timers.delays.at(-1), delayMs, `after ${tag}`);
    await intake.flush();
  }
  assert.deepEqual(channel.acknowledged, [1, 2, 3, 4]);
});

Deno.test("Intake leaves a slow disk four times as long as it took, but no more than 50 ms", async () => {
  let now = 0;
  let tookMs = 10;
  using timers = new Timers();
  const { intake } = intakeWith({
    now: () => now,
    record: (arrivals) => {
      now += tookMs;
      return Promise.resolve(arrivals.length);
    },
  });
  const channel = new Channel(1000);
  intake.accept(message(1, channel, creation("a")));
  await intake.flush();
  intake.accept(message(2, channel, creation("b")));
  assert.equal(timers.delays.at(-1), 4 * 10 - 10);
  tookMs = 20;
  await intake.flush();
  intake.accept(message(3, channel, creation("c")));
  assert.equal(timers.delays.at(-1), 50 - 20);
  await intake.flush();
});

Deno.test("Intake acknowledges nothing more once recording has failed for good", async () => {
  let calls = 0;
  const { intake, failures } = intakeWith({
    record: (arrivals) => ++calls === 1 ? Promise.reject(new Error("damaged")) : Promise.resolve(arrivals.length),
  });
  const channel = new Channel();
  intake.accept(message(1, channel, creation("a")));
  await intake.flush();
  intake.accept(message(2, channel, creation("b")));
  await intake.flush();
  assert.deepEqual(channel.acknowledged, []);
  assert.equal(String(failures[0]), "Error: damaged");
});

Deno.test("Intake acknowledges each channel by its own tags", async () => {
  const { intake } = intakeWith();
  const [old, current] = [new Channel(), new Channel()];
  intake.accept(message(7, old, creation("a")));
  intake.accept(message(1, current, creation("b")));
  await intake.flush();
  assert.deepEqual([old.acknowledged, current.acknowledged], [[7], [1]]);
});

Deno.test("Intake keeps a rejected message without its body, unless it is asked for", async () => {
  for (const keepRejectedBodies of [false, true]) {
    const { intake, recorded } = intakeWith({ keepRejectedBodies });
    const channel = new Channel();
    const rejected = message(1, channel, `{"event_type": "port.update.end", "to`);
    const bytes = rejected.body.slice();
    intake.accept(rejected);
    // As the next read does.
    rejected.body.fill(0);
    await intake.flush();
    const [arrival] = recorded;
    assert.ok(arrival !== undefined && "rejection" in arrival);
    assert.deepEqual(arrival.rejection.body, keepRejectedBodies ? bytes : null);
    assert.match(arrival.rejection.sha256, /^[0-9a-f]{64}$/);
    assert.deepEqual(channel.acknowledged, [1]);
  }
});

Deno.test("Intake gives a notification without a time that of its arrival", async () => {
  const { intake, recorded } = intakeWith();
  intake.accept(message(1, new Channel(), creation("a")));
  await intake.flush();
  const [arrival] = recorded;
  assert.ok(arrival !== undefined && "notification" in arrival);
  assert.equal(arrival.notification.time, "2026-11-21T00:00:00.000Z");
});

Deno.test("Intake rejects ids that could not be looked up again", async () => {
  const { intake } = intakeWith();
  for (const [index, id] of ["\u0000", "a\nb", "\ud800"].entries()) {
    intake.accept(message(index + 1, new Channel(), { ...creation("m"), payload: { instance_id: id } }));
  }
  await intake.flush();
  assert.deepEqual(intake.counts, { received: 3, ignored: 0, rejected: 3, recorded: 0 });
});

Deno.test("Intake records a message that names many resources in parts, all before it acknowledges it", async () => {
  const channel = new Channel(2);
  const { intake, recorded } = intakeWith();
  const floatingips = Array.from({ length: 250 }, (_, n) => ({ id: `f${n}`, floating_ip_address: `10.0.0.${n}` }));
  const payload = { floatingips };
  intake.accept(message(1, channel, { message_id: "m", event_type: "floatingip.update.end", payload }));
  await intake.flush();
  const parts = recorded.flatMap((arrival) => "notification" in arrival ? [arrival.notification] : []);
  assert.deepEqual(parts.map(({ messageId }) => messageId), ["m", "m.2", "m.3"]);
  assert.deepEqual(parts.flatMap(({ payload }) => payload["floatingips"]), floatingips);
  assert.deepEqual(channel.acknowledged, [1]);
});

Deno.test("Intake keeps a message that names more resources than any as a rejection, and tells it", async () => {
  const channel = new Channel();
  const { intake, recorded } = intakeWith();
  const payload = { ports: Array.from({ length: 2001 }, (_, n) => ({ id: `p${n}` })) };
  intake.accept(message(1, channel, { message_id: "m", event_type: "port.update.end", payload }));
  await intake.flush();
  const [arrival] = recorded;
  assert.ok(arrival !== undefined && "rejection" in arrival);
  assert.equal(arrival.rejection.reason, "port.update.end names 2001 ports, more than 2000");
  assert.equal(intake.counts.rejected, 1);
});

Deno.test("Intake gives heavy messages to the ledger some at a time, and has room again once they are recorded", async () => {
  const channel = new Channel(100);
  const sizes: number[] = [];
  const held: (() => void)[] = [];
  const { intake } = intakeWith({
    record: (arrivals) => {
      sizes.push(arrivals.length);
      return new Promise((resolve) => held.push(() => resolve(arrivals.length)));
    },
  });
  const heavy = { ...creation("x").payload, text: "x".repeat(1_000_000) };
  for (let tag = 1; tag <= 12; tag++) intake.accept(message(tag, channel, { ...creation(`${tag}`), payload: heavy }));
  const backpressure = intake.backpressure();
  assert.ok(backpressure instanceof Promise);
  const flushed = intake.flush();
  for (let released = 0; released < 12 && channel.acknowledged.at(-1) !== 12; released++) {
    while (held.length === 0) await setImmediate();
    held.shift()?.();
    await setImmediate();
  }
  await flushed;
  await backpressure;
  assert.ok(Math.max(...sizes) <= 3, sizes.join());
  assert.equal(sizes.reduce((sum, size) => sum + size), 12);
  assert.equal(intake.backpressure(), undefined);
});
