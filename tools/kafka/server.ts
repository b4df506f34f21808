// A private Kafka with one broker: own folder, own ports, loopback only, gone without a trace.
import { Daemon } from "../daemon.ts";
import { freePorts } from "../free_ports.ts";
import type { KafkaPrograms } from "./install.ts";

export interface KafkaStart {
  readonly programs: KafkaPrograms;
  /** A user, without rights. */
  readonly user: string;
  readonly password: string;
  /** The port that it names to those who log in; a gate before `port`, for instance. @default port */
  readonly advertised?: (port: number) => number;
  /** PEM files of a certificate, its key and the authority. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
}

/** The broker's listeners: for who logs in, for the owner, and for who logs in by TLS. */
export interface PrivateKafka extends AsyncDisposable {
  readonly port: number;
  readonly ownerPort: number;
  readonly tlsPort: number;
  /** Ends it at once, as `kill -9` does. */
  kill(): Promise<void>;
  start(): Promise<void>;
  setPassword(password: string): Promise<void>;
  /** Runs one of the programs behind Kafka's scripts, as `TopicCommand`; gives what it prints. */
  tool(name: string, args: readonly string[]): Promise<string>;
}

export async function startKafka(options: KafkaStart): Promise<PrivateKafka> {
  const kafka = new Broker(options);
  try {
    await kafka.format();
    await kafka.start();
    return kafka;
  } catch (error) {
    await kafka[Symbol.asyncDispose]();
    throw error;
  }
}

class Broker implements PrivateKafka {
  readonly port: number;
  readonly ownerPort: number;
  readonly tlsPort: number;
  readonly #controllerPort: number;
  readonly #options: KafkaStart;
  readonly #dir = Deno.makeTempDirSync({ prefix: "oss-watcher-kafka-" });
  #daemon: Daemon | undefined;

  constructor(options: KafkaStart) {
    this.#options = options;
    [this.port, this.ownerPort, this.tlsPort, this.#controllerPort] = freePorts(4) as [number, number, number, number];
    Deno.mkdirSync(`${this.#dir}/log`);
  }

  async format(): Promise<void> {
    const { user, password, tls, advertised = (port) => port } = this.#options;
    const pem = [Deno.readTextFileSync(tls.key), Deno.readTextFileSync(tls.cert)].join("\n");
    Deno.writeTextFileSync(`${this.#dir}/server.pem`, pem);
    const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
    const settings: Readonly<Record<string, string | number>> = {
      "process.roles": "broker,controller",
      "node.id": 1,
      "controller.quorum.voters": `1@127.0.0.1:${this.#controllerPort}`,
      "controller.listener.names": "CONTROLLER",
      listeners: [
        `USERS://127.0.0.1:${this.port}`,
        `OWNER://127.0.0.1:${this.ownerPort}`,
        `SECURE://127.0.0.1:${this.tlsPort}`,
        `CONTROLLER://127.0.0.1:${this.#controllerPort}`,
      ].join(),
      "advertised.listeners": [
        `USERS://127.0.0.1:${advertised(this.port)}`,
        `OWNER://127.0.0.1:${this.ownerPort}`,
        `SECURE://127.0.0.1:${this.tlsPort}`,
      ].join(),
      "listener.security.protocol.map": "USERS:SASL_PLAINTEXT,OWNER:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
      "inter.broker.listener.name": "OWNER",
      "sasl.enabled.mechanisms": "SCRAM-SHA-512",
      "listener.name.users.scram-sha-512.sasl.jaas.config": scram,
      "listener.name.secure.scram-sha-512.sasl.jaas.config": scram,
      "ssl.keystore.type": "PEM",
      "ssl.keystore.location": `${this.#dir}/server.pem`,
      "ssl.truststore.type": "PEM",
      "ssl.truststore.location": tls.ca,
      "ssl.client.auth": "requested",
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS",
      "log.dirs": `${this.#dir}/data`,
      "offsets.topic.replication.factor": 1,
      "offsets.topic.num.partitions": 1,
      "transaction.state.log.replication.factor": 1,
      "transaction.state.log.min.isr": 1,
      "group.initial.rebalance.delay.ms": 0,
      "auto.create.topics.enable": "false",
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    Deno.writeTextFileSync(`${this.#dir}/server.properties`, lines.join(""));
    const id = (await this.#run("kafka.tools.StorageTool", ["random-uuid"])).trim();
    const known = `SCRAM-SHA-512=[name=${user},password=${password}]`;
    await this.#run("kafka.tools.StorageTool", [
      ...["format", "-t", id, "-c", `${this.#dir}/server.properties`, "--add-scram", known],
    ]);
  }

  async start(): Promise<void> {
    const { java, archives } = this.#options.programs;
    this.#daemon = new Daemon({
      name: "kafka",
      command: [java, "-Xmx512m", "-cp", `${archives}/*`, "kafka.Kafka", `${this.#dir}/server.properties`],
      env: { PATH: Deno.env.get("PATH") ?? "", HOME: this.#dir },
      dir: this.#dir,
    });
    const log = `${this.#dir}/log/kafka.log`;
    const starts = () => Deno.readTextFileSync(log).split("Kafka Server started").length;
    const before = exists(log) ? starts() : 1;
    await this.#daemon.until(() => Promise.resolve(exists(log) && starts() > before), 120);
  }

  async kill(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = undefined;
  }

  async setPassword(password: string): Promise<void> {
    await this.#run("kafka.admin.ConfigCommand", [
      ...["--bootstrap-server", `127.0.0.1:${this.ownerPort}`, "--alter", "--entity-type", "users"],
      ...["--entity-name", this.#options.user, "--add-config", `SCRAM-SHA-512=[password=${password}]`],
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#dir, { recursive: true }).catch(() => undefined);
  }

  async tool(name: string, args: readonly string[]): Promise<string> {
    return await this.#run(`org.apache.kafka.tools.${name}`, args);
  }

  /** Runs one of Kafka's own tools. */
  async #run(tool: string, args: readonly string[]): Promise<string> {
    const { java, archives } = this.#options.programs;
    const command = new Deno.Command(java, { args: ["-cp", `${archives}/*`, tool, ...args], cwd: this.#dir });
    const { success, stdout, stderr } = await command.output();
    const [said, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    if (!success) throw new Error(`${tool} has failed\n${said}${errors}`);
    return said!;
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
