import { UserError } from "../model/errors.ts";
import { writeFailure } from "./write_failure.ts";

/**
 * A file of JSON Lines without a broken line: a line that cannot be written to its end is removed.
 */
export class RecordFile implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #size: number;

  private constructor(path: string, { file, size }: { readonly file: Deno.FsFile; readonly size: number }) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
  }

  /**
   * Opens a new file that only its owner can read, or with `append` one that may exist.
   *
   * @throws {UserError} when it exists already, its last line is broken, or it cannot be written.
   */
  static open(path: string, { append }: { readonly append: boolean }): RecordFile {
    try {
      const options = append ? { read: true, write: true, create: true } : { write: true, createNew: true };
      const file = Deno.openSync(path, { ...options, mode: 0o600 });
      const size = file.seekSync(0, Deno.SeekMode.End);
      if (size > 0) refuseBrokenEnd(path, { file, size });
      return new RecordFile(path, { file, size });
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`Cannot write "${path}": ${whyNot(error)}`, { cause: error });
    }
  }

  /** @throws {UserError} when it cannot be written; the file ends with the line before then. */
  write(line: string): void {
    const bytes = new TextEncoder().encode(`${line}\n`);
    try {
      for (let rest = bytes; rest.byteLength > 0; rest = rest.subarray(this.#file.writeSync(rest)));
      this.#size += bytes.byteLength;
    } catch (error) {
      this.#file.truncateSync(this.#size);
      throw new UserError(`Cannot write "${this.#path}": ${whyNot(error)}. It ends with a whole line`, {
        cause: error,
      });
    }
  }

  /** An empty file is removed: it would make the next recording fail. */
  [Symbol.dispose](): void {
    this.#file.close();
    if (this.#size === 0) Deno.removeSync(this.#path);
  }
}

/** A new line would become part of the broken one. */
function refuseBrokenEnd(path: string, { file, size }: { readonly file: Deno.FsFile; readonly size: number }): void {
  file.seekSync(size - 1, Deno.SeekMode.Start);
  const last = new Uint8Array(1);
  file.readSync(last);
  if (last[0] === 0x0a) return;
  file.close();
  throw new UserError(`Cannot append to "${path}": its last line has no end. Complete or remove that line`);
}

function whyNot(error: unknown): string {
  if (error instanceof Deno.errors.AlreadyExists) return "it exists already. Name another file, or add --append";
  return writeFailure(error);
}
