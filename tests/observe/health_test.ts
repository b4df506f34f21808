import assert from "node:assert/strict";
import { LoopHeartbeat } from "../../src/model/loop_heartbeat.ts";
import { Health } from "../../src/observe/health.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

function watched() {
  const state = { writable: true, connected: true, consuming: true };
  const heartbeat = new LoopHeartbeat();
  const clock = new VirtualClock();
  const health = new Health({
    readings: {
      ledgerWritable: () => state.writable,
      sources: () => [{ connected: state.connected, consuming: state.consuming }],
    },
    heartbeats: new Map([["Cmdb", heartbeat]]),
    clock,
  });
  const stop = new AbortController();
  const running = health.run(stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  return { state, heartbeat, clock, health, [Symbol.asyncDispose]: end };
}

Deno.test("Health names a stage that has not moved for a minute, until it moves", async () => {
  await using it = watched();
  await it.clock.advance(55_000);
  assert.deepEqual(it.health.livenessProblems(), []);
  await it.clock.advance(10_000);
  assert.deepEqual(it.health.livenessProblems(), ["Cmdb has not moved for a minute"]);
  it.heartbeat.beat();
  await it.clock.advance(5_000);
  assert.deepEqual(it.health.livenessProblems(), []);
});

Deno.test("Health takes a stage that has nothing to do for healthy, however long", async () => {
  await using it = watched();
  const something = Promise.withResolvers<void>();
  const idle = it.heartbeat.whileIdle(something.promise);
  await it.clock.advance(3_600_000);
  assert.deepEqual(it.health.livenessProblems(), []);
  something.resolve();
  await idle;
  await it.clock.advance(3_600_000);
  assert.equal(it.health.livenessProblems().length, 1);
});

Deno.test("Health takes waiting for a full disk for no reason to restart, but not for being ready", async () => {
  await using it = watched();
  it.state.writable = false;
  await it.clock.advance(3_600_000);
  assert.deepEqual(it.health.livenessProblems(), []);
  assert.deepEqual(it.health.readinessProblems(), ["the ledger cannot be written"]);
});

Deno.test("Health is ready when every source is consumed", async () => {
  await using it = watched();
  assert.deepEqual(it.health.readinessProblems(), []);
  it.state.consuming = false;
  assert.deepEqual(it.health.readinessProblems(), ["source 0: connected, not consuming"]);
  it.state.connected = false;
  assert.deepEqual(it.health.readinessProblems(), ["source 0: not connected"]);
});
