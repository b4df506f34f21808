import { UserError } from "../model/errors.ts";

const PIECE_BYTES = 65_536;

/** What a message calls a file of notifications. */
export function historyName(file: string): string {
  return file === "-" ? "standard input" : `"${file}"`;
}

/**
 * The bytes of a file of notifications, piece by piece; of `-`, standard input.
 *
 * @throws {UserError} when it cannot be read.
 */
export async function* historyBytes(
  file: string,
  readInput: () => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  try {
    if (file === "-") yield await readInput();
    // The empty name would be the working directory.
    else if (file === "") throw new Deno.errors.NotFound();
    else yield* piecesOf(file);
  } catch (error) {
    throw new UserError(`Cannot read ${historyName(file)}: ${whyUnreadable(error)}`, { cause: error });
  }
}

/** A stream of the web's would take as long to load as all of this. */
async function* piecesOf(path: string): AsyncGenerator<Uint8Array, void> {
  using file = await Deno.open(path);
  for (;;) {
    const piece = new Uint8Array(PIECE_BYTES);
    const length = await file.read(piece);
    if (length === null) return;
    yield piece.subarray(0, length);
  }
}

function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not read it";
  // Deno lets no program read /dev and /proc, where a shell's <(…) is.
  if (error instanceof Deno.errors.NotCapable) {
    return "this program may not read there; pipe it in, with - for the file";
  }
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  return error instanceof Error ? error.message : String(error);
}
