import assert from "node:assert/strict";
import type { Json, Plugin } from "../../mod.ts";
import { isUpdate, type SampleCall, verdictOf } from "./attempt.ts";
import { hostileEvents } from "./hostile_tests.ts";
import { hostileUpdates } from "./hostile_updates.ts";
import type { ContractTest, PluginContract } from "./contract.ts";
import { sampleEvent } from "./sample_event.ts";
import { sampleUpdate } from "./sample_update.ts";
import { discreet } from "./secrets.ts";
import { Stage, subjectsOf } from "./stage.ts";
import type { TargetHarness } from "./target_harness.ts";

/** A preview equals what would be sent, and making it sends nothing. */
export function previewTests<Target extends TargetHarness>(contract: PluginContract<Target>): ContractTest[] {
  const { right, secrets = [], assertPreview } = contract;
  return [
    {
      name: "preview() does no I/O, tells no secret, and returns JSON, whatever the event",
      ...(right === undefined ? { skipped: "the contract has no `right`" } : {}),
      needsNothing: true,
      run: async () => {
        const plugin = right?.();
        const events = [true, false].flatMap((created) => [
          sampleEvent({ created }),
          sampleEvent({ created, subject: "floatingip" }),
          ...hostileEvents(created).map(({ event }) => event),
        ]);
        for (const event of events) await assertPreviewable(plugin, event, secrets);
        await plugin?.[Symbol.asyncDispose]?.();
      },
    },
    {
      name: "previewUpdate() does no I/O, tells no secret, and returns JSON, whatever the update",
      ...(right === undefined ? { skipped: "the contract has no `right`" } : {}),
      needsNothing: true,
      run: async () => {
        const plugin = right?.();
        const hostile = hostileUpdates(contract).flatMap(({ updates }) => updates);
        for (const update of [sampleUpdate(), ...hostile]) await assertPreviewable(plugin, update, secrets);
        await plugin?.[Symbol.asyncDispose]?.();
      },
    },
    {
      name: "preview() tells what notify() sends",
      ...(assertPreview === undefined ? { skipped: "the contract has no `assertPreview`" } : {}),
      run: async () => {
        for (const subject of subjectsOf(contract)) {
          for (const created of [true, false]) {
            await using stage = await Stage.open(contract);
            if (!created) await stage.succeed(sampleEvent({ subject }));
            await stage.taken();
            const before = await stage.taken();
            const { detail, context } = sampleEvent({ subject, created });
            const preview = await stage.plugin.preview?.(detail, created, context) ?? null;
            assert.deepEqual(await stage.taken(), before, "preview() has sent something");
            await stage.succeed({ detail, created, context });
            for (const taken of await stage.taken()) assertPreview?.(preview as Json, taken);
          }
        }
      },
    },
    {
      name: "check() resolves when the target accepts, and tells it nothing",
      run: async () => {
        await using stage = await Stage.open(contract);
        const before = await stage.taken();
        await stage.within(stage.plugin.check?.(new AbortController().signal), "check() did not end");
        assert.deepEqual(await stage.taken(), before);
      },
    },
    ...(["down", "unauthorized"] as const).map((behaviour): ContractTest => ({
      name: `check() rejects, telling no secret, when the target is ${
        behaviour === "down" ? "down" : "one that does not know us"
      }`,
      ...(contract.cannot?.[behaviour] === undefined ? {} : { skipped: contract.cannot[behaviour] }),
      run: async () => {
        await using stage = await Stage.open(contract);
        if (stage.plugin.check === undefined) return;
        await stage.target.behave(behaviour);
        const check = Promise.resolve().then(() => stage.plugin.check?.(new AbortController().signal));
        await stage.within(
          assert.rejects(check, (error: unknown) => {
            discreet({ error }, secrets);
            return true;
          }),
          "check() did not end",
        );
      },
    })),
  ];
}

async function assertPreviewable(
  plugin: Plugin | undefined,
  event: SampleCall,
  secrets: readonly string[],
): Promise<void> {
  const preview = await previewOf(plugin, event, secrets);
  assert.deepEqual(JSON.parse(JSON.stringify(preview)), preview, "the preview is no JSON");
  discreet({ preview }, secrets);
}

/** What `notify` or `update` would refuse for good, its preview may refuse, too. */
async function previewOf(
  plugin: Plugin | undefined,
  event: SampleCall,
  secrets: readonly string[],
): Promise<Json> {
  try {
    if (isUpdate(event)) return await plugin?.previewUpdate?.(event.detail, event.context) ?? null;
    return await plugin?.preview?.(event.detail, event.created, event.context) ?? null;
  } catch (error) {
    discreet({ error }, secrets);
    if (verdictOf(error).outcome === "permanent") return null;
    throw error;
  }
}
