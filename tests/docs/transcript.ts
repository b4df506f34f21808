import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PERMISSIONS } from "../../tools/permissions.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/**
 * A piece of a document that is replayed: a command with the output that the document shows, a
 * program that goes on, with what it says and what happens meanwhile, or a file that its reader
 * writes.
 */
export type Step =
  | { readonly line: number; readonly command: string; readonly shown: string }
  | { readonly line: number; readonly program: string; readonly happens: readonly string[] }
  | { readonly line: number; readonly file: string; readonly content: string };

/**
 * The steps of a Markdown document, in order: `$ command` lines of blocks marked `console`, blocks
 * marked `terminal` (a program that goes on, with lines that it writes, `# ` for what its reader
 * does elsewhere, and `^C` for its end), and blocks whose info string names a file, as "```ts
 * plugins/mine.ts".
 */
export function stepsOf(markdown: string): readonly Step[] {
  const blocks = [...markdown.matchAll(/^```(\S+)(?: (\S+))?\n([^]*?)^```$/gm)];
  return blocks.flatMap((block): Step[] => {
    const [, language, file, content = ""] = block;
    const line = markdown.slice(0, block.index).split("\n").length + 1;
    if (file !== undefined) return [{ line, file, content }];
    if (language === "terminal") {
      const [program = "", ...happens] = content.trimEnd().split("\n");
      return [{ line, program: program.replace(/^\$ /, ""), happens }];
    }
    if (language !== "console") return [];
    return content.split(/^\$ /m).slice(1).map((part) => {
      const [command = "", ...shown] = part.split("\n");
      return { line, command, shown: shown.join("\n").trimEnd() };
    });
  });
}

/**
 * A shell in a directory of its own in which `oss-watcher` is this program with the compiled one's
 * permissions.
 */
export class Shell implements AsyncDisposable {
  readonly #top: string;
  #cwd: string;

  private constructor(top: string) {
    this.#top = top;
    this.#cwd = top;
  }

  static async open(): Promise<Shell> {
    const top = await Deno.realPath(await Deno.makeTempDir({ prefix: "oss-watcher-docs-" }));
    const bin = join(top, ".bin");
    await Deno.mkdir(bin);
    const program = Deno.env.get("OSS_WATCHER_BINARY") ??
      [Deno.execPath(), "run", "--quiet", ...PERMISSIONS, MAIN].map((part) => `'${part}'`).join(" ");
    await Deno.writeTextFile(join(bin, "oss-watcher"), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
    await Deno.writeTextFile(join(bin, "deno"), `#!/bin/sh\nexec '${Deno.execPath()}' "$@"\n`, { mode: 0o755 });
    return new Shell(top);
  }

  async write(file: string, content: string): Promise<void> {
    await Deno.writeTextFile(join(this.#cwd, file), content);
  }

  /** Runs one line; gives what it wrote to both outputs. */
  async run(command: string): Promise<string> {
    const { stdout } = await new Deno.Command("bash", {
      args: ["-c", `exec 2>&1; ${command}\npwd > '${this.#top}/.cwd'`],
      cwd: this.#cwd,
      env: { PATH: `${this.#top}/.bin:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
      stdin: "null",
    }).output();
    this.#cwd = (await Deno.readTextFile(join(this.#top, ".cwd"))).trim();
    return new TextDecoder().decode(stdout).trimEnd();
  }

  /** Starts a program that goes on. */
  start(command: string, env: Readonly<Record<string, string>>): StartedProgram {
    return new StartedProgram(new Deno.Command("bash", {
      args: ["-c", `exec 2>&1; exec ${command}`],
      cwd: this.#cwd,
      env: { PATH: `${this.#top}/.bin:${Deno.env.get("PATH")}`, NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
    }).spawn());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#top, { recursive: true });
  }
}

/** A program under way. */
export class StartedProgram implements AsyncDisposable {
  /** What it wrote so far. */
  output = "";
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#read = this.#drain();
  }

  /** As `^C` ends it. */
  async interrupt(): Promise<Deno.CommandStatus> {
    this.#child.kill("SIGINT");
    const status = await this.#child.status;
    await this.#read;
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#read;
  }

  async #drain(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) this.output += text;
  }
}

/**
 * Whether an output is what a document shows of it, where `…` stands for anything, also for several
 * lines.
 */
export function isShown(output: string, shown: string): boolean {
  const pattern = shown.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("[^]*?");
  return new RegExp(`^${pattern}$`).test(output);
}
