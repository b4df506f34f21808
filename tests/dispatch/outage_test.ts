import { deepStrictEqual as assertEquals, ok as assert } from "node:assert/strict";
import type { WatcherEvent } from "../../src/model/event.ts";
import { heapUsed } from "../support/heap.ts";
import { madeEvent } from "../support/made_events.ts";
import { SeededRandom } from "../support/random.ts";
import { answer, Dispatching, hang, refuseConnection, type Target } from "./dispatching.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
/** The longest delay, and an attempt that hangs. */
const LONGEST_WAIT_MS = 330 * SECOND_MS;
const MIB = 1 << 20;

/** A target that can be taken away. */
class Outage {
  down = true;
  readonly target: Target;
  readonly delivered: string[] = [];

  constructor(whileDown: Target) {
    this.target = (context, detail) => {
      if (this.down) return whileDown(context, detail);
      this.delivered.push(context.key);
    };
  }
}

function jittered(seed: number): { readonly random: () => number } {
  const random = new SeededRandom(seed);
  return { random: () => random.next() };
}

/** The life of as many servers: each is created, changed and deleted. */
function backlog(servers: number, name = "s"): WatcherEvent[] {
  return ["1", "2", "3"].flatMap((part) =>
    Array.from({ length: servers }, (_, n) => madeEvent(`${name}${n}/${part}`, [`${name}${n}`]))
  );
}

/** Asserts that everything arrived once, and each server's events in order. */
function assertAllDelivered({ delivered }: Outage, expected: number): void {
  assertEquals([delivered.length, new Set(delivered).size], [expected, expected]);
  const last = new Map<string, string>();
  for (const key of delivered) {
    const [server, part] = key.split("/") as [string, string];
    assert((last.get(server) ?? "0") < part, `${key} after ${last.get(server)}`);
    last.set(server, part);
  }
}

for (
  const { what, whileDown, hours, seed } of [
    { what: "refuses connections", whileDown: refuseConnection, hours: 72, seed: 1 },
    { what: "answers 503", whileDown: () => answer(503), hours: 168, seed: 2 },
    { what: "hangs", whileDown: hang, hours: 24, seed: 3 },
  ]
) {
  Deno.test(`Lane loses nothing and gives up nothing when its target ${what} for ${hours} hours`, async () => {
    const outage = new Outage(whileDown);
    await using dispatching = await Dispatching.start({ p: outage.target }, jittered(seed));
    const { clock } = dispatching;
    await dispatching.announce(...backlog(100));
    const heap: number[] = [];
    for (let hour = 0; hour < hours; hour++) {
      await dispatching.announce(madeEvent(`hour${hour}/1`, [`hour${hour}`]));
      await clock.advance(HOUR_MS);
      // What the test itself and the ledger's file hold is not what is measured.
      dispatching.ends.length = 0;
      dispatching.log.lines.length = 0;
      if (hour % 12 === 11) heap.push(heapUsed());
      assert(clock.sleeping < 20, `${clock.sleeping} sleepers`);
    }
    const { attempts } = dispatching;
    const longest = Math.max(...attempts.slice(1).map(({ at }, n) => at - attempts[n]!.at));
    assert(longest <= LONGEST_WAIT_MS, `${longest} ms without an attempt`);
    // A probe every two and a half minutes on average, after the few of the beginning.
    assert(attempts.length < hours * 3600 / 150 * 1.3 + 30, `${attempts.length} attempts`);
    assert(heap.at(-1)! - heap[0]! < 2 * MIB, `the heap grew: ${heap}`);
    assertEquals([dispatching.count("dead"), dispatching.count("done")], [0, 0]);

    outage.down = false;
    await clock.advance(LONGEST_WAIT_MS);
    assertEquals([dispatching.count("dead"), dispatching.count("open")], [0, 0]);
    assertAllDelivered(outage, 300 + hours);
  });
}

for (const hours of [72, 168]) {
  Deno.test(`Lane loses nothing and gives up nothing when the service is down for ${hours} hours, too`, async () => {
    const outage = new Outage(() => answer(500));
    await using dispatching = await Dispatching.start({ p: outage.target }, jittered(hours));
    await dispatching.announce(...backlog(100));
    await dispatching.clock.advance(HOUR_MS);
    await dispatching.restartAfter(hours * HOUR_MS);
    await dispatching.clock.advance(HOUR_MS);
    assertEquals([dispatching.count("dead"), dispatching.count("open")], [0, 300]);
    outage.down = false;
    await dispatching.restartAfter(hours * HOUR_MS);
    await dispatching.clock.advance(LONGEST_WAIT_MS);
    assertEquals([dispatching.count("dead"), dispatching.count("open")], [0, 0]);
    assertAllDelivered(outage, 300);
  });
}

Deno.test("Lane gives up nothing when the service is restarted twice a day during an outage of 7 days", async () => {
  const outage = new Outage(refuseConnection);
  await using dispatching = await Dispatching.start({ p: outage.target }, jittered(5));
  await dispatching.announce(...backlog(50));
  for (let halfDay = 0; halfDay < 14; halfDay++) {
    await dispatching.clock.advance(11.5 * HOUR_MS);
    await dispatching.restartAfter(0.5 * HOUR_MS);
  }
  assertEquals([dispatching.count("dead"), dispatching.count("open")], [0, 150]);
  outage.down = false;
  await dispatching.clock.advance(LONGEST_WAIT_MS);
  assertAllDelivered(outage, 150);
});

Deno.test("Lane counts no time of an outage as time of trying", async () => {
  const outage = new Outage(refuseConnection);
  const target: Target = (context, detail) =>
    outage.down || !context.key.startsWith("bad") ? outage.target(context, detail) : answer(500);
  await using dispatching = await Dispatching.start({ p: target }, jittered(6));
  await dispatching.announce(madeEvent("bad/1", ["bad"]), ...backlog(10));
  // As 71 hours of failing for this server alone left it.
  const triedMs = 71 * HOUR_MS;
  dispatching.opened.database.exec(`UPDATE delivery SET tried_ms = ${triedMs} WHERE seq = 1`);
  await dispatching.clock.advance(73 * HOUR_MS);
  assertEquals(dispatching.count("dead"), 0);
  outage.down = false;
  await dispatching.clock.advance(0.8 * HOUR_MS);
  assertEquals([dispatching.count("dead"), dispatching.count("open"), dispatching.count("done")], [0, 1, 30]);
  await dispatching.clock.advance(0.5 * HOUR_MS);
  assertEquals([dispatching.count("dead"), dispatching.count("open")], [1, 0]);
});

Deno.test("Lane holds no memory of attempts that have ended", async () => {
  await using dispatching = await Dispatching.start({
    p: ({ attempt, signal }) => {
      // What a plugin forgets to take back goes with the attempt.
      signal.addEventListener("abort", () => {});
      if (attempt === 1) answer(500);
    },
  }, { retry: { breakerFailures: 1_000_000, concurrency: 100 } });
  const round = async (number: number) => {
    await dispatching.announce(...backlog(200, `r${number}x`));
    await dispatching.clock.advance(10 * SECOND_MS);
    assertEquals(dispatching.count("open"), 0);
    dispatching.attempts.length = 0;
    dispatching.ends.length = 0;
    dispatching.log.lines.length = 0;
    return heapUsed();
  };
  await round(0);
  const before = await round(1);
  for (let number = 2; number < 6; number++) await round(number);
  const grown = await round(6) - before;
  assert(grown < MIB / 2, `${grown} bytes for 6,000 attempts`);
});
