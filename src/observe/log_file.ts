import { dirname } from "node:path";
import { UserError } from "../model/errors.ts";

/**
 * A log file, appended to by one process. It may be rotated at any time, by renaming or removing it
 * or with logrotate's `copytruncate`. When {@linkcode LogFile.write} returns, the operating system
 * has the line, so that it survives `kill -9`. Unlike `LineFile` it does not wait for the disk: a
 * power failure may lose the last lines.
 */
export class LogFile implements Disposable {
  readonly #path: string;
  readonly #instead: (line: string) => void;
  #file: Deno.FsFile | undefined;
  #failing = false;

  /**
   * Opens the file, and creates its directory if it is missing.
   *
   * @param instead Gets the reason and the lines while the file cannot be written.
   * @throws {UserError} when it cannot be opened.
   */
  constructor(path: string, instead: (line: string) => void) {
    this.#path = path;
    this.#instead = instead;
    try {
      Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
      this.#file = openLog(path);
    } catch (error) {
      throw new UserError(
        `Cannot open the log file "${path}": ${textOf(error)}. Set log.file to a place that this user may write to`,
      );
    }
  }

  /** Appends a line; never throws. */
  write(line: string): void {
    try {
      this.#append(line);
      this.#failing = false;
    } catch (error) {
      // Reopening the file ends a line that may be half written.
      this[Symbol.dispose]();
      if (!this.#failing) this.#instead(`Cannot write to the log file "${this.#path}": ${textOf(error)}\n`);
      this.#failing = true;
      this.#instead(line);
    }
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #append(line: string): void {
    if (this.#file !== undefined && !isAt(this.#path, this.#file)) this[Symbol.dispose]();
    this.#file ??= openLog(this.#path);
    writeAll(this.#file, line);
  }
}

/** Opens a file for appending. A half-written line, left by a full disk, is ended first. */
function openLog(path: string): Deno.FsFile {
  // Checked before opening, since opening a pipe waits for its reader.
  if (!isMissingOrFile(path)) throw new Error("it is not a regular file");
  const file = Deno.openSync(path, { read: true, append: true, create: true, mode: 0o640 });
  try {
    if (file.statSync().size > 0) file.seekSync(-1, Deno.SeekMode.End);
    const last = new Uint8Array([LINE_FEED]);
    file.readSync(last);
    if (last[0] !== LINE_FEED) writeAll(file, "\n");
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

const LINE_FEED = 10;

function isMissingOrFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

function writeAll(file: Deno.FsFile, text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(file.writeSync(bytes));
}

/** Whether the path still refers to the open file. */
function isAt(path: string, file: Deno.FsFile): boolean {
  try {
    const [there, here] = [Deno.statSync(path), file.statSync()];
    return there.ino === here.ino && there.dev === here.dev;
  } catch {
    return false;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
