import { PermanentError } from "../../model/errors.ts";
import { printable } from "../escaping/printable.ts";
import { redact } from "../secrets/redact.ts";

/** A function of config.ts, and its allowed results. */
export interface UserFunction<Value> {
  /** The name of the plugin that calls it, if a plugin does. */
  readonly plugin?: string;
  /** The function's place in the options: `subject`, `attributes.cn`, `detail.fields.Zone`. */
  readonly option: string;
  /** Whether the function may return this value. */
  readonly allows: (value: unknown) => value is Value;
  /** Describes the allowed results in error texts: `a text or null`. */
  readonly allowed: string;
}

/** The allowed results of most functions of config.ts. */
export const RETURNS_TEXT = {
  allows: (value: unknown) => typeof value === "string",
  allowed: "a text",
} as const satisfies Omit<UserFunction<string>, "option">;

const MAX_QUOTED_LENGTH = 80;
const MAX_MESSAGE_LENGTH = 200;

/**
 * Calls a function of config.ts and checks its result. A mistake in the function is a permanent
 * error that names plugin, option and result, since every retry would meet it again. The event
 * becomes a dead letter, which blocks no other event and can be replayed when config.ts is
 * corrected.
 *
 * @throws {PermanentError} when the function throws, or returns a value that is not allowed. Its
 * text is safe to print and holds no secret.
 *
 * @example
 * ```ts
 * import { callUserFunction, type UserFunction } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * const userFunction: UserFunction<string> = {
 *   plugin: "Mine",
 *   option: "title",
 *   allows: (value) => typeof value === "string",
 *   allowed: "a text",
 * };
 *
 * assert.equal(callUserFunction(userFunction, () => "web-1"), "web-1");
 * assert.throws(() => callUserFunction(userFunction, () => 5), /^PermanentError: Cannot make title of Mine: .* returned the number 5; it must return a text$/);
 * ```
 */
export function callUserFunction<Value>(userFunction: UserFunction<Value>, call: () => unknown): Value {
  const { allows, allowed } = userFunction;
  let value: unknown;
  try {
    value = call();
    if (allows(value)) return value;
  } catch (error) {
    // Not set as the cause: the thrown value may hold a secret.
    throw new PermanentError(thrownBy(userFunction, error));
  }
  // Nothing else handles a rejection of this promise.
  if (value instanceof Promise) value.catch(() => undefined);
  throw new PermanentError(`${cannot(userFunction)} returned ${described(value)}; it must return ${allowed}`);
}

/** The error text about a function of config.ts that threw. */
export function thrownBy(userFunction: Pick<UserFunction<unknown>, "plugin" | "option">, error: unknown): string {
  return `${cannot(userFunction)} threw: ${shown(messageOf(error), MAX_MESSAGE_LENGTH)}`;
}

function cannot({ plugin, option }: Pick<UserFunction<unknown>, "plugin" | "option">): string {
  return `Cannot make ${shown(option, MAX_QUOTED_LENGTH)}${
    plugin === undefined ? "" : ` of ${plugin}`
  }: its function in config.ts`;
}

/** Describes a value by its type, and by the value itself if that is short. */
function described(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "string") return `the text "${shown(value, MAX_QUOTED_LENGTH)}"`;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") {
    return `the ${typeof value} ${value}`;
  }
  if (value instanceof Promise) return "a promise: it must not be async";
  if (!Array.isArray(value)) return typeof value === "object" ? "an object" : `a ${typeof value}`;
  const wrong = value.find((one) => typeof one !== "string");
  return value.every((one) => typeof one === "string") ? "a list of texts" : `a list that holds ${described(wrong)}`;
}

/** The message of a thrown value, even one whose properties throw. */
function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "what has no text";
  }
}

function shown(text: string, maxLength: number): string {
  return printable(redact(text), maxLength);
}
