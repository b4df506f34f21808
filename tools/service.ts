// Runs oss-watcher as a user does: in a process and a directory of its own, which has nothing but a
// config.ts.
import { fileURLToPath } from "node:url";
import { PERMISSIONS } from "./permissions.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

export class Service implements AsyncDisposable {
  readonly dir: string;
  /** Everything that it wrote to stderr so far. */
  log = "";
  readonly #child: Deno.ChildProcess;
  readonly #drained: Promise<void>;
  #ended = false;

  /**
   * Starts it in `dir`, which has a config.ts, with further environment.
   *
   * @param main The program. @default this one
   */
  constructor(dir: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}, main = MAIN) {
    this.dir = dir;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", ...PERMISSIONS, main, ...args],
      cwd: dir,
      env,
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#drained = this.#drain();
  }

  get pid(): number {
    return this.#child.pid;
  }

  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** Sends a signal; resolves when the process has ended. */
  async end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    if (!this.#ended) {
      try {
        this.#child.kill(signal);
      } catch {
        // It has ended by itself.
      }
    }
    const status = await this.#child.status;
    this.#ended = true;
    await this.#drained;
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }

  async #drain(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) this.log += text;
  }
}
