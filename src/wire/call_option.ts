import { PermanentError } from "../model/errors.ts";
import { printable } from "./escape.ts";
import { redact } from "./redact.ts";

/** What a function of config.ts must return. */
export interface Expected<T> {
  /** As `a text`. */
  readonly what: string;
  readonly is: (value: unknown) => value is T;
}

/** For functions that must return a text. */
export const A_TEXT: Expected<string> = { what: "a text", is: (value) => typeof value === "string" };

const MAX_QUOTED_LENGTH = 200;

/**
 * What the function of an option gives. One that throws, or returns what it must not, would do so each time: the event becomes a dead
 * letter at once, holds nobody up, and is replayed when config.ts is mended. The error names the option and the line, and holds no secret.
 *
 * @param option As `subject`.
 * @param call Calls the function.
 * @throws {PermanentError}
 *
 * @example
 * ```ts
 * import { A_TEXT, callOption, type Expected } from "oss-watcher";
 * import assert from "node:assert/strict";
 *
 * const expected: Expected<string> = A_TEXT;
 * const name = (value: unknown) => callOption("name", () => value, expected);
 *
 * assert.equal(name("web-1"), "web-1");
 * assert.throws(() => name(null), /Cannot make name: its function in config.ts returned null, not a text/);
 * ```
 */
export function callOption<T>(option: string, call: () => unknown, { what, is }: Expected<T>): T {
  let value: unknown;
  try {
    value = call();
    if (is(value)) return value;
  } catch (error) {
    throw new PermanentError(thrownBy(option, error) + NEXT);
  }
  throw new PermanentError(`${cannot(option)} returned ${typeOf(value)}, not ${what}${NEXT}`);
}

/** What became of an option whose function threw. */
export function thrownBy(option: string, error: unknown): string {
  return `${cannot(option)} threw: ${shown(error)}`;
}

const NEXT = ". Mend it, restart, and replay the event";

function cannot(option: string): string {
  return `Cannot make ${printable(option, 80)}: its function in config.ts`;
}

/** Secrets are hidden before the text is cut: half a secret is one. */
function shown(error: unknown): string {
  try {
    const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const place = error instanceof Error ? FRAME.exec(error.stack ?? "")?.[1] : undefined;
    const text = printable(redact(said), MAX_QUOTED_LENGTH);
    return place === undefined ? text : `${text} (${printable(redact(place), 80)})`;
  } catch {
    return "what has no text";
  }
}

/** The first line of a stack: file, line and column at its end. */
const FRAME = /\n\s+at [^\n]*?([^/\\\s(]+:\d+):\d+\)?(?:\n|$)/;

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "object" && "then" in value) {
    // Nobody waits for it; nor shall its failure end the service.
    Promise.resolve(value).catch(() => {});
    return "a promise (it must not be async)";
  }
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
