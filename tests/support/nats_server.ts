// Private NATS servers with JetStream for tests: own folder, own port, loopback only, gone without a trace.
import { Daemon } from "../../tools/daemon.ts";
import { freePorts } from "../../tools/free_ports.ts";
import { program } from "./tool.ts";

/** Whom the server knows beside the owner of its streams. It may publish below `cloud`, and nothing else. */
export const USER = "watcher";
export const PASSWORD = "hush-4711%/@";

/** The owner of the streams. */
export const OWNER = { user: "owner", pass: "owner-of-the-streams" } as const;

export interface NatsServerOptions {
  /** Files of a certificate; `ca` asks clients for one of theirs. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** Lines of its configuration. */
  readonly settings?: readonly string[];
  /** Lines that say who may log in, instead of the users here. */
  readonly accounts?: readonly string[];
}

export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #dir: string;
  readonly #options: NatsServerOptions;
  #password = PASSWORD;
  #daemon: Daemon | undefined;

  private constructor(options: NatsServerOptions) {
    [this.port] = freePorts(1) as [number];
    this.#dir = Deno.makeTempDirSync({ prefix: "oss-watcher-nats-" });
    Deno.mkdirSync(`${this.#dir}/log`);
    this.#options = options;
  }

  static async start(options: NatsServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer(options);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  async start(): Promise<void> {
    this.#configure();
    const daemon = new Daemon({
      name: "nats-server",
      command: [program("nats-server"), "--config", `${this.#dir}/nats.conf`],
      env: { PATH: Deno.env.get("PATH") ?? "", HOME: this.#dir },
      dir: this.#dir,
    });
    this.#daemon = daemon;
    await daemon.until(() => Promise.resolve(daemon.lastLog().includes("Server is ready")), 30);
  }

  /** Ends it at once, as `kill -9` does; its streams stay. */
  async kill(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = undefined;
  }

  /** Changes the user's password; who is logged in with the former one is thrown out. */
  async setPassword(password: string): Promise<void> {
    this.#password = password;
    this.#configure();
    const reloads = () => Deno.readTextFileSync(`${this.#dir}/log/nats-server.log`).split("Reloaded server").length;
    const before = reloads();
    Deno.kill(this.#daemon!.pid, "SIGHUP");
    await this.#daemon!.until(() => Promise.resolve(reloads() > before), 30);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#dir, { recursive: true }).catch(() => undefined);
  }

  #configure(): void {
    const { tls, settings = [], accounts } = this.#options;
    const user = `user: ${USER}, password: ${JSON.stringify(this.#password)}`;
    Deno.writeTextFileSync(
      `${this.#dir}/nats.conf`,
      [
        `listen: 127.0.0.1:${this.port}`,
        `jetstream { store_dir: ${JSON.stringify(`${this.#dir}/streams`)}, max_mem: 64M, max_file: 256M }`,
        ...accounts ?? [
          "authorization {",
          "  users = [",
          `    { user: ${OWNER.user}, password: ${JSON.stringify(OWNER.pass)} }`,
          `    { ${user}, permissions: { publish: "cloud.>", subscribe: "_INBOX.>" } }`,
          "  ]",
          "}",
        ],
        ...(tls === undefined ? [] : [
          `tls { cert_file: "${tls.cert}", key_file: "${tls.key}"` +
          `${tls.ca === undefined ? "" : `, ca_file: "${tls.ca}", verify: true`} }`,
        ]),
        ...settings,
      ].join("\n"),
    );
  }
}
