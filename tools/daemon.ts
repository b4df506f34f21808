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

  /** Of the program: it takes the place of all that leads to it. */
  get pid(): number {
    return this.#child.pid;
  }

  lastLog(): string {
    try {
      return Deno.readTextFileSync(this.#log).split("\n").slice(-20).join("\n");
    } catch {
      return "(no log)";
    }
  }

  /**
   * Ends all its processes. @param grace how many seconds the program may take to end by itself
   * after `signal`.
   */
  async stop(grace = 0, signal: Deno.Signal = "SIGTERM"): Promise<void> {
    if (grace > 0 && this.#signal(signal)) {
      const deadline = Date.now() + grace * 1000;
      while (!this.#hasEnded && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    if (!this.#hasEnded) killStrays(this.pid);
    this.#signal("SIGKILL");
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
  }

  /** Returns whether the group has a process left. */
  #signal(signal: Deno.Signal): boolean {
    try {
      Deno.kill(-this.#child.pid, signal);
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * The processes that a program has started and that are in groups of their own, as those of
 * PostgreSQL.
 */
export function straysOf(pid: number): readonly number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      // The name in parentheses may hold anything.
      const [, parent, group] = Deno.readTextFileSync(`/proc/${name}/stat`).replace(/^.*\) /s, "").split(" ");
      return Number(parent) === pid && Number(group) !== pid ? [Number(name)] : [];
    } catch {
      // It has ended.
      return [];
    }
  });
}

/** Ends them at once; a program that is stopped starts no more. */
function killStrays(pid: number): void {
  sendSignal(pid, "SIGSTOP");
  for (const stray of straysOf(pid)) sendSignal(stray, "SIGKILL");
}

/** Sends a signal to a process that may have ended. */
export function sendSignal(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * The watch on standard input shares the group: it ends with the rest, and ends the rest when we
 * are gone, with what the program started in other groups.
 */
const RUN = `
  exec 3<&0 </dev/null
  log=$1; shift
  {
    trap '' TERM
    cat <&3 >/dev/null
    kill -STOP $$
    kill -9 $(ps -o pid=,pgid= --ppid $$ | awk -v group=$$ '$2 != group { print $1 }') $$
    rm -rf "$0"
    kill -9 -$$
  } >/dev/null 2>&1 &
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
