import assert from "node:assert/strict";
import fc from "fast-check";
import { madeEvent } from "../support/made_events.ts";
import { answer, Dispatching, refuseConnection } from "./dispatching.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;

/** A pause is heeded so long after it was written. */
const NOTICED_MS = 2 * SECOND_MS;

Deno.test("Lane attempts nothing of a plugin that is paused, lets attempts in flight end, and goes on in order", async () => {
  await using dispatching = await Dispatching.start({
    p: ({ key, signal }) => key === "s1/1" ? dispatching.clock.sleep(10 * SECOND_MS, signal) : undefined,
    q: () => {},
  });
  await dispatching.announce(madeEvent("s1/1", ["a"]), madeEvent("s1/2", ["a"]));
  dispatching.pause();
  await dispatching.clock.advance(NOTICED_MS);
  await dispatching.announce(madeEvent("s2/1", ["b"]), madeEvent("s2/2", ["b"]));
  await dispatching.clock.advance(60 * SECOND_MS);
  assert.deepEqual([dispatching.keys(), dispatching.count("done"), dispatching.count("open")], [["s1/1"], 1, 3]);
  assert.deepEqual(dispatching.keys("q"), ["s1/1", "s1/2", "s2/1", "s2/2"]);
  dispatching.resume();
  await dispatching.clock.advance(NOTICED_MS);
  assert.deepEqual(dispatching.keys().slice(1).toSorted(), ["s1/2", "s2/1", "s2/2"]);
  assert.ok(dispatching.keys().indexOf("s2/1") < dispatching.keys().indexOf("s2/2"));
  assert.equal(dispatching.count("done"), 4);
});

Deno.test("Lane tells once that its plugin is paused, since when and by whom, and that it goes on", async () => {
  await using dispatching = await Dispatching.start({ p: () => {} });
  dispatching.pause();
  await dispatching.clock.advance(60 * SECOND_MS);
  dispatching.resume();
  await dispatching.clock.advance(60 * SECOND_MS);
  assert.deepEqual(dispatching.log.lines.filter((line) => /[Pp]ause|[Rr]esume/.test(line)), [
    "warn Paused since 2026-11-21 00:00:00 UTC by somebody: deliveries wait, in order. To go on: oss-watcher plugins resume p",
    "info Resumed: what has waited is delivered, in order",
  ]);
});

Deno.test("Lane attempts nothing from its first moment on when its plugin was paused before the start", async () => {
  await using dispatching = await Dispatching.start({ p: () => {} });
  dispatching.pause();
  await dispatching.restartAfter(HOUR_MS);
  await dispatching.announce(madeEvent("s1/1", ["a"]));
  await dispatching.clock.advance(60 * SECOND_MS);
  assert.deepEqual(dispatching.keys(), []);
  dispatching.resume();
  await dispatching.clock.advance(NOTICED_MS);
  assert.deepEqual(dispatching.keys(), ["s1/1"]);
});

Deno.test("Lane sends no probe while its plugin is paused", async () => {
  let down = true;
  await using dispatching = await Dispatching.start({ p: () => down ? refuseConnection() : undefined });
  await dispatching.announce(madeEvent("s1/1", ["a"]));
  await dispatching.clock.advance(10 * SECOND_MS);
  dispatching.pause();
  await dispatching.clock.advance(NOTICED_MS);
  const { length } = dispatching.attempts;
  await dispatching.clock.advance(900 * SECOND_MS);
  assert.equal(dispatching.attempts.length, length);
  [down] = [false];
  dispatching.resume();
  await dispatching.clock.advance(NOTICED_MS);
  assert.equal(dispatching.count("done"), 1);
});

Deno.test("Lane gives up nothing because of pauses, however long and however many, also over restarts", async () => {
  const maxAgeSeconds = 20;
  const retry = { maxAgeHours: maxAgeSeconds / 3600, firstDelaySeconds: 1, maxDelaySeconds: 10 };
  await using dispatching = await Dispatching.start({ p: () => answer(500) }, { retry });
  await dispatching.announce(madeEvent("s1/1", ["a"]));
  // Of each round the 3 s of trying count, or less: they are over when it has been tried for 20 s.
  let rounds = 0;
  for (; dispatching.count("dead") === 0 && rounds < 100; rounds++) {
    dispatching.pause();
    // As days do, without a lane that looks each second of them.
    if (rounds % 2 === 0) dispatching.clock.jump(72 * HOUR_MS);
    else await dispatching.restartAfter(72 * HOUR_MS);
    await dispatching.clock.advance(NOTICED_MS);
    dispatching.resume();
    await dispatching.clock.advance(3 * SECOND_MS);
  }
  assert.ok(rounds > maxAgeSeconds / 3, `${rounds} rounds`);
  dispatching.resume();
  await dispatching.clock.advance(60 * SECOND_MS);
  assert.deepEqual([dispatching.count("dead"), dispatching.count("open")], [1, 0]);
});

const STEP = fc.oneof(
  fc.record({
    do: fc.constant("announce" as const),
    keys: fc.array(fc.subarray(["a", "b", "c", "d"], { minLength: 1 }), { minLength: 1, maxLength: 6 }),
  }),
  fc.record({ do: fc.constantFrom("pause" as const, "resume" as const, "break" as const, "mend" as const) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.nat(4000) }),
  fc.record({ do: fc.constant("restart" as const), ms: fc.nat(100_000) }),
);

Deno.test("Lane, whatever happens: no attempt begins during a pause, and all is delivered in order after the last", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 3, maxLength: 30 }), async (steps) => {
      let isBroken = false;
      await using dispatching = await Dispatching.start({
        p: () => isBroken ? answer(500) : undefined,
      }, { retry: { maxDelaySeconds: 2, concurrency: 3 } });
      const began = dispatching.clock.now();
      const announced: { readonly key: string; readonly orderKeys: readonly string[] }[] = [];
      const pauses: { readonly from: number; to: number }[] = [];
      const resume = () => {
        dispatching.resume();
        const open = pauses.findLast(({ to }) => to === Infinity);
        if (open !== undefined) open.to = dispatching.clock.now() - began;
      };
      for (const step of steps) {
        if (step.do === "announce") {
          const made = step.keys.map((orderKeys, index) => ({ key: `s${announced.length + index}/1`, orderKeys }));
          announced.push(...made);
          await dispatching.announce(...made.map(({ key, orderKeys }) => madeEvent(key, orderKeys)));
        } else if (step.do === "pause") {
          dispatching.pause();
          if (pauses.every(({ to }) => to < Infinity)) {
            pauses.push({ from: dispatching.clock.now() - began, to: Infinity });
          }
        } else if (step.do === "resume") resume();
        else if (step.do === "wait") await dispatching.clock.advance(step.ms);
        else if (step.do === "restart") await dispatching.restartAfter(step.ms);
        else isBroken = step.do === "break";
      }
      isBroken = false;
      resume();
      await dispatching.clock.advance(60 * SECOND_MS);
      for (const { key, at } of dispatching.attempts) {
        const during = pauses.find(({ from, to }) => at > from + NOTICED_MS && at < to);
        assert.equal(during, undefined, `${key} was attempted at ${at}`);
      }
      assert.deepEqual([dispatching.count("done"), dispatching.count("open")], [announced.length, 0]);
      const last = new Map(dispatching.attempts.map(({ key }, index) => [key, index]));
      for (const [index, { key, orderKeys }] of announced.entries()) {
        for (const earlier of announced.slice(0, index)) {
          if (!earlier.orderKeys.some((each) => orderKeys.includes(each))) continue;
          const first = dispatching.attempts.findIndex((attempt) => attempt.key === key);
          assert.ok(last.get(earlier.key)! < first, `${key} came before ${earlier.key}`);
        }
      }
    }),
    { numRuns: 60 },
  );
});
