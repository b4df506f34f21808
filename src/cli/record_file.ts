import { UserError } from "../model/errors.ts";
import { whyUnwritten } from "./why_unwritten.ts";

/** JSON Lines of which every one is whole, whatever happens: a line that cannot be written to its end is taken back. */
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
   * Opens a new file for its owner alone, or with `append` one that may be there.
   *
   * @throws {UserError} when it is there already, its last line is broken, or it cannot be written.
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

  /** A file in which nothing was written would only be in the way of the next one. */
  [Symbol.dispose](): void {
    this.#file.close();
    if (this.#size === 0) Deno.removeSync(this.#path);
  }
}

/** A line of ours would be glued to the broken one. */
function refuseBrokenEnd(path: string, { file, size }: { readonly file: Deno.FsFile; readonly size: number }): void {
  file.seekSync(size - 1, Deno.SeekMode.Start);
  const last = new Uint8Array(1);
  file.readSync(last);
  if (last[0] === 0x0a) return;
  file.close();
  throw new UserError(`Cannot append to "${path}": its last line has no end. Complete or remove that line`);
}

function whyNot(error: unknown): string {
  if (error instanceof Deno.errors.AlreadyExists) return "it is there already. Name another file, or add --append";
  return whyUnwritten(error);
}
