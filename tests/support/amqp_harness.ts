import type { Buffer } from "node:buffer";
import { type Behaviour, type TargetHarness, TcpGate } from "oss-watcher/testing";
import { type Channel, Connection, type SyncMessage } from "rabbitmq-client";
import type { PrivateRabbit } from "../../tools/rabbitmq.ts";
import { until } from "./until.ts";

/** A message that came into the queue of an {@linkcode AmqpHarness}. */
export interface TakenMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Whom the server knows; made by {@linkcode addUser}. */
export const USER = "watcher";
export const PASSWORD = "hush-4711%/@";

/** Makes the user, who may publish and nothing else. */
export async function addUser(rabbit: PrivateRabbit): Promise<void> {
  await rabbit.ctl("add_user", USER, PASSWORD);
  await rabbit.ctl("set_permissions", USER, "^$", ".*", "^$");
}

/** An exchange and a queue on a real RabbitMQ, behind a gate; one at a time. */
export class AmqpHarness implements TargetHarness<TakenMessage> {
  readonly exchange = "cloud";
  readonly queue = "nodes";
  /** Of 127.0.0.1. */
  readonly port: number;
  readonly #rabbit: PrivateRabbit;
  readonly #gate: TcpGate;
  #connection: Connection;
  #channel: Channel;
  #behaviour: Behaviour = "accepts";

  private constructor(rabbit: PrivateRabbit, { connection, channel }: Owner) {
    this.#rabbit = rabbit;
    this.#gate = new TcpGate({ hostname: "127.0.0.1", port: rabbit.port });
    this.port = this.#gate.port;
    this.#connection = connection;
    this.#channel = channel;
  }

  /** Declares what there is to declare, as the owner of the exchange would. */
  static async open(rabbit: PrivateRabbit): Promise<AmqpHarness> {
    const harness = new AmqpHarness(rabbit, await connect(rabbit));
    await harness.#channel.exchangeDeclare({ exchange: harness.exchange, type: "topic", durable: true });
    await harness.#declareQueue();
    return harness;
  }

  /** Works while the server runs. */
  async behave(behaviour: Behaviour): Promise<void> {
    const before = this.#behaviour;
    this.#behaviour = behaviour;
    if (before === behaviour) return;
    if (before === "unauthorized") await this.#setPassword(PASSWORD);
    if (before === "busy" || before === "fails") await this.#declareQueue();
    if (behaviour === "unauthorized") await this.#setPassword("another");
    if (behaviour === "busy") await this.#channel.queueDelete({ queue: this.queue });
    if (behaviour === "fails") await this.#declareQueue({ "x-max-length": 0, "x-overflow": "reject-publish" });
    this.#gate.set(behaviour === "down" || behaviour === "breaks" || behaviour === "hangs" ? behaviour : "passes");
  }

  reached(): Promise<void> {
    return this.#gate.reached();
  }

  /** The messages in the queue, which is empty then. */
  async taken(): Promise<readonly TakenMessage[]> {
    const taken: TakenMessage[] = [];
    if (this.#behaviour === "busy") return taken;
    for (let message = await this.#get(); message !== undefined; message = await this.#get()) {
      taken.push(takenOf(message));
    }
    return taken;
  }

  /** After the server was started again: connects as the owner once more. */
  async reconnect(): Promise<void> {
    this.#connection.unsafeDestroy();
    ({ connection: this.#connection, channel: this.#channel } = await connect(this.#rabbit));
  }

  /** What the owner does with it. */
  get owner(): Channel {
    return this.#channel;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gate[Symbol.asyncDispose]();
    await this.#channel.queueDelete({ queue: this.queue });
    await this.#channel.exchangeDelete({ exchange: this.exchange });
    await this.#channel.close();
    await this.#connection.close();
  }

  async #declareQueue(args: Record<string, unknown> = {}): Promise<void> {
    await this.#channel.queueDelete({ queue: this.queue });
    await this.#channel.queueDeclare({ queue: this.queue, durable: true, arguments: args });
    await this.#channel.queueBind({ queue: this.queue, exchange: this.exchange, routingKey: "#" });
  }

  async #setPassword(password: string): Promise<void> {
    await this.#rabbit.ctl("change_password", USER, password);
    // Who is logged in stays so until he has to do it again.
    this.#gate.set("down");
    await until(() => isFree(this.port));
  }

  async #get(): Promise<SyncMessage | undefined> {
    return await this.#channel.basicGet({ queue: this.queue, noAck: true });
  }
}

interface Owner {
  readonly connection: Connection;
  readonly channel: Channel;
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}

async function connect(rabbit: PrivateRabbit): Promise<Owner> {
  const connection = new Connection(rabbit.url);
  connection.on("error", () => connection.unsafeDestroy());
  const channel = await connection.acquire();
  // The library would make objects of some bodies, unless they have an encoding.
  const internal = channel as unknown as { _onHeader(frame: { fields: { contentEncoding?: string } }): void };
  const onHeader = internal._onHeader;
  internal._onHeader = (frame) => {
    frame.fields.contentEncoding ||= "binary";
    onHeader.call(channel, frame);
  };
  return { connection, channel };
}

function takenOf({ exchange, routingKey, body, ...message }: SyncMessage): TakenMessage {
  const names = ["messageId", "type", "contentType", "durable", "timestamp", "headers"] as const;
  const properties = Object.fromEntries(names.map((name) => [name, message[name]]));
  return { exchange, routingKey, properties, body: new TextDecoder().decode(body as Buffer) };
}
