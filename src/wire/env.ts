import { UserError } from "../model/errors.ts";

/**
 * The value of an environment variable, for secrets that should not stand in config.ts.
 *
 * @throws {UserError} when the variable is not set and there is no `fallback`.
 *
 * @example
 * ```ts
 * import { env } from "oss-watcher";
 * import assert from "node:assert/strict";
 *
 * assert.equal(env("OSS_WATCHER_NOT_SET", "fallback"), "fallback");
 * ```
 */
export function env(name: string, fallback?: string): string {
  const value = Deno.env.get(name) ?? fallback;
  if (value === undefined) {
    throw new UserError(`Cannot read the environment variable "${name}": it is not set. Set it, or edit config.ts`);
  }
  return value;
}
