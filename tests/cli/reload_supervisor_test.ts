import assert from "node:assert/strict";
import type { ServiceInstance } from "../../src/cli/service_instance.ts";
import { type Candidate, ReloadSupervisor } from "../../src/cli/reload_supervisor.ts";
import { KeptLog } from "../support/loggers.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** An instance whose end is in the test's hands. */
class ControlledInstance implements ServiceInstance {
  readonly log = undefined;
  readonly end = Promise.withResolvers<void>();
  state: "loaded" | "at work" | "stopping" | "gone" = "loaded";

  run(): Promise<void> {
    this.state = "at work";
    return this.end.promise;
  }

  stop(): void {
    this.state = "stopping";
  }

  [Symbol.dispose](): void {
    this.state = "gone";
  }
}

class MadeCandidate implements Candidate {
  readonly end = Promise.withResolvers<ServiceInstance>();
  readonly loaded = this.end.promise;
  isGone = false;

  [Symbol.dispose](): void {
    this.isGone = true;
  }
}

function running() {
  const log = new KeptLog();
  const clock = new VirtualClock();
  const stop = new AbortController();
  const first = new ControlledInstance();
  const candidates: MadeCandidate[] = [];
  let changes = 0;
  let reload = () => {};
  const supervisor = new ReloadSupervisor({
    first,
    next: () => {
      const candidate = new MadeCandidate();
      candidates.push(candidate);
      return candidate;
    },
    stop: stop.signal,
    onReload: (listener) => reload = listener,
    logOf: () => log,
    onChange: () => changes++,
    clock,
  });
  const run = supervisor.run();
  run.catch(() => {});
  const wish = async () => {
    reload();
    await clock.settle();
  };
  return { run, wish, log, clock, stop, first, candidates, changes: () => changes };
}

Deno.test("ReloadSupervisor lets the next one begin when the old one has ended", async () => {
  const { run, wish, clock, stop, first, candidates, changes } = running();
  const second = new ControlledInstance();
  await wish();
  candidates[0]!.end.resolve(second);
  await clock.settle();
  assert.deepEqual([first.state, second.state, changes()], ["stopping", "loaded", 1]);
  first.end.resolve();
  await clock.settle();
  assert.deepEqual([first.state, second.state], ["gone", "at work"]);
  stop.abort();
  assert.equal(second.state, "stopping");
  second.end.resolve();
  await run;
  assert.equal(second.state, "gone");
});

Deno.test("ReloadSupervisor goes on with the old one when the new configuration is bad, and says all that is wrong", async () => {
  const { wish, log, clock, first, candidates } = running();
  await wish();
  candidates[0]!.end.reject(new Error("Cannot use it:\n  rabbit.prot: unknown key"));
  await clock.settle();
  assert.equal(first.state, "at work");
  assert.ok(candidates[0]!.isGone);
  assert.deepEqual(log.lines, [
    "info Reloading: reading the configuration",
    "error Cannot use it:",
    "error   rabbit.prot: unknown key",
    "error Not reloaded: the service goes on with the configuration that it has",
  ]);
  await wish();
  assert.equal(candidates.length, 2);
});

Deno.test("ReloadSupervisor gives up a configuration that does not end loading", async () => {
  const { wish, log, clock, first, candidates } = running();
  await wish();
  await clock.advance(61_000);
  assert.equal(first.state, "at work");
  assert.ok(candidates[0]!.isGone);
  assert.equal(log.lines[1], "error Cannot load the configuration: not done after 60 s");
  // It comes after all: nobody waits for it any more.
  candidates[0]!.end.reject(new Error("late"));
  await clock.settle();
});

Deno.test("ReloadSupervisor reads again when it is asked once more while it reads", async () => {
  const { wish, clock, candidates, first } = running();
  await wish();
  await wish();
  assert.deepEqual(candidates.map(({ isGone }) => isGone), [true, false]);
  const second = new ControlledInstance();
  candidates[1]!.end.resolve(second);
  await clock.settle();
  assert.equal(first.state, "stopping");
});

Deno.test("ReloadSupervisor takes up a wish that came while the old one stopped", async () => {
  const { wish, clock, candidates, first } = running();
  const [second, third] = [new ControlledInstance(), new ControlledInstance()];
  await wish();
  candidates[0]!.end.resolve(second);
  await clock.settle();
  await wish();
  assert.equal(candidates.length, 1);
  first.end.resolve();
  await clock.settle();
  assert.equal(second.state, "at work");
  candidates[1]!.end.resolve(third);
  await clock.settle();
  assert.equal(second.state, "stopping");
});

Deno.test("ReloadSupervisor stopped while it reads stops the one at work, and that is all", async () => {
  const { run, wish, clock, candidates, first, stop } = running();
  await wish();
  stop.abort();
  await clock.settle();
  assert.equal(first.state, "stopping");
  assert.ok(candidates[0]!.isGone);
  first.end.resolve();
  await run;
});

Deno.test("ReloadSupervisor stopped while the old one stops begins no other", async () => {
  const { run, wish, clock, candidates, first, stop } = running();
  const second = new ControlledInstance();
  await wish();
  candidates[0]!.end.resolve(second);
  await clock.settle();
  stop.abort();
  first.end.resolve();
  await run;
  assert.equal(second.state, "gone");
});

Deno.test("ReloadSupervisor fails when the one at work cannot go on", async () => {
  const { run, wish, candidates, first } = running();
  await wish();
  first.end.reject(new Error("disk on fire"));
  await assert.rejects(run, /disk on fire/);
  assert.ok(candidates[0]!.isGone);
  assert.equal(first.state, "gone");
});

Deno.test("ReloadSupervisor goes on with the new one when the old one ended badly", async () => {
  const { wish, log, clock, candidates, first } = running();
  const second = new ControlledInstance();
  await wish();
  candidates[0]!.end.resolve(second);
  await clock.settle();
  first.end.reject(new Error("disk on fire"));
  await clock.settle();
  assert.equal(second.state, "at work");
  assert.equal(log.lines.at(-1), "error The old configuration ended badly: disk on fire");
});
