import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { loadedWith } from "../support/loaded_with.ts";

/** What a dry run imports, one after the other. */
const STEPS = ["main.ts", "src/cli/start.ts", "src/config/load_config.ts", "plugins/mod.ts", "src/cli/dry_run.ts"];

async function loaded(step: string): Promise<readonly string[]> {
  return [...await loadedWith(fileURLToPath(new URL(`../../${step}`, import.meta.url)))];
}

for (const step of STEPS) {
  Deno.test(`a dry run loads neither commander nor a module of Node with ${step}`, async () => {
    const specifiers = await loaded(step);
    assert.ok(specifiers.some((specifier) => specifier.endsWith(`/${step}`)));
    assert.deepEqual(specifiers.filter((specifier) => /^node:|commander/.test(specifier)), []);
  });
}

Deno.test("a configuration loads no more of the built-in plugins than makes them", async () => {
  const specifiers = await loaded("plugins/mod.ts");
  assert.ok(specifiers.some((specifier) => specifier.endsWith("/src/kit/targets.ts")));
  const more = /\/src\/kit\/mod\.ts$|\/src\/wire\/\w+\/\w+_(?:client|sender|link|session|failure)\.ts$|_delivery\.ts$/;
  assert.deepEqual(specifiers.filter((specifier) => more.test(specifier)), []);
});
