import type { Detail, Json, NotifyContext, Plugin } from "../mod.ts";

/** Options of {@linkcode EventLog}. */
export interface EventLogOptions {
  /** Appended to, and created with mode 0640; its directory must exist. It may be rotated at any time. @default standard output */
  readonly file?: string;
  /** Unique among the configured plugins. @default "EventLog" */
  readonly name?: string;
}

/**
 * Writes every event as one line of JSON: `time`, `event` (its type), `created`, `key`, `detail`. A line in a file is on the disk
 * before the event counts as done. An event may come twice: its key tells.
 *
 * @example
 * ```ts
 * import { EventLog, type EventLogOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: EventLogOptions = { file: "/var/log/oss-watcher/events.jsonl" };
 *
 * assert.equal(new EventLog(options).name, "EventLog");
 * ```
 */
export class EventLog implements Plugin {
  readonly name: string;
  readonly #path: string | undefined;
  #file: Deno.FsFile | undefined;
  /** Settles when the last write that was asked for has ended; never rejects. */
  #idle: Promise<void> = Promise.resolve();

  /** @throws {TypeError} naming every option that is wrong. */
  constructor(options: EventLogOptions = {}) {
    const problems = problemsOf(options);
    if (problems.length > 0) throw new TypeError(`Cannot make EventLog: ${problems.join("; ")}`);
    this.name = options.name ?? "EventLog";
    this.#path = options.file;
  }

  /** @throws {Error} when the file cannot be opened or written. */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    const line = new TextEncoder().encode(`${escaped(JSON.stringify(entry(detail, created, context)))}\n`);
    await this.#inTurn(async () => {
      context.signal.throwIfAborted();
      await (this.#path === undefined ? writeAll(Deno.stdout, line) : this.#append(this.#path, line));
    });
  }

  /** The object that {@linkcode EventLog.notify} would write. */
  preview(detail: Detail, created: boolean, context: NotifyContext): Json {
    return entry(detail, created, context);
  }

  /** Rejects when the file cannot be opened. */
  async check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const path = this.#path;
    if (path !== undefined) await this.#inTurn(async () => void await this.#open(path));
  }

  /** Closes the file once the last line is written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(() => this.#close());
  }

  /** One after the other: lines never mix, and nobody closes a file that another writes to. */
  #inTurn(work: () => void | Promise<void>): Promise<void> {
    const done = this.#idle.then(work);
    this.#idle = done.catch(() => undefined);
    return done;
  }

  async #append(path: string, line: Uint8Array): Promise<void> {
    const file = await this.#open(path);
    try {
      await writeAll(file, line);
      await file.syncData();
    } catch (error) {
      // Opened again, the file gets an end to what may be half a line.
      this.#close();
      throw new Error(`Cannot write to the event log "${path}": ${message(error)}`, { cause: error });
    }
  }

  /** The file at the path, which is another one after a rotation. */
  async #open(path: string): Promise<Deno.FsFile> {
    try {
      if (this.#file !== undefined && !await isAt(path, this.#file)) this.#close();
      return this.#file ??= await openLines(path);
    } catch (error) {
      const advice = error instanceof Deno.errors.NotFound ? ". Create its directory" : "";
      throw new Error(`Cannot open the event log "${path}": ${message(error)}${advice}`, { cause: error });
    }
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

function problemsOf(options: EventLogOptions): string[] {
  return Object.entries(options).filter(([, value]) => value !== undefined).flatMap(([key, value]) => {
    if (key !== "file" && key !== "name") return [`${key}: unknown option`];
    return typeof value === "string" && value !== "" ? [] : [`${key}: must be a text that is not empty`];
  });
}

function entry(detail: Detail, created: boolean, { time, eventType, key }: NotifyContext): Json {
  return { time, event: eventType, created, key, detail: detail as Json };
}

/** The same JSON with escapes for what could move a terminal's cursor or reverse its text (JSON escapes C0 only). */
function escaped(json: string): string {
  return json.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => char.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  );
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

/** In one call, unless the system takes less. */
async function writeAll(target: { write(bytes: Uint8Array): Promise<number> }, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await target.write(bytes.subarray(done));
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
