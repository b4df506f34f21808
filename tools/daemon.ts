// A server that is private to us, as those of a cloud, in a process group of its own, which ends with this process, even
// if that is killed.

export interface DaemonStart {
  /** Names it and its log. */
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Its folder; the log is `log/<name>.log` in it. It is removed when we are gone. */
  readonly dir: string;
}

export class Daemon {
  readonly name: string;
  readonly #log: string;
  readonly #child: Deno.ChildProcess;
  #hasEnded = false;

  constructor({ name, command, env, dir }: DaemonStart) {
    this.name = name;
    this.#log = `${dir}/log/${name}.log`;
    this.#child = new Deno.Command("setsid", {
      args: ["sh", "-c", RUN, dir, this.#log, ...command],
      cwd: dir,
      clearEnv: true,
      env: { ...env },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#child.status.then(() => this.#hasEnded = true);
  }

  /**
   * Waits until it is ready.
   *
   * @throws {Error} when it ends before, or takes too long; with the end of its log.
   */
  async until(ready: () => Promise<boolean>, seconds = 180): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!await ready()) {
      if (this.#hasEnded || Date.now() > deadline) {
        throw new Error(`${this.name} ${this.#hasEnded ? "has ended" : "is not ready"}\n${this.lastLog()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  lastLog(): string {
    try {
      return Deno.readTextFileSync(this.#log).split("\n").slice(-20).join("\n");
    } catch {
      return "(no log)";
    }
  }

  /** Ends all its processes. @param grace how many seconds they may take to end by themselves. */
  async stop(grace = 0): Promise<void> {
    if (grace > 0 && this.#signal("SIGTERM")) {
      const deadline = Date.now() + grace * 1000;
      while (this.#signal(0) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.#signal("SIGKILL");
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
  }

  /** Returns whether the group has a process left. */
  #signal(signal: Deno.Signal | 0): boolean {
    try {
      // Deno has no signal 0. SIGCONT does nothing to a running process.
      Deno.kill(-this.#child.pid, signal === 0 ? "SIGCONT" : signal);
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * The watch on standard input shares the group: it ends with the rest, and ends the rest when we
 * are gone.
 */
const RUN = `
  exec 3<&0 </dev/null
  log=$1; shift
  { trap '' TERM; cat <&3 >/dev/null; rm -rf "$0"; kill -9 -$$; } >/dev/null 2>&1 &
  exec 3<&-
  exec "$@" >>"$log" 2>&1
`;

/** Runs a program to its end. @throws {Error} when it fails, with the end of its output. */
export async function runToEnd({ name, command, env, dir }: DaemonStart): Promise<string> {
  const [program, ...args] = command;
  const process = new Deno.Command(program, { args, cwd: dir, clearEnv: true, env: { ...env }, stdin: "null" });
  const { success, stdout, stderr } = await process.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  Deno.writeTextFileSync(`${dir}/log/${name}.log`, `${out}${err}`, { append: true });
  if (!success) throw new Error(`${name} has failed\n${`${out}${err}`.split("\n").slice(-20).join("\n")}`);
  return out!;
}
