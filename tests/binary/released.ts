/**
 * The released program: the one that `OSS_WATCHER_BINARY` names, else what is compiled into it, run by Deno in a copy that holds nothing
 * else, may not be written and asks no registry. Base runtimes cannot be downloaded everywhere, a binary's conditions can be had.
 *
 * @module
 */

import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EMBEDDED } from "../../tools/compile.ts";
import { PERMISSIONS } from "../../tools/permissions.ts";

const TOP = fileURLToPath(new URL("../..", import.meta.url));
/** What the compiler takes without being told: the entrance, what it imports, and the settings with the import map. */
const TAKEN_ANYWAY = ["main.ts", "config.ts", "deno.json", "deno.lock"];

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The program, and a directory of the user's that has nothing to do with it. */
export class Released implements AsyncDisposable {
  readonly #top: string;
  readonly #command: readonly string[];

  private constructor(top: string, command: readonly string[]) {
    this.#top = top;
    this.#command = command;
  }

  static async open(): Promise<Released> {
    const top = await Deno.realPath(await Deno.makeTempDir({ prefix: "oss-watcher-binary-" }));
    await Deno.mkdir(join(top, "home"));
    const binary = Deno.env.get("OSS_WATCHER_BINARY");
    return new Released(top, binary === undefined ? await standIn(join(top, "program")) : [binary]);
  }

  /** A path in the user's directory. */
  path(...parts: readonly string[]): string {
    return join(this.#top, "home", ...parts);
  }

  async write(file: string, content: string): Promise<void> {
    await Deno.mkdir(join(this.path(file), ".."), { recursive: true });
    await Deno.writeTextFile(this.path(file), content);
  }

  /** Runs it to its end in the user's directory, or in one below. */
  async run(
    args: readonly string[],
    { dir = ".", env = {} }: { readonly dir?: string; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<Ended> {
    const { code, stdout, stderr } = await this.#spawn(args, { dir, env }).output();
    const text = new TextDecoder();
    return { code, out: text.decode(stdout), err: text.decode(stderr) };
  }

  /** Starts it, as a service. */
  start(args: readonly string[]): Deno.ChildProcess {
    return this.#spawn(args, { dir: ".", env: {} }).spawn();
  }

  #spawn(
    args: readonly string[],
    { dir, env }: { readonly dir: string; readonly env: Readonly<Record<string, string>> },
  ): Deno.Command {
    const [program = "", ...rest] = this.#command;
    return new Deno.Command(program, {
      args: [...rest, ...args],
      cwd: this.path(dir),
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#top, { recursive: true });
  }
}

async function standIn(dir: string): Promise<readonly string[]> {
  for (const part of [...TAKEN_ANYWAY, ...EMBEDDED]) await cp(join(TOP, part), join(dir, part), { recursive: true });
  const conditions = ["--quiet", "--frozen", "--cached-only", `--deny-write=${dir}`];
  return [Deno.execPath(), "run", ...conditions, ...PERMISSIONS, join(dir, "main.ts")];
}
