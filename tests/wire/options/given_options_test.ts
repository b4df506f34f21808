import assert from "node:assert/strict";
import { givenOptions, rememberedOptions } from "../../../src/wire/options/given_options.ts";

Deno.test("givenOptions() remembers the options of a plugin by class and name", () => {
  const [named, unnamed] = [{ name: "Cmdb", room: 1 }, { room: 2 }];
  assert.equal(givenOptions("Mine", named), named);
  assert.equal(givenOptions("Mine", unnamed), unnamed);
  assert.equal(rememberedOptions("Mine", "Cmdb"), named);
  assert.equal(rememberedOptions("Mine", "Mine"), unnamed);
  assert.equal(rememberedOptions("Other", "Cmdb"), undefined);
});

Deno.test("givenOptions() leaves a name that is no text to the plugin's rules", () => {
  for (const name of [Object.create(null), Symbol("name"), 5, {}]) {
    const options = { name };
    assert.equal(givenOptions("Mine", options), options);
  }
});
