import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from "kafkajs";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { type Behaviour, type TargetHarness, TcpGate } from "oss-watcher/testing";
import type { KafkaPrograms } from "../../tools/kafka/install.ts";
import { type PrivateKafka, startKafka } from "../../tools/kafka/server.ts";
import { until } from "../support/until.ts";
import type { TestPki } from "../wire/pki.ts";
import { LostAnswers } from "./lost_answers.ts";

/** A message that came into the topic of a {@linkcode KafkaHarness}. */
export interface TakenMessage {
  readonly topic: string;
  readonly key: string;
  readonly partition: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Whom the broker knows. */
export const USER = "watcher";
export const PASSWORD = "hush-4711%/@";

const PARTITIONS = 3;
/** The key of the owner's messages. */
const PROBE = "probe";
let topics = 0;

/** A broker whose users come through a gate. */
export interface GatedKafka extends AsyncDisposable {
  readonly server: PrivateKafka;
  readonly gate: TcpGate;
  /** Behind the gate. */
  readonly answers: LostAnswers;
}

export async function startGatedKafka(programs: KafkaPrograms, pki: TestPki): Promise<GatedKafka> {
  const { certFile, keyFile } = await pki.issue("kafka.test");
  let gate: TcpGate | undefined;
  let answers: LostAnswers | undefined;
  const server = await startKafka({
    programs,
    user: USER,
    password: PASSWORD,
    advertised: (port) => {
      answers = new LostAnswers(port);
      gate = new TcpGate({ hostname: "127.0.0.1", port: answers.port });
      return gate.port;
    },
    tls: { cert: certFile, key: keyFile, ca: pki.caFile },
  });
  await allow(server, "cloud");
  return {
    server,
    gate: gate!,
    answers: answers!,
    [Symbol.asyncDispose]: async () => {
      await gate![Symbol.asyncDispose]();
      await answers![Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Lets the user write to topics whose names begin so. */
async function allow(server: PrivateKafka, prefix: string): Promise<void> {
  const admin = ownerOf(server).admin();
  await admin.connect();
  await admin.createAcls({
    acl: [AclOperationTypes.WRITE, AclOperationTypes.DESCRIBE].map((operation) => ({
      resourceType: AclResourceTypes.TOPIC,
      resourceName: prefix,
      resourcePatternType: ResourcePatternTypes.PREFIXED,
      principal: `User:${USER}`,
      host: "*",
      operation,
      permissionType: AclPermissionTypes.ALLOW,
    })),
  });
  await admin.disconnect();
}

const RIGHTS = {
  resourceType: AclResourceTypes.TOPIC,
  resourcePatternType: ResourcePatternTypes.PREFIXED,
  operation: AclOperationTypes.ANY,
  permissionType: AclPermissionTypes.ANY,
};

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}

function ownerOf({ ownerPort }: PrivateKafka): Kafka {
  return new Kafka({ clientId: "owner", brokers: [`127.0.0.1:${ownerPort}`], logLevel: logLevel.NOTHING });
}

/** A topic on a real Kafka; one at a time. The owner's way is past the gate. */
export class KafkaHarness implements TargetHarness<TakenMessage> {
  readonly topic = `cloud-${++topics}`;
  readonly brokers: string;
  readonly #kafka: GatedKafka;
  readonly #client: Kafka;
  readonly admin: Admin;
  readonly #came: TakenMessage[] = [];
  #read = 0;
  #behaviour: Behaviour = "accepts";
  #stopReading = (): Promise<void> => Promise.resolve();

  private constructor(kafka: GatedKafka) {
    this.#kafka = kafka;
    this.brokers = `127.0.0.1:${kafka.gate.port}`;
    this.#client = ownerOf(kafka.server);
    this.admin = this.#client.admin();
  }

  static async open(kafka: GatedKafka): Promise<KafkaHarness> {
    const harness = new KafkaHarness(kafka);
    await harness.admin.connect();
    const { topic } = harness;
    await harness.admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: false });
    await until(() => harness.admin.fetchTopicOffsets(topic).then(() => true, () => false));
    return harness;
  }

  async behave(behaviour: Behaviour): Promise<void> {
    const before = this.#behaviour;
    this.#behaviour = behaviour;
    if (before === behaviour) return;
    if (before === "unauthorized") await this.#kafka.server.setPassword(PASSWORD);
    if (before === "fails") await allow(this.#kafka.server, "cloud");
    if (before === "refuses") await this.limit(1_048_588);
    if (behaviour === "unauthorized") await this.#logOut("another");
    if (behaviour === "fails") await this.admin.deleteAcls({ filters: [RIGHTS] });
    if (behaviour === "refuses") await this.limit(1);
    const { gate } = this.#kafka;
    gate.set(behaviour === "down" || behaviour === "breaks" || behaviour === "hangs" ? behaviour : "passes");
  }

  reached(): Promise<void> {
    return this.#kafka.gate.reached();
  }

  async taken(): Promise<readonly TakenMessage[]> {
    const offsets = await this.admin.fetchTopicOffsets(this.topic);
    const all = offsets.reduce((sum, { high }) => sum + Number(high), 0);
    if (all > 0 && this.#came.length === 0) await this.#startReading();
    await until(() => this.#came.length >= all);
    return this.#came.slice(this.#read, this.#read = all).filter(({ key }) => key !== PROBE);
  }

  /** Sets the size of a message that the topic takes at most, and waits until the broker heeds it. */
  async limit(bytes: number): Promise<void> {
    const configEntries = [{ name: "max.message.bytes", value: String(bytes) }];
    await this.admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: this.topic, configEntries }] });
    const producer = this.#client.producer();
    await producer.connect();
    const takes = (size: number) => {
      const messages = [{ key: PROBE, value: "x".repeat(size) }];
      return producer.send({ topic: this.topic, messages }).then(() => true, () => false);
    };
    await until(async () => bytes > 1000 ? await takes(bytes - 500) : !await takes(bytes));
    await producer.disconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.behave("accepts");
    await this.#stopReading();
    await this.admin.deleteTopics({ topics: [this.topic] });
    await this.admin.disconnect();
  }

  async #startReading(): Promise<void> {
    const consumer = this.#client.consumer({ groupId: this.topic, maxWaitTimeInMs: 50 });
    this.#stopReading = () => consumer.disconnect();
    await consumer.connect();
    await consumer.subscribe({ topics: [this.topic], fromBeginning: true });
    await consumer.run({
      eachMessage: ({ topic, partition, message }) => {
        const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
        const body = String(message.value);
        this.#came.push({ topic, partition, key: String(message.key), headers: Object.fromEntries(headers), body });
        return Promise.resolve();
      },
    });
  }

  async #logOut(password: string): Promise<void> {
    await this.#kafka.server.setPassword(password);
    // Who is logged in stays so until he has to do it again.
    this.#kafka.gate.set("down");
    await until(() => isFree(this.#kafka.gate.port));
  }
}
