// Several processes of oss-watcher on one PostgreSQL, one RabbitMQ, and a receiver that is the oracle.
import assert from "node:assert/strict";
import { CloudPublisher } from "../../tools/publisher.ts";
import type { PrivateRabbit } from "../../tools/rabbitmq.ts";
import { Service } from "../../tools/service.ts";
import { readSamples } from "../support/captures.ts";
import { ProgramDirectory, type ProgramEnd, READ_WRITE, runProgram } from "../support/program.ts";
import { until } from "../support/until.ts";
import { ClusterReceiver } from "./receiver.ts";

/** Long enough for a machine that is busy with much else. */
export const LONG_MS = 120_000;

export interface ClusterOptions {
  readonly rabbit: PrivateRabbit;
  /** Of PostgreSQL. */
  readonly url: string;
  readonly schema?: string;
  /** @default 2 */
  readonly leaseSeconds?: number;
  /** The plugins of a process, unless it has others. @default one */
  readonly plugins?: readonly string[];
  /** The program: main.ts of another commit, perhaps. @default this one */
  readonly main?: string;
  /** The options of `when` around each plugin, TypeScript. @default no filter */
  readonly when?: string;
  /** Further options of `ledger.postgres`. */
  readonly postgres?: Readonly<Record<string, unknown>>;
}

let clusters = 0;

/** Processes that share a queue and a ledger, and what happens to invented servers. */
export class Cluster implements AsyncDisposable {
  readonly receiver = new ClusterReceiver();
  readonly services = new Map<string, Service>();
  readonly #options: ClusterOptions;
  readonly #name = `cluster-${Deno.pid}-${++clusters}`;
  readonly #publisher: CloudPublisher;
  readonly #directories: ProgramDirectory[] = [];
  #published = 0;

  private constructor(options: ClusterOptions) {
    this.#options = options;
    this.#publisher = new CloudPublisher(options.rabbit.url);
  }

  static async open(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    await cluster.#publisher.declareExchange(cluster.#name, { durable: true });
    return cluster;
  }

  /** Everything that all processes have logged. */
  get logs(): string {
    return [...this.services].map(([name, { log }]) => `--- ${name}\n${log}`).join("\n");
  }

  /** Starts a process and waits until it takes part. */
  async start(name: string, options: Partial<ClusterOptions> = {}): Promise<Service> {
    const service = this.launch(name, options);
    await this.until(() => service.log.includes("Listening on queue") || service.log.includes("WAITS"));
    await this.until(async () => (await this.processes()).some((process) => process.name === name));
    return service;
  }

  /** Starts a process. */
  launch(name: string, options: Partial<ClusterOptions> = {}): Service {
    const { main } = { ...this.#options, ...options };
    const service = new Service(this.directory(name, options).path(), [], {}, main);
    this.services.set(name, service);
    return service;
  }

  /** A directory with the config.ts of a process. */
  directory(name: string, options: Partial<ClusterOptions> = {}): ProgramDirectory {
    const { url, schema, leaseSeconds = 2, plugins = ["Main"], when, postgres = {}, rabbit } = {
      ...this.#options,
      ...options,
    };
    const ledger = { url, leaseSeconds, processName: name, ...schema === undefined ? {} : { schema }, ...postgres };
    const sources = plugins.map((plugin) => `made(${JSON.stringify(plugin)})`)
      .map((source) => when === undefined ? source : `when(${source}, ${when})`);
    const directory = new ProgramDirectory({
      "config.ts": `${when === undefined ? "" : 'import { when } from "oss-watcher";'}
        import { RestNotify } from "oss-watcher/plugins";
        const made = (name: string) => new RestNotify({
          name, host: "http://127.0.0.1", port: ${this.receiver.port},
          urlCreation: \`/\${name}/created\`, urlDeletion: \`/\${name}/deleted\`,
        });
        export default {
          events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
          plugins: [${sources.join(", ")}],
          rabbit: { url: ${
        JSON.stringify(rabbit.url)
      }, queue: { name: "${this.#name}", exchanges: ["${this.#name}"] } },
          retry: { firstDelaySeconds: 1, maxDelaySeconds: 2 },
          metrics: false,
          console: false,
          ledger: { postgres: ${JSON.stringify(ledger)} },
        };`,
    });
    this.#directories.push(directory);
    return directory;
  }

  /** Runs a command of oss-watcher in a directory of its own. */
  async run(args: readonly string[], options: Partial<ClusterOptions> = {}): Promise<ProgramEnd> {
    const permissions = [...READ_WRITE.filter((permission) => permission !== "--deny-net"), "--allow-net"];
    return await runProgram({ dir: this.directory("command", options).path(), args, permissions });
  }

  /** What `oss-watcher processes --json` says of those that run. */
  async processes(): Promise<readonly ListedProcess[]> {
    const { out } = await this.run(["processes", "--json"]);
    return out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as ListedProcess)
      .filter(({ state }) => state === "running");
  }

  /** Publishes the lives of further servers: each is made, and then deleted. Returns their ids. */
  async publish(servers: number): Promise<readonly string[]> {
    const ids = Array.from({ length: servers }, () => serverId(this.#published++));
    for (const event of ["create", "delete"]) {
      for (const id of ids) {
        const routingKey = "notifications.info";
        await this.#publisher.publish({ exchange: this.#name, routingKey, body: bodyOf(event, id) });
      }
    }
    return ids;
  }

  /** Waits until the receiver has accepted both events of all servers, for each of these plugins. */
  async delivered(plugins: readonly string[] = this.#options.plugins ?? ["Main"]): Promise<void> {
    await this.until(() => plugins.every((plugin) => this.missing(plugin).length === 0));
  }

  /** Events of all servers that the receiver has not accepted. */
  missing(plugin = "Main"): readonly string[] {
    const accepted = new Set(this.receiver.accepted.filter((each) => each.plugin === plugin).map(({ what }) => what));
    const wanted = Array.from({ length: this.#published }, (_, index) => serverId(index))
      .flatMap((id) => [`created ${id}`, `deleted ${id}`]);
    return wanted.filter((what) => !accepted.has(what));
  }

  /** Nothing is lost or out of order, and what came twice has the same key and number. */
  assertRight(plugins: readonly string[] = this.#options.plugins ?? ["Main"]): void {
    for (const plugin of plugins) assert.deepEqual(this.missing(plugin), []);
    assert.deepEqual(this.receiver.problems(), []);
  }

  /** Waits for a condition; an error has all logs. No process may end meanwhile. */
  async until<T>(condition: () => T | Promise<T>, ms = LONG_MS): Promise<void> {
    await until(condition, ms).catch(async ({ message }) => {
      const missing = (this.#options.plugins ?? ["Main"]).map((plugin) => this.missing(plugin).length);
      const { out, err } = await this.run(["processes"]);
      throw new Error(`${message}\n${this.logs}\n${out}${err}\nnot accepted: ${missing}`);
    });
  }

  /** Waits for a line in the log of each process, or of the named one. */
  async told(pattern: RegExp, name?: string): Promise<void> {
    const services = name === undefined ? [...this.services.values()] : [this.services.get(name)!];
    await this.until(() => services.every(({ log }) => pattern.test(log)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.services.values()].map((service) => service.end("SIGKILL")));
    await this.#publisher.deleteExchange(this.#name);
    await this.#options.rabbit.ctl("delete_queue", this.#name).catch(() => {});
    await this.#publisher[Symbol.asyncDispose]();
    await this.receiver[Symbol.asyncDispose]();
    for (const directory of this.#directories) directory[Symbol.dispose]();
  }
}

export interface ListedProcess {
  readonly name: string;
  readonly state: string;
  readonly plugins: readonly string[];
  readonly leases: readonly { readonly name: string }[];
}

const SAMPLES = new Map(readSamples().map(({ name, sample }) => [name, sample]));
const RECORDED_ID = "4818c5b1-ac0b-4458-9eed-faf8936ad379";

function bodyOf(event: string, id: string): string {
  const sample = SAMPLES.get(`compute.instance.${event}.end`)!;
  const inner = JSON.parse(JSON.stringify(sample.decoded_inner_message).replaceAll(RECORDED_ID, id));
  const timestamp = new Date().toISOString().replace("T", " ").replace("Z", "000");
  return JSON.stringify({
    "oslo.version": "2.0",
    "oslo.message": JSON.stringify({ ...inner, message_id: crypto.randomUUID(), timestamp }),
  });
}

function serverId(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}
