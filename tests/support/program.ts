/**
 * oss-watcher as a user runs it: a process of its own, in a directory of its own.
 *
 * @module
 */

import { assertJsonAsDocumented } from "./json_output.ts";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** What a command may do that neither talks to the network nor writes. */
export const READ_ONLY: readonly string[] = ["--allow-read", "--allow-env", "--deny-net", "--deny-write"];

/** What commands on a ledger need. */
export const READ_WRITE: readonly string[] = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--deny-net",
];

export interface ProgramRun {
  readonly dir: string;
  readonly args: readonly string[];
  /** @default nothing: the end of input at once */
  readonly input?: string | Uint8Array<ArrayBuffer>;
  /** @default READ_ONLY */
  readonly permissions?: readonly string[];
  /** Further environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program that runs it, with arguments. */
  readonly prefix?: readonly string[];
}

/** How a run ended and what it said. */
export interface ProgramEnd {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs it and waits for its end. */
export async function runProgram(run: ProgramRun): Promise<ProgramEnd> {
  await using program = startProgram(run);
  if (run.input !== undefined) await program.feed(run.input);
  const { code } = await program.ended();
  return { code, out: program.out, err: program.err };
}

/** Starts it. */
export function startProgram(run: ProgramRun): RunningProgram {
  return new RunningProgram(run);
}

export class RunningProgram implements AsyncDisposable {
  /** What it wrote so far. */
  out = "";
  err = "";
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  readonly #args: readonly string[];
  #isChecked = false;

  /** Use {@linkcode startProgram}. */
  constructor({ dir, args, input, permissions = READ_ONLY, env = {}, prefix = [] }: ProgramRun) {
    this.#args = args;
    const [command = "", ...rest] = [...prefix, Deno.execPath(), "run", "--quiet", "--no-prompt", ...permissions, MAIN];
    this.#child = new Deno.Command(command, {
      args: [...rest, ...args],
      cwd: dir,
      env: { NO_COLOR: "1", ...env },
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#read = Promise.all([
      readAll(this.#child.stdout, (text) => this.out += text),
      readAll(this.#child.stderr, (text) => this.err += text),
    ]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Gives it its whole standard input. */
  async feed(input: string | Uint8Array<ArrayBuffer>): Promise<void> {
    // Whoever does not read to the end closes the pipe.
    await new Blob([input]).stream().pipeTo(this.#child.stdin).catch(() => {});
  }

  /** Resolves with its end. */
  async ended(): Promise<Deno.CommandStatus> {
    const status = await this.#child.status;
    await this.#read;
    if (!this.#isChecked) {
      this.#isChecked = true;
      assertJsonAsDocumented(this.#args, this.out);
    }
    return status;
  }

  /** Sends a signal; resolves with its end. */
  async end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended by itself.
    }
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}

async function readAll(stream: ReadableStream<Uint8Array<ArrayBuffer>>, take: (text: string) => void): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
}

/** Deno's cache, for a program whose HOME is another: it would load all packages again. */
export function denoDir(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

/** A directory with files that goes with the test. Not in /dev/shm: Deno keeps a program with few permissions out of /dev. */
export class ProgramDirectory implements Disposable {
  readonly #path: string = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "oss-watcher-program-" }));

  /** Files by their names; `null` makes an empty directory. */
  constructor(files: Readonly<Record<string, string | Uint8Array | null>>) {
    for (const [name, content] of Object.entries(files)) this.write(name, content);
  }

  path(...parts: readonly string[]): string {
    return join(this.#path, ...parts);
  }

  write(name: string, content: string | Uint8Array | null): void {
    const path = this.path(name);
    Deno.mkdirSync(content === null ? path : dirname(path), { recursive: true });
    if (typeof content === "string") Deno.writeTextFileSync(path, content);
    else if (content !== null) Deno.writeFileSync(path, content);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#path, { recursive: true });
  }
}
