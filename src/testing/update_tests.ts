import assert from "node:assert/strict";
import { ABORT_REASONS } from "./abort_tests.ts";
import { textOf } from "./attempt.ts";
import type { ContractTest, PluginContract, TargetAnswer } from "./contract.ts";
import { type HostileLife, hostileUpdates } from "./hostile_updates.ts";
import { named } from "./named.ts";
import { assertVerdict, BEHAVIOUR_ROWS, outcomeText } from "./retry_tests.ts";
import { sampleEvent } from "./sample_event.ts";
import { sampleUpdate } from "./sample_update.ts";
import { Stage, subjectsOf } from "./stage.ts";
import type { TargetHarness } from "./target_harness.ts";

/**
 * What holds for `notify` holds for `update`. Passed without a look for a plugin that has no
 * `update`.
 */
export function updateTests<Target extends TargetHarness>(contract: PluginContract<Target>): ContractTest[] {
  const tests = [...failureTests(contract), ...abortTests(contract), ...effectTests(contract)];
  if (subjectsOf(contract).includes("server")) return tests;
  return tests.map((test) => ({ ...test, skipped: "it does not act on servers" }));
}

type Run<Target extends TargetHarness> = (stage: Stage<Target>) => Promise<void>;

/** Runs a test with a plugin that has `update`. */
function withStage<Target extends TargetHarness>(contract: PluginContract<Target>, run: Run<Target>) {
  return async () => {
    await using stage = await Stage.open(contract);
    if (stage.plugin.update !== undefined) await run(stage);
  };
}

/** Likewise, when the plugin was told of the server's creation. */
function withServer<Target extends TargetHarness>(contract: PluginContract<Target>, run: Run<Target>) {
  return withStage(contract, async (stage) => {
    await stage.succeed(sampleEvent());
    await stage.taken();
    await run(stage);
  });
}

function updateOf<Target extends TargetHarness>({ updated }: PluginContract<Target>) {
  return sampleUpdate(updated === undefined ? {} : { detail: updated });
}

/** The retry table, likewise. */
function failureTests<Target extends TargetHarness>(contract: PluginContract<Target>): ContractTest[] {
  const fall = (expected: Omit<TargetAnswer<Target>, "name">) =>
    withServer(contract, async (stage) => {
      await expected.prepare(stage.target);
      let verdict = await stage.attempt(updateOf(contract));
      // The plugin may notice only here that an earlier connection has ended.
      if (expected.reason === "unauthorized" && verdict.reason === "connection") {
        verdict = await stage.attempt(updateOf(contract));
      }
      assertVerdict(verdict, expected);
      await stage.target.behave("accepts");
      await stage.succeed(updateOf(contract));
      assert.equal((await stage.taken()).length, 1, "the target did not take it in the end");
    });
  return [
    ...BEHAVIOUR_ROWS.map((row): ContractTest => ({
      name: `update() ${outcomeText(row.outcome)} when the target ${row.when}`,
      ...(contract.cannot?.[row.behaviour] === undefined ? {} : { skipped: contract.cannot[row.behaviour] }),
      run: fall({ ...row, prepare: (target) => target.behave(row.behaviour) }),
    })),
    ...(contract.answers ?? []).map((answer): ContractTest => ({
      name: `update() ${outcomeText(answer.outcome)} when the target ${answer.name}`,
      run: fall(answer),
    })),
  ];
}

function abortTests<Target extends TargetHarness>(contract: PluginContract<Target>): ContractTest[] {
  const skipped = contract.cannot?.hangs;
  const hanging = ABORT_REASONS.map(({ when, make }): ContractTest => ({
    name: `update() ends, to be tried again, when ${when} while the target hangs`,
    ...(skipped === undefined ? {} : { skipped }),
    run: withServer(contract, async (stage) => {
      await stage.target.behave("hangs");
      const stop = new AbortController();
      const attempt = stage.attempt(updateOf(contract), { signal: stop.signal });
      await stage.within(Promise.race([stage.target.reached(), attempt]), "nothing reached the target");
      stop.abort(make());
      assert.equal((await attempt).outcome, "retry", "an attempt that was cut off is neither done nor given up");
      await stage.target.behave("accepts");
      await stage.succeed(updateOf(contract));
      assert.equal((await stage.taken()).length, 1);
    }),
  }));
  return [...hanging, {
    name: "update() fails when its signal is aborted before",
    run: withServer(contract, async (stage) => {
      const before = await stage.taken();
      const { outcome } = await stage.attempt(updateOf(contract), { signal: AbortSignal.abort() });
      assert.deepEqual([outcome, await stage.taken()], ["retry", before]);
    }),
  }];
}

function effectTests<Target extends TargetHarness>(contract: PluginContract<Target>): ContractTest[] {
  const { identify, stable } = contract;
  const assertPreview = contract.assertUpdatePreview ?? contract.assertPreview;
  const takenBy = async (stage: Stage<Target>) =>
    new Set((await stage.taken()).map((taken) => JSON.stringify(stable?.(taken) ?? taken)));
  return [
    {
      name: "the target gets what update() was given",
      run: withServer(contract, async (stage) => {
        await stage.succeed(updateOf(contract));
        const taken = await stage.taken();
        assert.equal(taken.length, 1);
        for (const one of taken) contract.assertUpdated?.(one, updateOf(contract));
      }),
    },
    {
      name: "update() is done when the same update comes twice, and the target can tell",
      ...(identify === undefined ? { skipped: "the contract has no `identify`" } : {}),
      run: withServer(contract, async (stage) => {
        const { detail, context } = updateOf(contract);
        await stage.succeed({ detail, context });
        await stage.succeed({ detail, context: { ...context, attempt: 2 } });
        const identities = (await stage.taken()).map((taken) => identify?.(taken));
        assert.equal(new Set(identities).size, 1, `not the same: ${identities.join(", ")}`);
      }),
    },
    {
      name: "the target ends up the same when an update comes twice",
      run: withServer(contract, async (stage) => {
        await stage.succeed(updateOf(contract));
        const once = await takenBy(stage);
        await stage.succeed(updateOf(contract));
        assert.deepEqual(await takenBy(stage), once);
      }),
    },
    {
      name: "previewUpdate() tells what update() sends",
      ...(assertPreview === undefined ? { skipped: "the contract has no `assertPreview`" } : {}),
      run: withServer(contract, async (stage) => {
        const before = await stage.taken();
        const { detail, context } = updateOf(contract);
        const preview = await stage.plugin.previewUpdate?.(detail, context) ?? null;
        assert.deepEqual(await stage.taken(), before, "previewUpdate() has sent something");
        await stage.succeed({ detail, context });
        for (const taken of await stage.taken()) assertPreview?.(preview, taken);
      }),
    },
    ...["in names and metadata", "in ids and addresses"].map((place): ContractTest => ({
      name: `update() is done or fails for good, and does nothing else, when there are hostile texts ${place}`,
      run: withStage(contract, async (stage) => {
        for (const life of hostileUpdates(contract).filter(({ what }) => what.endsWith(place))) {
          await live(stage, { ...life, contract });
        }
        assert.equal(Object.keys(Object.prototype).length, 0, "Object.prototype was written to");
        await stage.succeed(sampleEvent());
        await stage.taken();
        await stage.succeed(updateOf(contract));
        assert.equal((await stage.taken()).length, 1, "an ordinary update fails after hostile ones");
      }),
    })),
  ];
}

/** A server is created, updated and deleted. A creation that is refused has no updates. */
async function live<Target extends TargetHarness>(
  stage: Stage<Target>,
  { what, creation, updates, deletion, contract }:
    & HostileLife
    & { readonly contract: PluginContract<Target> },
): Promise<void> {
  if ((await stage.attempt(creation)).outcome !== "done") return;
  await stage.taken();
  for (const update of updates) {
    const { outcome, error } = await stage.attempt(update);
    assert.notEqual(outcome, "retry", `${what}: it would be tried for days (${textOf(error)})`);
    const taken = await stage.taken();
    if (outcome !== "done") continue;
    assert.equal(taken.length, 1, `${what}: number of things taken`);
    named(what, () => taken.forEach((thing) => contract.assertUpdated?.(thing, update)));
  }
  await stage.attempt(deletion);
  await stage.taken();
}
