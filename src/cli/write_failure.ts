import { UserError } from "../model/errors.ts";

/** Writes a file. @throws {UserError} when it cannot be written. */
export async function writeText(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text);
  } catch (error) {
    throw new UserError(`Cannot write "${path}": ${writeFailure(error)}`, { cause: error });
  }
}

/**
 * Why a file could not be written, and the next step. For an unknown cause it is the text of the
 * runtime.
 */
export function writeFailure(error: unknown): string {
  for (const [kind, text] of KNOWN) if (error instanceof kind) return text;
  return error instanceof Error ? error.message : String(error);
}

type ErrorClass = new (...args: never[]) => Error;

const KNOWN: readonly (readonly [ErrorClass, string])[] = [
  [Deno.errors.NotFound, "its directory is not there. Make it, or name another"],
  [Deno.errors.PermissionDenied, "this user may not write there. Name another place"],
  [Deno.errors.IsADirectory, "it is a directory. Name a file in it"],
  [Deno.errors.NotADirectory, "a part of its path is a file. Name another place"],
  // Deno refuses devices, whatever the permissions of the program are.
  [Deno.errors.NotCapable, "it is no ordinary file. Name one"],
];
