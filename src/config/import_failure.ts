import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { printable } from "../wire/escaping/printable.ts";
import { redact } from "../wire/secrets/redact.ts";

/** Long enough for all problems that a plugin's constructor names. */
const MAX_LENGTH = 3000;

/** `file:///etc/oss-watcher/config.ts:3:5`, in Deno's messages and stacks. */
const LOCATION = /\bfile:\/\/\/[^\s"()]*?:\d+:\d+/g;

/**
 * The unexpected source text that the parser quotes: it may be a password without its comma or
 * quote.
 */
const QUOTED_SOURCE = /, got '(?!<eof>).*\w.*|(?<=Unexpected token) `[^`]*\w.*/;

/**
 * Why a module could not be imported, on one line, without a stack trace: `<file>:<line>:<column>:
 * <what>`, the place where it is known.
 *
 * @param url The module: an error is located at the module's own line, not in the code that it
 * calls.
 */
export function importFailure(error: unknown, url: string): string {
  const text = stripVTControlCharacters(error instanceof Error ? error.message : String(error));
  const place = error instanceof Error ? placeOf(text, error.stack ?? "", url) : undefined;
  const [firstLine = ""] = text.split("\n");
  const said = firstLine
    .replace(/^SyntaxError: /, "Syntax error: ")
    .replace(QUOTED_SOURCE, "")
    .replace(/ at file:\/\/\S+:\d+:\d+$/, "");
  return `${place === undefined ? "" : `${place}: `}${printable(redact(said), MAX_LENGTH)}`;
}

function placeOf(text: string, stack: string, url: string): string | undefined {
  const [inText] = text.match(LOCATION) ?? [];
  const location = inText ?? stack.match(LOCATION)?.find((place) => place.startsWith(`${url}:`));
  const [, file = "", position = ""] = /^(.*?)(:\d+:\d+)$/.exec(location ?? "") ?? [];
  return file === "" ? undefined : fileURLToPath(file) + position;
}
