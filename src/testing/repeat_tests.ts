import assert from "node:assert/strict";
import type { ContractTest, PluginContract } from "./contract.ts";
import { type SampleEvent, sampleEvent } from "./sample_event.ts";
import { Stage, subjectsOf } from "./stage.ts";
import type { TargetHarness } from "./target_harness.ts";

/** Delivery is at-least-once, not always in order, and concurrent. */
export function repeatTests<Target extends TargetHarness>(contract: PluginContract<Target>): ContractTest[] {
  const { identify, assertTaken } = contract;
  const subjects = subjectsOf(contract);
  const needsIdentity = identify === undefined ? { skipped: "the contract has no `identify`" } : {};
  return [
    ...subjects.map((subject): ContractTest => ({
      name: `the target gets what notify() was given of a ${NAMES[subject]}`,
      run: async () => {
        await using stage = await Stage.open(contract);
        const event = sampleEvent({ subject });
        await stage.succeed(event);
        const taken = await stage.taken();
        assert.equal(taken.length, 1);
        for (const one of taken) assertTaken?.(one, event);
      },
    })),
    {
      name: "notify() is done when the same event comes twice, and the target can tell",
      ...needsIdentity,
      run: async () => {
        for (const subject of subjects) {
          await using stage = await Stage.open(contract);
          await stage.succeed(sampleEvent({ subject }));
          await stage.succeed({
            ...sampleEvent({ subject }),
            context: { ...sampleEvent({ subject }).context, attempt: 2 },
          });
          const identities = (await stage.taken()).map((taken) => identify?.(taken));
          assert.deepEqual([...new Set(identities)].length, 1, `not the same: ${identities.join(", ")}`);
          await stage.succeed(sampleEvent({ subject, created: false }));
          await stage.succeed(sampleEvent({ subject, created: false }));
        }
      },
    },
    {
      name: "notify() is done when something goes that was never seen to come",
      run: async () => {
        for (const subject of subjects) {
          await using stage = await Stage.open(contract);
          const { context, ...event } = sampleEvent({ subject, created: false });
          await stage.succeed({ ...event, context: { ...context, creationSeen: false } });
        }
      },
    },
    {
      name: "the target ends up the same when an association comes before its server",
      run: async () => {
        const association = sampleEvent({ subject: "floatingip" });
        // The creation of a server holds the floating IPs that are known by then.
        const server = sampleEvent({ detail: { FloatingIPs: association.detail.FloatingIPs } });
        assert.deepEqual(
          await takenOf(contract, [association, server]),
          await takenOf(contract, [server, association]),
        );
      },
    },
    ...(["server", "floatingip"] as const).filter((subject) => !subjects.includes(subject)).map((
      subject,
    ): ContractTest => ({
      name: `notify() is done, and sends nothing, when the event is about a ${NAMES[subject]}`,
      run: async () => {
        await using stage = await Stage.open(contract);
        for (const created of [true, false]) await stage.succeed(sampleEvent({ subject, created }));
        assert.deepEqual(await stage.taken(), []);
      },
    })),
    {
      name: "the target gets every event once when many are told at the same time",
      ...needsIdentity,
      run: async () => {
        await using stage = await Stage.open(contract);
        const subject = subjects[0] ?? "server";
        const events = Array.from({ length: 40 }, (_, index) => sampleEvent({ subject, server: index + 1 }));
        await Promise.all(events.map((event) => stage.succeed(event)));
        const identities = (await stage.taken()).map((taken) => identify?.(taken));
        assert.deepEqual([identities.length, new Set(identities).size], [40, 40]);
      },
    },
  ];
}

const NAMES = { server: "server", floatingip: "floating IP" };

/** The data that a new target has received of these events, in a fixed order. */
async function takenOf<Target extends TargetHarness>(
  contract: PluginContract<Target>,
  events: readonly SampleEvent[],
): Promise<string[]> {
  await using stage = await Stage.open(contract);
  for (const event of events) await stage.succeed(event);
  return (await stage.taken()).map((taken) => JSON.stringify(contract.stable?.(taken) ?? taken)).sort();
}
