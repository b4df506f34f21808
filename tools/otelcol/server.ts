// An OpenTelemetry Collector on a free port of the loopback address.
import { Daemon } from "../daemon.ts";
import { freePorts } from "../free_ports.ts";

/** A collector, with a folder for what it writes. */
export class Collector implements AsyncDisposable {
  readonly url: string;
  readonly #dir: string;
  readonly #daemon: Daemon;

  private constructor(dir: string, daemon: Daemon, url: string) {
    this.#dir = dir;
    this.#daemon = daemon;
    this.url = url;
  }

  /**
   * @param program What `installCollector` gives.
   * @param configOf Its configuration, for an address.
   */
  static async start(program: string, configOf: (address: string) => string): Promise<Collector> {
    const dir = await Deno.makeTempDir({ prefix: "oss-watcher-otelcol-" });
    const address = `127.0.0.1:${freePorts(1)[0]}`;
    await Deno.mkdir(`${dir}/log`);
    await Deno.writeTextFile(`${dir}/collector.yaml`, configOf(address));
    const command = [program, "--config", `${dir}/collector.yaml`] as const;
    const collector = new Collector(dir, new Daemon({ name: "otelcol", command, env: {}, dir }), `http://${address}`);
    await collector.#daemon.until(() => isOpen(collector.url), 60);
    return collector;
  }

  /** The lines of a file that it has written, parsed. */
  async lines(file: string): Promise<readonly unknown[]> {
    const text = await Deno.readTextFile(`${this.#dir}/${file}`).catch(() => "");
    return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  }

  /** From now on it takes connections and says nothing. */
  hang(): void {
    Deno.kill(this.#daemon.pid, "SIGSTOP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop();
  }
}

async function isOpen(url: string): Promise<boolean> {
  try {
    await (await fetch(url)).body?.cancel();
    return true;
  } catch {
    return false;
  }
}
