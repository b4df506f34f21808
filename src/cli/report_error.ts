import { UserError } from "../model/errors.ts";
import { printable } from "../wire/escaping/printable.ts";
import { redact } from "../wire/secrets/redact.ts";
import { EXIT_FAILURE, EXIT_UNREAD, EXIT_USAGE } from "./context.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage.ts";

/**
 * Prints an error that ended a command: one line for a mistake of the user, a stack trace with
 * `--debug` alone. Returns the exit code.
 */
export function reportError(
  error: unknown,
  { debug, terminal }: { readonly debug: boolean; readonly terminal: Terminal },
): number {
  // As with `events | head`.
  if (error instanceof Deno.errors.BrokenPipe) return EXIT_UNREAD;
  const message = error instanceof Error ? error.message : String(error);
  const text = error instanceof UserError ? message : `Unexpected: ${message} (--debug shows where)`;
  for (const line of text.split("\n")) terminal.error(printable(redact(line)));
  if (debug && error instanceof Error && error.stack) terminal.error(redact(error.stack));
  return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILURE;
}
