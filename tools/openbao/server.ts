// A private OpenBao: its secrets are in memory, on a free port of the loopback address.
import { Daemon } from "../daemon.ts";
import { freePorts } from "../free_ports.ts";

const SECONDS = 60;

export class OpenBao implements AsyncDisposable {
  readonly address: string;
  readonly rootToken = "root-token-of-the-test";
  readonly #daemon: Daemon;

  private constructor(address: string, daemon: Daemon) {
    this.address = address;
    this.#daemon = daemon;
  }

  /** Starts one, which is unsealed and has the secrets engine `secret/`, a kv of version 2. */
  static async start(program: string): Promise<OpenBao> {
    const [port] = freePorts(1);
    const dir = await Deno.makeTempDir({ prefix: "oss-watcher-openbao-" });
    await Deno.mkdir(`${dir}/log`);
    const address = `127.0.0.1:${port}`;
    const daemon = new Daemon({
      name: "openbao",
      command: [
        program,
        "server",
        "-dev",
        "-dev-no-store-token",
        "-dev-root-token-id=root-token-of-the-test",
        `-dev-listen-address=${address}`,
      ],
      env: { HOME: dir, PATH: Deno.env.get("PATH") ?? "" },
      dir,
    });
    const bao = new OpenBao(`http://${address}`, daemon);
    try {
      await daemon.until(() => bao.isReady(), SECONDS);
      return bao;
    } catch (error) {
      await daemon.stop();
      throw error;
    }
  }

  /** Asks as root. @throws {Error} when it refuses. */
  async ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.address}/v1/${path}`, {
      method,
      headers: { "x-vault-token": this.rootToken },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? {} : JSON.parse(text);
  }

  /** Writes a secret below `secret/`. */
  async put(path: string, data: Readonly<Record<string, unknown>>): Promise<void> {
    await this.ask("POST", `secret/data/${path}`, { data });
  }

  async isReady(): Promise<boolean> {
    const response = await fetch(`${this.address}/v1/sys/health`).catch(() => null);
    await response?.body?.cancel();
    return response?.ok === true && await this.ask("GET", "secret/config").then(() => true, () => false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop();
  }
}
