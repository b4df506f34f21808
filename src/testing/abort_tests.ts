import assert from "node:assert/strict";
import type { ContractTest, PluginContract } from "./contract.ts";
import { sampleEvent } from "./sample_event.ts";
import { Stage, subjectsOf } from "./stage.ts";
import type { TargetHarness } from "./target_harness.ts";

/** Why an attempt is aborted, and the reason that its signal has then. */
export const ABORT_REASONS: readonly { readonly when: string; readonly make: () => DOMException }[] = [
  { when: "the service stops", make: () => new DOMException("The service stops", "AbortError") },
  { when: "the attempt takes too long", make: () => new DOMException("No answer within 30 s", "TimeoutError") },
];

/** An attempt ends when its signal is aborted, and the next one succeeds. */
export function abortTests<Target extends TargetHarness>(contract: PluginContract<Target>): ContractTest[] {
  const event = sampleEvent({ subject: subjectsOf(contract)[0] ?? "server" });
  const skipped = contract.cannot?.hangs;
  const hanging = ABORT_REASONS.map(({ when, make }): ContractTest => ({
    name: `notify() ends, to be tried again, when ${when} while the target hangs`,
    ...(skipped === undefined ? {} : { skipped }),
    run: async () => {
      await using stage = await Stage.open(contract);
      await stage.target.behave("hangs");
      const stop = new AbortController();
      const attempt = stage.attempt(event, { signal: stop.signal });
      await stage.within(Promise.race([stage.target.reached(), attempt]), "nothing reached the target");
      stop.abort(make());
      assert.equal((await attempt).outcome, "retry", "an attempt that was cut off is neither done nor given up");
      await stage.target.behave("accepts");
      await stage.succeed(event);
      assert.equal((await stage.taken()).length, 1);
    },
  }));
  return [...hanging, {
    name: "notify() fails and sends nothing when its signal is aborted before",
    run: async () => {
      await using stage = await Stage.open(contract);
      const { outcome } = await stage.attempt(event, { signal: AbortSignal.abort() });
      assert.deepEqual([outcome, await stage.taken()], ["retry", []]);
    },
  }];
}
