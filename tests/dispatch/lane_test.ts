import { deepStrictEqual as assertEquals, ok as assert, rejects as assertRejects } from "node:assert/strict";
import { Lane } from "../../src/dispatch/lane.ts";
import { policyOf } from "../../src/dispatch/policy.ts";
import { PermanentError } from "../../src/model/errors.ts";
import type { WatcherEvent } from "../../src/model/event.ts";
import { NEVER_PAUSED } from "../../src/model/pause.ts";
import { openOperations } from "../../src/ledger/sqlite/operations.ts";
import { SILENT } from "../support/loggers.ts";
import { madeEvent } from "../support/made_events.ts";
import { VirtualClock } from "../support/virtual_clock.ts";
import { answer, Dispatching, hang, refuseConnection } from "./dispatching.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

/** Of a ledger that nobody else looks at. */
const NO_OUTAGES = {
  creationFate: () => Promise.resolve("unknown" as const),
  noteOutage: () => Promise.resolve(),
  probeRequests: () => Promise.resolve(0),
  pauseOf: () => Promise.resolve(NEVER_PAUSED),
};

/** Events of as many servers, which share no key. */
function ofServers(count: number, part = "1"): WatcherEvent[] {
  return Array.from({ length: count }, (_, n) => madeEvent(`s${n}/${part}`, [`s${n}`]));
}

Deno.test("Lane delivers what shares a key in order, and all else at once", async () => {
  await using dispatching = await Dispatching.start({
    p: ({ key, signal }) => key === "s1/1" ? dispatching.clock.sleep(5 * SECOND_MS, signal) : undefined,
  });
  await dispatching.announce(madeEvent("s1/1", ["a"]), madeEvent("s1/2", ["a"]), madeEvent("s2/1", ["b"]));
  assertEquals(dispatching.keys(), ["s1/1", "s2/1"]);
  await dispatching.clock.advance(10 * SECOND_MS);
  assertEquals(dispatching.secondsOf("s1/2"), [5]);
  assertEquals(dispatching.count("done"), 3);
});

Deno.test("Lane does not look again at the end of an attempt before that is recorded, however long the chain", async () => {
  await using dispatching = await Dispatching.start({ p: () => {} });
  const { ledger } = dispatching;
  let looks = 0;
  const ready = ledger.ready.bind(ledger);
  ledger.ready = (query) => (looks++, ready(query));
  const chain = Array.from({ length: 100 }, (_, n) => madeEvent(`s/${n}`, ["a"]));
  await dispatching.announce(...chain);
  assertEquals(dispatching.count("done"), 100);
  // One that finds it, and one that finds that nothing else is ready.
  assert(looks <= 2 * 100 + 20, `${looks} looks`);
});

Deno.test("Lane gives the plugin the key, the attempt and what lacks", async () => {
  const seen: unknown[] = [];
  await using dispatching = await Dispatching.start({
    p: ({ key, subject, eventType, time, attempt, creationSeen, missing, signal }) => {
      seen.push({ key, subject, eventType, time, attempt, creationSeen, missing, aborted: signal.aborted });
      if (attempt < 2) answer(500);
    },
  });
  await dispatching.announce(madeEvent("s/1"));
  await dispatching.clock.advance(2 * SECOND_MS);
  const { key, subject, eventType, time, creationSeen } = madeEvent("s/1");
  const expected = { key, subject, eventType, time, creationSeen, missing: [], aborted: false };
  assertEquals(seen, [{ ...expected, attempt: 1 }, { ...expected, attempt: 2 }]);
});

Deno.test("Lane tries again after 1 s, 2 s, 4 s … 5 min", async () => {
  await using dispatching = await Dispatching.start({ p: () => answer(500) });
  await dispatching.announce(madeEvent("s/1"));
  await dispatching.clock.advance(1200 * SECOND_MS);
  const seconds = dispatching.secondsOf("s/1");
  assertEquals(seconds, [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111]);
  assertEquals(dispatching.attempts.map(({ attempt }) => attempt), seconds.map((_, n) => n + 1));
});

Deno.test("Lane has one alarm, however often it rests", async () => {
  await using dispatching = await Dispatching.start({ p: () => answer(500) }, {
    retry: { firstDelaySeconds: 0.1, maxDelaySeconds: 0.1 },
  });
  await dispatching.announce(madeEvent("s/1"));
  await dispatching.clock.advance(150);
  const { sleeping } = dispatching.clock;
  await dispatching.clock.advance(500);
  assertEquals([dispatching.attempts.length, dispatching.clock.sleeping], [7, sleeping]);
});

Deno.test("Lane honours Retry-After when it is longer than its own delay", async () => {
  await using dispatching = await Dispatching.start({ p: () => answer(503, 100 * SECOND_MS) });
  await dispatching.announce(madeEvent("s/1"));
  await dispatching.clock.advance(650 * SECOND_MS);
  assertEquals(dispatching.secondsOf("s/1"), [0, 100, 200, 300, 400, 500, 600]);
});

Deno.test("Lane records what went wrong, the first three times and the last twenty", async () => {
  await using dispatching = await Dispatching.start({
    p: ({ attempt }) => {
      throw new Error(`https://user:hunter2@host/ ${attempt}`);
    },
  });
  await dispatching.announce(madeEvent("s/1"));
  await dispatching.clock.advance(3 * HOUR_MS);
  const last = dispatching.attempts.length;
  assert(last > 30);
  const expected = [1, 2, 3, ...Array.from({ length: 20 }, (_, n) => last - 19 + n)];
  assertEquals(
    dispatching.failures(),
    expected.map((attempt) => ({ attempt, reason: "other", error: `https://host/ ${attempt}` })),
  );
  assert(!dispatching.log.lines.join().includes("hunter2"));
});

Deno.test("Lane cuts off an attempt that takes too long", async () => {
  let aborted: unknown;
  await using dispatching = await Dispatching.start({
    p: ({ attempt, signal }) => {
      if (attempt > 1) return;
      signal.addEventListener("abort", () => aborted = signal.reason.name);
      return hang();
    },
  });
  await dispatching.announce(madeEvent("s/1"));
  await dispatching.clock.advance(29_999);
  assertEquals([aborted, dispatching.failures()], [undefined, []]);
  await dispatching.clock.advance(1);
  assertEquals(aborted, "TimeoutError");
  assertEquals(dispatching.failures(), [{ attempt: 1, reason: "timeout", error: "No answer within 30 s" }]);
  await dispatching.clock.advance(SECOND_MS);
  assertEquals(dispatching.count("done"), 1);
});

Deno.test("Lane cuts off what is no promise but has then", async () => {
  const never = { then: () => {} } as unknown as Promise<void>;
  await using dispatching = await Dispatching.start({ p: ({ attempt }) => attempt === 1 ? never : undefined });
  await dispatching.announce(madeEvent("s/1"));
  await dispatching.clock.advance(30 * SECOND_MS);
  assertEquals(dispatching.failures(), [{ attempt: 1, reason: "timeout", error: "No answer within 30 s" }]);
  await dispatching.clock.advance(SECOND_MS);
  assertEquals(dispatching.count("done"), 1);
});

Deno.test("Lane does not care what becomes of an attempt after it was cut off", async () => {
  const late = Promise.withResolvers<void>();
  await using dispatching = await Dispatching.start({ p: ({ attempt }) => attempt === 1 ? late.promise : undefined });
  await dispatching.announce(madeEvent("s/1"));
  await dispatching.clock.advance(40 * SECOND_MS);
  late.reject(new Error("Too late"));
  await dispatching.clock.advance(SECOND_MS);
  assertEquals([dispatching.count("done"), dispatching.failures().length], [1, 1]);
});

Deno.test("Lane gives up at once when the error is permanent, and frees the keys", async () => {
  await using dispatching = await Dispatching.start({
    p: ({ key }) => {
      if (key === "s/1") throw new PermanentError("No such thing");
      if (key === "s/2") answer(422);
    },
  });
  await dispatching.announce(madeEvent("s/1", ["a"]), madeEvent("s/2", ["a"]), madeEvent("s/3", ["a"]));
  await dispatching.clock.advance(SECOND_MS);
  assertEquals(dispatching.keys(), ["s/1", "s/2", "s/3"]);
  assertEquals([dispatching.count("dead"), dispatching.count("done")], [2, 1]);
  assertEquals(dispatching.log.lines.filter((line) => line.startsWith("error")).length, 2);
});

Deno.test("Lane has no more attempts side by side than it may", async () => {
  let running = 0;
  let most = 0;
  await using dispatching = await Dispatching.start({
    p: async ({ signal }) => {
      most = Math.max(most, ++running);
      await dispatching.clock.sleep(SECOND_MS, signal);
      running--;
    },
  }, { retry: { concurrency: 3 } });
  await dispatching.announce(...ofServers(20));
  await dispatching.clock.advance(6 * SECOND_MS);
  assertEquals([most, dispatching.count("done")], [3, 18]);
  await dispatching.clock.advance(2 * SECOND_MS);
  assertEquals(dispatching.count("done"), 20);
});

Deno.test("Lane attempts each delivery once when the target answers at once", async () => {
  await using dispatching = await Dispatching.start({ p: () => {} });
  await dispatching.announce(...ofServers(300));
  await dispatching.clock.advance(SECOND_MS);
  assertEquals(dispatching.count("done"), 300);
  assertEquals(new Set(dispatching.keys()).size, 300);
  assertEquals(dispatching.attempts.length, 300);
});

Deno.test("Lane is never held up by another whose target hangs, fails or is gone", async () => {
  await using dispatching = await Dispatching.start({
    p: hang,
    q: refuseConnection,
    r: () => answer(500),
    s: () => {},
  });
  for (let second = 0; second < 60; second++) {
    await dispatching.announce(madeEvent(`s${second}/1`, [`s${second}`, "all"]));
    assertEquals(dispatching.secondsOf(`s${second}/1`, "s"), [second]);
    await dispatching.clock.advance(SECOND_MS);
  }
  assertEquals([dispatching.count("done", "s"), dispatching.count("open", "p")], [60, 60]);
});

Deno.test("Lane holds back an address's next beginning while its end fails for an hour, and nothing else", async () => {
  const from = { key: "floatingip/f/2/deletion", keys: ["server/a", "floating/192.0.2.1"] };
  const to = { key: "floatingip/f/3/creation", keys: ["server/b", "floating/192.0.2.1"] };
  await using dispatching = await Dispatching.start({
    p: ({ key }) => key === from.key && dispatching.clock.now() < mended ? answer(500) : undefined,
  });
  const mended = dispatching.clock.now() + HOUR_MS;
  await dispatching.announce(madeEvent(from.key, from.keys), madeEvent(to.key, to.keys));
  for (let minute = 0; minute < 60; minute++) {
    await dispatching.announce(madeEvent(`other${minute}/1`, [`server/${minute}`, "floating/192.0.2.2"]));
    assertEquals(dispatching.secondsOf(`other${minute}/1`), [minute * 60]);
    assertEquals(dispatching.secondsOf(to.key), []);
    await dispatching.clock.advance(60 * SECOND_MS);
  }
  await dispatching.clock.advance(301 * SECOND_MS);
  const ended = dispatching.secondsOf(from.key).at(-1)!;
  assert(ended >= 3600 && ended <= 3900);
  assertEquals(dispatching.secondsOf(to.key), [ended]);
});

Deno.test("Lane sends one probe at a time when the target is gone, each for another delivery", async () => {
  await using dispatching = await Dispatching.start({ p: refuseConnection }, { retry: { concurrency: 1 } });
  await dispatching.announce(...ofServers(6));
  await dispatching.clock.advance(130 * SECOND_MS);
  assertEquals(dispatching.lanes[0]!.breakerState, "open");
  assertEquals(dispatching.keys(), ["s0/1", "s1/1", "s2/1", "s3/1", "s4/1", "s5/1", "s0/1", "s1/1"]);
  assertEquals(intervals(dispatching.attempts.map(({ at }) => at / 1000)), [1, 2, 4, 8, 16, 32, 64]);
});

Deno.test("Lane sends a probe every five minutes at last, and all that waits once the target is back", async () => {
  let gone = true;
  await using dispatching = await Dispatching.start({ p: () => gone ? refuseConnection() : undefined });
  await dispatching.announce(...ofServers(50));
  await dispatching.clock.advance(2 * HOUR_MS);
  const seconds = [...new Set(dispatching.attempts.map(({ at }) => at / 1000))];
  assertEquals(intervals(seconds.slice(-10)), Array(9).fill(300));
  gone = false;
  await dispatching.clock.advance(301 * SECOND_MS);
  assertEquals([dispatching.count("done"), dispatching.lanes[0]!.breakerState], [50, "closed"]);
});

function intervals(seconds: readonly number[]): number[] {
  return seconds.slice(1).map((second, n) => second - seconds[n]!);
}

Deno.test("Lane goes on with everything when a probe is refused for good", async () => {
  await using dispatching = await Dispatching.start({
    p: ({ key, attempt }) => {
      if (dispatching.clock.now() < back) refuseConnection();
      if (key === "s0/1" && attempt > 1) answer(409);
    },
  }, { retry: { concurrency: 1 } });
  const back = dispatching.clock.now() + 10 * SECOND_MS;
  await dispatching.announce(...ofServers(4));
  await dispatching.clock.advance(20 * SECOND_MS);
  assertEquals([dispatching.count("dead"), dispatching.count("done")], [1, 3]);
});

Deno.test("Lane sends only probes when five attempts for two servers failed, not for one server", async () => {
  await using dispatching = await Dispatching.start({
    p: ({ key }) => key.startsWith("bad") ? answer(500) : undefined,
    q: () => answer(500),
  });
  await dispatching.announce(madeEvent("bad/1", ["bad"]));
  await dispatching.clock.advance(HOUR_MS);
  const states = () => dispatching.lanes.map(({ breakerState }) => breakerState);
  assertEquals(states(), ["closed", "closed"]);
  await dispatching.announce(madeEvent("good/1", ["good"]));
  assertEquals(dispatching.count("done"), 1);
  assertEquals(states(), ["closed", "open"]);
});

Deno.test("Lane attempts nothing while outcomes cannot be recorded", async () => {
  await using dispatching = await Dispatching.start({ p: ({ attempt }) => attempt < 3 ? answer(500) : undefined });
  await dispatching.announce(madeEvent("s/1"));
  await dispatching.clock.advance(500);
  dispatching.canRecord = false;
  await dispatching.announce(madeEvent("t/1"));
  await dispatching.clock.advance(HOUR_MS);
  assertEquals(dispatching.keys(), ["s/1"]);
  dispatching.canRecord = true;
  dispatching.lanes.forEach((lane) => lane.wake());
  await dispatching.clock.advance(10 * SECOND_MS);
  assertEquals(dispatching.count("done"), 2);
});

Deno.test("Lane repeats first what was cut off", async () => {
  const hanging = new Set(["s2/1"]);
  await using dispatching = await Dispatching.start({ p: ({ key }) => hanging.has(key) ? hang() : answer(500) });
  await dispatching.announce(...ofServers(4));
  await dispatching.stop();
  assertEquals(dispatching.failures().filter(({ reason }) => reason === "interrupted"), [
    { attempt: 1, reason: "interrupted", error: "The service stopped before the attempt ended" },
  ]);
  hanging.clear();
  dispatching.attempts.length = 0;
  await dispatching.restartAfter(HOUR_MS);
  await dispatching.clock.settle();
  assertEquals(dispatching.attempts[0]!.key, "s2/1");
  assertEquals(dispatching.attempts[0]!.attempt, 2);
});

Deno.test("Lane lets attempts end when it is told to stop, and begins no other", async () => {
  await using dispatching = await Dispatching.start({
    p: ({ signal }) => dispatching.clock.sleep(5 * SECOND_MS, signal),
  }, { retry: { concurrency: 2 } });
  await dispatching.announce(...ofServers(4));
  dispatching.beginStop();
  await dispatching.clock.advance(5 * SECOND_MS);
  await dispatching.work;
  assertEquals([dispatching.attempts.length, dispatching.count("done"), dispatching.failures()], [2, 2, []]);
});

Deno.test("Lane ends when a plugin that throws before its first await is cut off later", async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", onUnhandled);
  try {
    await using dispatching = await Dispatching.start({ p: () => answer(500) });
    await dispatching.announce(...ofServers(3));
    await dispatching.clock.advance(10 * SECOND_MS);
    await dispatching.stop();
    await dispatching.clock.settle();
    await new Promise((resolve) => setTimeout(resolve, 0));
  } finally {
    globalThis.removeEventListener("unhandledrejection", onUnhandled);
  }
  assertEquals(unhandled, []);
});

for (
  const [what, thrown] of Object.entries({
    "something without a text": (): unknown => Object.create(null),
    "an error that says it was interrupted": () => Object.assign(new Error("No"), { reason: "interrupted" }),
    "an error whose text is no text": () => Object.assign(new Error(), { message: {} }),
    "undefined": (): unknown => undefined,
  })
) {
  Deno.test(`Lane tries again with delays when the plugin throws ${what}`, async () => {
    await using dispatching = await Dispatching.start({
      p: () => {
        throw thrown();
      },
    });
    await dispatching.announce(madeEvent("s/1"));
    await dispatching.clock.advance(10 * SECOND_MS);
    assertEquals(dispatching.secondsOf("s/1"), [0, 1, 3, 7]);
    assertEquals(dispatching.failures().map(({ reason }) => reason), Array(4).fill("other"));
  });
}

Deno.test("Lane fails, and attempts nothing more, when an outcome cannot be recorded for good", async () => {
  const clock = new VirtualClock();
  let attempts = 0;
  const delivery = {
    seq: 1,
    plugin: "p",
    event: { ...madeEvent("s/1"), serverId: "s" },
    detail: {} as never,
    missing: [],
  };
  const lane = new Lane({
    plugin: { notify: () => void attempts++ },
    name: "p",
    policy: policyOf("p"),
    ledger: {
      ready: ({ busy }) =>
        Promise.resolve(busy?.has(1) ? [] : [{ ...delivery, attempts: 0, triedMs: 0, lastAttemptAt: null }]),
      nextDueAt: () => Promise.resolve(0),
      settle: () => Promise.reject(new RangeError("broken")),
      ...NO_OUTAGES,
    },
    clock,
    random: () => 1,
    log: SILENT,
    redact: (text) => text,
    canRecord: () => true,
  });
  const running = assertRejects(lane.run(new AbortController().signal), RangeError);
  for (let n = 0; n < 20; n++) {
    await clock.advance(SECOND_MS);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assertEquals(attempts, 1);
  await running;
});

Deno.test("Lane begins nothing when the ledger answers after the stop", async () => {
  const clock = new VirtualClock();
  const answered = Promise.withResolvers<void>();
  let attempts = 0;
  const delivery = {
    seq: 1,
    plugin: "p",
    event: { ...madeEvent("s/1"), serverId: "s" },
    detail: {} as never,
    missing: [],
  };
  const lane = new Lane({
    plugin: { notify: () => void attempts++ },
    name: "p",
    policy: policyOf("p"),
    ledger: {
      ready: () => answered.promise.then(() => [{ ...delivery, attempts: 0, triedMs: 0, lastAttemptAt: null }]),
      nextDueAt: () => Promise.resolve(null),
      settle: () => Promise.resolve(),
      ...NO_OUTAGES,
    },
    clock,
    random: () => 1,
    log: SILENT,
    redact: (text) => text,
    canRecord: () => true,
  });
  const stop = new AbortController();
  const running = lane.run(stop.signal);
  stop.abort();
  answered.resolve();
  await running;
  assertEquals(attempts, 0);
});

Deno.test("Lane gives the next attempt what the last one kept, also after a restart, and an operator what was noted", async () => {
  const seen: unknown[] = [];
  await using dispatching = await Dispatching.start({
    p: ({ attempt, progress, keep, note }) => {
      seen.push(progress);
      note(`attempt ${attempt} with password=hush`);
      if (attempt === 1) keep({ sent: ["a"] });
      if (attempt < 4) answer(503);
    },
  });
  await dispatching.announce(madeEvent("s/1"));
  await dispatching.clock.advance(2 * SECOND_MS);
  await dispatching.restartAfter(HOUR_MS);
  await dispatching.clock.advance(60 * SECOND_MS);
  assertEquals(seen, [undefined, { sent: ["a"] }, { sent: ["a"] }, { sent: ["a"] }]);
  assertEquals(dispatching.count("done"), 1);
  const last = dispatching.failures().at(-1);
  assertEquals(last, { attempt: 4, reason: "partial", error: "attempt 4 with password=***" });
});

Deno.test("Lane refuses progress that is too large or that JSON cannot hold", async () => {
  await using dispatching = await Dispatching.start({
    p: ({ keep, attempt }) => keep(attempt === 1 ? "x".repeat(65_536) : (() => {}) as never),
  });
  await dispatching.announce(madeEvent("s/1"));
  await dispatching.clock.advance(SECOND_MS);
  assertEquals(dispatching.failures().map(({ error }) => error), [
    "Cannot keep the progress of a delivery: 65538 characters; allowed: 65536",
    "Cannot keep the progress of a delivery: JSON cannot hold it",
  ]);
});

Deno.test("Lane tells when its target is away, when the next probe is put off, and when the target is back", async () => {
  let down = true;
  await using dispatching = await Dispatching.start({ p: () => down ? refuseConnection() : undefined });
  const began = dispatching.clock.now();
  await dispatching.announce(...ofServers(3));
  await dispatching.clock.advance(SECOND_MS);
  down = false;
  await dispatching.clock.advance(2 * SECOND_MS);
  const seconds = dispatching.outages.map((outage) =>
    outage && [outage.since - began, outage.nextProbeAt - began, outage.reason, outage.error]
  );
  assertEquals(seconds, [
    [0, 1 * SECOND_MS, "connection", "Connection refused"],
    [0, 3 * SECOND_MS, "connection", "Connection refused"],
    null,
  ]);
});

Deno.test("Lane probes at once when an operator asks for it, once for each time", async () => {
  await using dispatching = await Dispatching.start({ p: refuseConnection });
  await dispatching.announce(...ofServers(1));
  // The delays of the delivery and of the probes are at their longest.
  await dispatching.clock.advance(900 * SECOND_MS);
  await using operations = openOperations(dispatching.opened.file);
  const before = dispatching.attempts.length;
  assertEquals(await operations.tryNow("p"), 1);
  await dispatching.clock.advance(2 * SECOND_MS);
  assertEquals(dispatching.attempts.length - before, 1);
  await dispatching.clock.advance(60 * SECOND_MS);
  assertEquals(dispatching.attempts.length - before, 1);
  const states = await operations.pluginStates();
  assertEquals(states.map(({ plugin, outage }) => [plugin, outage?.reason]), [["p", "connection"]]);
});

Deno.test("Lane gives up one server's delivery after maxAgeHours of trying, and delivers the others'", async () => {
  await using dispatching = await Dispatching.start({
    p: ({ key }) => key.startsWith("bad/") ? answer(500) : undefined,
  }, { retry: { maxAgeHours: 7.2 } });
  await dispatching.announce(madeEvent("bad/1", ["bad"]), madeEvent("bad/2", ["bad"]));
  await dispatching.clock.advance(7.1 * HOUR_MS);
  await dispatching.announce(madeEvent("good/1", ["good"]));
  assertEquals([dispatching.count("dead"), dispatching.count("open"), dispatching.count("done")], [0, 2, 1]);
  await dispatching.clock.advance(0.2 * HOUR_MS);
  assertEquals(dispatching.count("dead"), 1);
  const lastTry = dispatching.secondsOf("bad/1").at(-1)!;
  assert(lastTry >= 7.2 * 3600 && lastTry <= 7.2 * 3600 + 300, `${lastTry}`);
  assertEquals(dispatching.secondsOf("bad/2")[0], lastTry);
});

for (const [what, jumpMs] of [["forward", YEAR_MS], ["back", -YEAR_MS]] as const) {
  Deno.test(`Lane gives up nothing and goes on when the clock jumps a year ${what}`, async () => {
    let down = true;
    await using dispatching = await Dispatching.start({
      p: () => down ? refuseConnection() : undefined,
      q: () => down ? answer(500) : undefined,
    });
    await dispatching.announce(madeEvent("s/1", ["s"]));
    await dispatching.clock.advance(30 * 60 * SECOND_MS);
    dispatching.clock.jump(jumpMs);
    const before = dispatching.attempts.length;
    await dispatching.clock.advance(370 * SECOND_MS);
    // A round of housekeeping, and the longest delay.
    assertEquals(new Set(dispatching.attempts.slice(before).map(({ plugin }) => plugin)), new Set(["p", "q"]));
    down = false;
    await dispatching.clock.advance(370 * SECOND_MS);
    assertEquals([dispatching.count("done", "p"), dispatching.count("done", "q")], [1, 1]);
    assertEquals([dispatching.count("dead", "p"), dispatching.count("dead", "q")], [0, 0]);
  });
}

Deno.test("Lane tells its breaker of a failure that also ends a delivery", async () => {
  await using dispatching = await Dispatching.start({ p: refuseConnection }, {
    retry: { maxAgeHours: 0.01, concurrency: 1 },
  });
  await dispatching.announce(...ofServers(1));
  // As an earlier run with a longer maxAgeHours left it.
  dispatching.opened.database.exec("UPDATE delivery SET tried_ms = 1000000");
  await dispatching.announce(...ofServers(5, "2"));
  await dispatching.clock.advance(130 * SECOND_MS);
  dispatching.opened.database.exec("UPDATE delivery SET tried_ms = 1000000");
  const before = dispatching.attempts.length;
  await dispatching.clock.advance(3600 * SECOND_MS);
  assert(dispatching.attempts.length - before <= 13, `${dispatching.attempts.length - before} probes in an hour`);
});

Deno.test("Lane tells of each attempt once its end is on disk", async () => {
  await using dispatching = await Dispatching.start({
    p: async ({ key, attempt, signal }) => {
      await dispatching.clock.sleep(attempt * SECOND_MS, signal);
      if (key === "s0/1" && attempt === 1) answer(503);
      if (key === "s1/1") throw new PermanentError("never");
    },
  });
  await dispatching.announce(...ofServers(2));
  await dispatching.clock.advance(10 * SECOND_MS);
  const ended = { plugin: "p", repeated: false, tookMs: 1000 };
  assertEquals(dispatching.ends, [
    { ...ended, outcome: "retry", reason: "server_error" },
    { ...ended, outcome: "dead", reason: "permanent" },
    { ...ended, outcome: "done", reason: null, repeated: true, tookMs: 2000 },
  ]);
});

Deno.test("Lane sends each probe when the breaker lets it through, also where one delivery alone waits", async () => {
  // The breaker's delays are a tenth of those that the delivery would have of its own.
  let calls = 0;
  await using dispatching = await Dispatching.start({ p: refuseConnection }, {
    random: () => calls++ % 2 === 0 ? 0.1 : 1,
  });
  const { clock, outages } = dispatching;
  const beganMs = clock.now();
  await dispatching.announce(...ofServers(1));
  await clock.advance(300 * SECOND_MS);
  const promised = outages.map((outage) => (outage!.nextProbeAt - beganMs) / 1000);
  const sent = dispatching.secondsOf("s0/1").slice(1);
  assert(sent.length > 10, `${sent.length} probes`);
  assertEquals(sent, promised.slice(0, sent.length));
});

Deno.test("Lane uses what it has read ahead, although the read has taken long", async () => {
  await using dispatching = await Dispatching.start({ p: () => {} });
  const { ledger, clock } = dispatching;
  ledger.onRead = () => clock.jump(1000);
  ledger.reads = 0;
  await dispatching.announce(...Array.from({ length: 32 }, (_, index) => madeEvent(`${index}`)));
  assertEquals(dispatching.count("done"), 32);
  // One for them, one that finds nothing more, and what ends meanwhile may wake the lane.
  assert(ledger.reads < 10, `${ledger.reads} reads`);
});
