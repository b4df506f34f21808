import { abortTests } from "./abort_tests.ts";
import { constructorTests } from "./constructor_tests.ts";
import type { ContractTest, PluginContract } from "./contract.ts";
import { hostileTests } from "./hostile_tests.ts";
import { listTests } from "./list_tests.ts";
import { previewTests } from "./preview_tests.ts";
import { repeatTests } from "./repeat_tests.ts";
import { retryTests } from "./retry_tests.ts";
import type { TargetHarness } from "./target_harness.ts";
import { updateTests } from "./update_tests.ts";

/**
 * The requirements on every plugin as tests: which failures are retried, that an aborted attempt
 * ends, that the same event may come twice and an association before its server, that previews are
 * true and do nothing, that `list` and `expected` agree, that no secret is shown, that the
 * constructor does no I/O and names every wrong option, and that hostile names and metadata do no
 * harm. The same for `update`, if the plugin has it.
 *
 * @example
 * ```ts
 * import { contractTests, HttpHarness } from "oss-watcher/testing";
 * import { RestNotify } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const tests = contractTests({
 *   name: "RestNotify",
 *   openTarget: () => HttpHarness.open(),
 *   make: ({ url }) => new RestNotify({ urlCreation: `${url}/new`, urlDeletion: `${url}/old` }),
 * });
 *
 * const retried = tests.find(({ name }) => name === "RestNotify: notify() fails, to be tried again, when the target is down");
 * assert.equal(retried?.skipped, undefined);
 * await retried?.run();
 * ```
 */
export function contractTests<Target extends TargetHarness>(contract: PluginContract<Target>): ContractTest[] {
  const tests = [
    ...constructorTests(contract),
    ...previewTests(contract),
    ...retryTests(contract),
    ...abortTests(contract),
    ...repeatTests(contract),
    ...hostileTests(contract),
    ...updateTests(contract),
    ...listTests(contract),
  ];
  return tests.map(({ name, run, ...test }) => ({
    ...test,
    name: `${contract.name}: ${name}`,
    run: async () => await run(),
  }));
}
