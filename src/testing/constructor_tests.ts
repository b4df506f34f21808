import assert from "node:assert/strict";
import type { ContractTest, PluginContract } from "./contract.ts";
import { discreet } from "./secrets.ts";
import type { TargetHarness } from "./target_harness.ts";

/** The constructor does no I/O, and names every wrong option. */
export function constructorTests<Target extends TargetHarness>(
  { right, wrong, secrets = [] }: PluginContract<Target>,
): ContractTest[] {
  return [
    {
      name: "its constructor does no I/O",
      ...(right === undefined ? { skipped: "the contract has no `right`" } : {}),
      needsNothing: true,
      run: async () => {
        const plugin = right?.();
        assert.equal(typeof plugin?.notify, "function");
        const name = plugin?.name ?? plugin?.constructor.name ?? "";
        assert.match(name, /^\P{C}{1,100}$/u, "its name must have 1 to 100 visible characters");
        discreet({ plugin }, secrets);
        // Work that the constructor may have started fails here if it needs a permission.
        await new Promise((resolve) => setTimeout(resolve, 0));
        await plugin?.[Symbol.asyncDispose]?.();
      },
    },
    {
      name: "its constructor names every wrong option, and no secret",
      ...(wrong === undefined ? { skipped: "the contract has no `wrong`" } : {}),
      needsNothing: true,
      run: () => {
        assert.throws(() => wrong?.make(), (error: unknown) => {
          assert(error instanceof TypeError, `it must throw a TypeError, not ${error}`);
          const unnamed = wrong?.names.filter((name) => !error.message.includes(`${name}: `));
          assert.deepEqual(unnamed, [], `not named as "option: what is allowed" in: ${error.message}`);
          discreet({ error }, secrets);
          return true;
        });
      },
    },
  ];
}
