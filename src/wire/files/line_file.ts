/**
 * A file that lines are appended to, by one writer. It may be rotated at any time, by renaming or
 * removing it or with logrotate's `copytruncate`. A line is on the disk when
 * {@linkcode LineFile.append} resolves; half a line, left by a crash, is ended first.
 *
 * @example
 * ```ts
 * import { LineFile } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * const path = await Deno.makeTempFile();
 * await using file = new LineFile(path, "the journal");
 *
 * await file.append("first\n");
 * await Deno.rename(path, `${path}.1`);
 * await file.append("second\n");
 *
 * assert.equal(await Deno.readTextFile(path), "second\n");
 * ```
 */
export class LineFile implements AsyncDisposable {
  readonly #path: string;
  readonly #what: string;
  #file: Deno.FsFile | undefined;
  /** Settles when the last requested operation has ended; never rejects. */
  #idle: Promise<void> = Promise.resolve();

  /**
   * Does no I/O.
   *
   * @param path Created with mode 0640 when it is missing; its directory must exist.
   * @param what The file's name in error texts, as `the event log`.
   */
  constructor(path: string, what: string) {
    this.#path = path;
    this.#what = what;
  }

  /**
   * Appends whole lines, all or none of them unless the disk fails, in the order of the calls.
   *
   * @param lines With a line feed at the end.
   * @throws {Error} when the file cannot be opened or written. The lines are then missing or
   * incomplete; a later call ends an incomplete line.
   */
  async append(lines: string, signal?: AbortSignal): Promise<void> {
    await this.#inTurn(async () => {
      signal?.throwIfAborted();
      await this.#append(new TextEncoder().encode(lines));
    });
  }

  /**
   * Opens the file before there is a line, to find out whether it can be opened.
   *
   * @throws {Error} when it cannot.
   */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#inTurn(async () => {
      signal?.throwIfAborted();
      await this.#open();
    });
  }

  /**
   * Checks whether lines can be appended, without creating the file: `check` may run as another
   * user than the service.
   *
   * @throws {Error} when the file could not be opened.
   */
  async check(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await probe(this.#path).catch((error) => {
      throw this.#unopened(error);
    });
  }

  /** Closes the file once the last line is written. A later line opens it again. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(() => this.#close());
  }

  /**
   * Runs operations one after the other: lines never mix, and no file is closed while it is
   * written.
   */
  #inTurn(work: () => void | Promise<void>): Promise<void> {
    const done = this.#idle.then(work);
    this.#idle = done.catch(() => undefined);
    return done;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    const file = await this.#open();
    try {
      await writeAll(file, bytes);
      await file.syncData();
    } catch (error) {
      // Reopening the file ends a line that may be incomplete.
      this.#close();
      throw new Error(`Cannot write to ${this.#what} "${this.#path}": ${message(error)}`, { cause: error });
    }
  }

  /** The file at the path; reopened after a rotation. */
  async #open(): Promise<Deno.FsFile> {
    try {
      if (this.#file !== undefined && !await isAt(this.#path, this.#file)) this.#close();
      return this.#file ??= await openLines(this.#path);
    } catch (error) {
      throw this.#unopened(error);
    }
  }

  #unopened(error: unknown): Error {
    const advice = error instanceof Deno.errors.NotFound ? ". Create its directory" : "";
    return new Error(`Cannot open ${this.#what} "${this.#path}": ${message(error)}${advice}`, { cause: error });
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

/** Writes all bytes, in one call unless the system accepts fewer. */
async function writeAll(
  target: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await target.write(bytes.subarray(done));
}

async function isAt(path: string, file: Deno.FsFile): Promise<boolean> {
  const [there, here] = await Promise.all([Deno.stat(path).catch(() => undefined), file.stat()]);
  return there !== undefined && there.ino === here.ino && there.dev === here.dev;
}

/** Opens a file to append lines to; half a line, left by a crash or a full disk, is ended first. */
async function openLines(path: string): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { read: true, append: true, create: true, mode: 0o640 });
  try {
    const { isFile, size } = await file.stat();
    if (!isFile) throw new Error("it is not a regular file");
    if (size > 0) await file.seek(-1, Deno.SeekMode.End);
    const last = new Uint8Array([10]);
    await file.read(last);
    if (last[0] !== 10) await writeAll(file, new Uint8Array([10]));
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Opens an existing file; if there is none, checks that a file can be created in its directory. */
async function probe(path: string): Promise<void> {
  try {
    using file = await Deno.open(path, { read: true, append: true });
    if (!(await file.stat()).isFile) throw new Error("it is not a regular file");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // Loaded only here: every config.ts imports this file, and the module takes a dry run 5 ms.
    const { dirname } = await import("node:path");
    await Deno.remove(await Deno.makeTempFile({ dir: dirname(path) }));
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
