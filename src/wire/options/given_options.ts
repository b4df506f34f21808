/**
 * The options that plugins were made with, by class and name, for operators. Per process, like the
 * environment's values in `env.ts`: a plugin does not know the process that it is made in.
 */
const remembered = new Map<string, object>();

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
  if (typeof options === "object" && options !== null && !Array.isArray(options)) {
    const name: unknown = Reflect.get(options, "name") ?? plugin;
    // Others are refused by the rules of the plugin.
    if (typeof name === "string") remembered.set(keyOf(plugin, name), options);
    return options;
  }
  throw new TypeError(`Cannot make ${plugin}: needs an object of options, as new ${plugin}({ … })`);
}

/** The options of the last plugin of this class and name; `undefined`: it has not asked for them. */
export function rememberedOptions(plugin: string, name: string): object | undefined {
  return remembered.get(keyOf(plugin, name));
}

function keyOf(plugin: string, name: string): string {
  return JSON.stringify([plugin, name]);
}
