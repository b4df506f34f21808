import assert from "node:assert/strict";
import type { AnnouncedUpdates, Ledger } from "../../src/model/ledger.ts";
import { UpdatesStage } from "../../src/runtime/updates_stage.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** The stage over a ledger that announces what the test says. */
class World {
  readonly clock = new VirtualClock();
  readonly stop = new AbortController();
  readonly limits: number[] = [];
  /** Seconds since the test began. */
  readonly woken: number[] = [];
  announced: AnnouncedUpdates = { settled: 0, nextDueAt: null };
  details = 0;
  readonly stage: UpdatesStage;
  readonly #began = this.clock.now();

  constructor({ isImmediate = true }: { readonly isImmediate?: boolean } = {}) {
    const ledger = {
      announceUpdates: (limit: number) => {
        this.limits.push(limit);
        return Promise.resolve(this.announced);
      },
    } as unknown as Ledger;
    this.stage = new UpdatesStage({
      ledger,
      makeImmediate: isImmediate ? () => ({ detail: {} as never, missing: [] }) : undefined,
      clock: this.clock,
      signal: this.stop.signal,
      onDue: () => this.woken.push((this.clock.now() - this.#began) / 1000),
      onDetailed: () => this.details++,
    });
  }

  /** One step, after which the next changes settle so many seconds after the test began. */
  step(settled: number, nextDueInSeconds: number | null): Promise<boolean> {
    const nextDueAt = nextDueInSeconds === null ? null : this.#began + 1000 * nextDueInSeconds;
    this.announced = { settled, nextDueAt };
    return this.stage.step(250);
  }
}

Deno.test("UpdatesStage says whether it looked at any server, and that there are deliveries", async () => {
  const world = new World();
  assert.equal(await world.step(0, null), false);
  assert.equal(world.details, 0);
  assert.equal(await world.step(2, null), true);
  assert.deepEqual([world.details, world.limits], [1, [250, 250]]);
  const later = new World({ isImmediate: false });
  assert.equal(await later.step(2, null), true);
  assert.equal(later.details, 0);
});

Deno.test("UpdatesStage wakes the pipeline when changes have settled, once", async () => {
  const world = new World();
  for (let step = 0; step < 3; step++) await world.step(0, 3);
  await world.clock.advance(2999);
  assert.deepEqual(world.woken, []);
  await world.clock.advance(10_000);
  assert.deepEqual(world.woken, [3]);
});

Deno.test("UpdatesStage wakes the pipeline earlier for changes that settle earlier", async () => {
  const world = new World();
  await world.step(0, 5);
  await world.step(0, 3);
  await world.clock.advance(4000);
  assert.deepEqual(world.woken, [3]);
  await world.step(1, 5);
  await world.clock.advance(4000);
  assert.ok(world.woken.includes(5));
});

Deno.test("UpdatesStage waits again after each wait", async () => {
  const world = new World();
  for (const seconds of [3, 6, 9]) {
    await world.step(1, seconds);
    await world.clock.advance(3000);
  }
  assert.deepEqual(world.woken, [3, 6, 9]);
});

Deno.test("UpdatesStage waits no longer when the service stops", async () => {
  const world = new World();
  await world.step(0, 3600);
  world.stop.abort();
  await world.clock.settle();
  assert.equal(world.clock.sleeping, 0);
});
