import type { PluginContract } from "./contract.ts";
import { contractTests } from "./contract_tests.ts";
import type { TargetHarness } from "./target_harness.ts";

/**
 * Registers the tests of {@linkcode contractTests} with `Deno.test`, in a file of tests as this
 * one:
 *
 * ```ts ignore
 * import { HttpHarness, testPlugin } from "oss-watcher/testing";
 * import { Mine } from "../plugins/mine.ts";
 *
 * testPlugin({
 *   name: "Mine",
 *   openTarget: () => HttpHarness.open(),
 *   make: ({ url }) => new Mine({ url, password: "pa55-of-the-test" }),
 *   secrets: ["pa55-of-the-test"],
 * });
 * ```
 */
export function testPlugin<Target extends TargetHarness>(contract: PluginContract<Target>): void {
  for (const { name, skipped, needsNothing, run } of contractTests(contract)) {
    Deno.test({
      name: skipped === undefined ? name : `${name} (skipped: ${skipped})`,
      ignore: skipped !== undefined,
      permissions: needsNothing ? "none" : "inherit",
      fn: run,
    });
  }
}
