/**
 * A shell on a terminal of its own, in which somebody types.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { denoDir, ProgramDirectory } from "./program.ts";

const DRIVER = fileURLToPath(new URL("interactive_shell.py", import.meta.url));
const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

const SHELLS = {
  bash: { program: ["bash", "--noprofile", "--norc", "-i"], setup: "source <(oss-watcher completion bash)" },
  zsh: {
    program: ["zsh", "-f", "-i"],
    setup: "bindkey -e; autoload -Uz compinit; compinit -u -D; source <(oss-watcher completion zsh)",
  },
  fish: { program: ["fish", "--no-config", "--interactive"], setup: "oss-watcher completion fish | source" },
} as const;

export type ShellName = keyof typeof SHELLS;

/** A directory in which a shell finds our program as `oss-watcher`. */
export class ShellDirectory extends ProgramDirectory {
  constructor(files: Readonly<Record<string, string | null>> = {}) {
    super(files);
    this.#writeProgram(
      "bin/oss-watcher",
      `#!/bin/sh\nexec "${Deno.execPath()}" run --quiet --no-prompt --allow-read --allow-write --allow-env --deny-net "${MAIN}" "$@"\n`,
    );
    // Words as the shell has understood them, one line feed and NUL behind each.
    this.#writeProgram(
      "bin/args",
      `#!/bin/sh\nfor arg; do printf '%s\\0' "$arg"; done >>args.out\nprintf '\\n' >>args.out\n`,
    );
  }

  #writeProgram(name: string, text: string): void {
    this.write(name, text);
    Deno.chmodSync(this.path(name), 0o755);
  }

  /**
   * Types each line, Tab included, and then makes the shell show what words it has become. Returns
   * the words of each line. `setup` makes the shell complete our commands.
   */
  async typeIn(
    shell: ShellName,
    lines: readonly string[],
    setup: string = SHELLS[shell].setup,
  ): Promise<readonly (readonly string[])[]> {
    const toBeginning = "\x01";
    const { args } = await this.#run(shell, { setup, lines: lines.map((line) => `${line}${toBeginning}args `) });
    return args;
  }

  /** Types each line; returns what the terminal shows. */
  async screen(shell: ShellName, lines: readonly string[]): Promise<string> {
    const { screen } = await this.#run(shell, { setup: SHELLS[shell].setup, lines });
    return screen;
  }

  async #run(shell: ShellName, typed: { readonly setup: string; readonly lines: readonly string[] }) {
    const child = new Deno.Command("python3", {
      args: [DRIVER, ...SHELLS[shell].program],
      cwd: this.path(),
      env: {
        PATH: `${this.path("bin")}:${Deno.env.get("PATH")}`,
        HOME: this.path(),
        DENO_DIR: denoDir(),
        XDG_STATE_HOME: this.path("state"),
        TERM: "dumb",
        NO_COLOR: "1",
        LC_ALL: "C.UTF-8",
      },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(JSON.stringify(typed)));
    await writer.close();
    const screen = new TextDecoder().decode((await child.output()).stdout);
    const written = await Deno.readTextFile(this.path("args.out")).catch(() => "");
    const args = written.split("\0\n").slice(0, -1).map((line) => line.split("\0"));
    return { screen, args };
  }
}
