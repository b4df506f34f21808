import { UserError } from "../../model/errors.ts";
import { remember } from "./given_values.ts";

/**
 * The value of an environment variable, for secrets that should not stand in config.ts. Errors,
 * logs, previews and the paths of URLs never show it; if it is a URL, they hide its path, query and
 * password. Two kinds of values are shown: those of variables whose names end in HOST, PORT, USER,
 * NAME, DOMAIN, REGION, ZONE, EMAIL, ADDRESS, FROM, FILE, DIR, DN, BASE, VHOST, EXCHANGE or QUEUE,
 * and values of less than 8 characters, unless the name marks them as secrets (PASSWORD, TOKEN,
 * SECRET, API_KEY, …).
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
  const set = Deno.env.get(name);
  if (set !== undefined) asVariable(name, set);
  const value = set ?? fallback;
  if (value === undefined) {
    throw new UserError(`Cannot read "${name}" from the environment: it is not set. Set it, or edit config.ts`);
  }
  return value;
}

/** Treats a value from elsewhere as secret, like that of a variable of this name. */
export function asVariable(name: string, value: string): void {
  remember({ name, value, origin: `env ${name}` });
}
