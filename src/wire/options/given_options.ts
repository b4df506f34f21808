/**
 * The options that a plugin was made with.
 *
 * @throws {TypeError} when there are none: config.ts is not always type-checked.
 *
 * @example
 * ```ts
 * import { givenOptions } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(givenOptions("Mine", { room: "4.12" }), { room: "4.12" });
 * assert.throws(() => givenOptions("Mine", null), /^TypeError: Cannot make Mine: needs an object of options/);
 * ```
 */
export function givenOptions<Options>(plugin: string, options: Options): Options & object {
  if (typeof options === "object" && options !== null && !Array.isArray(options)) return options;
  throw new TypeError(`Cannot make ${plugin}: needs an object of options, as new ${plugin}({ … })`);
}
