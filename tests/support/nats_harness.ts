import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { type Behaviour, type TargetHarness, TcpGate } from "oss-watcher/testing";
import { type NatsServer, OWNER, PASSWORD } from "./nats_server.ts";

/** A message that came into the stream of a {@linkcode NatsHarness}. */
export interface TakenMessage {
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const STREAM = "cloud";

/** A stream on a real NATS server, behind a gate; one at a time. The owner's way is past the gate. */
export class NatsHarness implements TargetHarness<TakenMessage> {
  readonly stream = STREAM;
  /** Of 127.0.0.1. */
  readonly port: number;
  readonly #server: NatsServer;
  readonly #gate: TcpGate;
  readonly #owner: NatsConnection;
  readonly manager: JetStreamManager;
  #behaviour: Behaviour = "accepts";

  private constructor(server: NatsServer, owner: NatsConnection, manager: JetStreamManager) {
    this.#server = server;
    this.#gate = new TcpGate({ hostname: "127.0.0.1", port: server.port });
    this.port = this.#gate.port;
    this.#owner = owner;
    this.manager = manager;
  }

  static async open(server: NatsServer): Promise<NatsHarness> {
    const owner = await connect({ servers: `127.0.0.1:${server.port}`, ...OWNER });
    const harness = new NatsHarness(server, owner, await jetstreamManager(owner));
    await harness.#make();
    return harness;
  }

  async behave(behaviour: Behaviour): Promise<void> {
    const before = this.#behaviour;
    this.#behaviour = behaviour;
    if (before === behaviour) return;
    if (before === "unauthorized") await this.#server.setPassword(PASSWORD);
    if (before === "busy") await this.manager.streams.update(STREAM, { max_bytes: -1 });
    if (before === "fails") await this.#make();
    if (before === "refuses") await this.manager.streams.update(STREAM, { max_msg_size: -1 });
    if (behaviour === "unauthorized") await this.#server.setPassword("another");
    if (behaviour === "busy") await this.manager.streams.update(STREAM, { max_bytes: 1 });
    if (behaviour === "fails") await this.manager.streams.delete(STREAM);
    if (behaviour === "refuses") await this.manager.streams.update(STREAM, { max_msg_size: 1 });
    this.#gate.set(behaviour === "down" || behaviour === "breaks" || behaviour === "hangs" ? behaviour : "passes");
  }

  reached(): Promise<void> {
    return this.#gate.reached();
  }

  /** The messages in the stream, which then begins anew, without a memory of keys. */
  async taken(): Promise<readonly TakenMessage[]> {
    if (this.#behaviour === "fails") return [];
    const { config, state } = await this.manager.streams.info(STREAM);
    const taken: TakenMessage[] = [];
    for (let seq = Math.max(state.first_seq, 1); seq <= state.last_seq; seq++) {
      const message = await this.manager.streams.getMessage(STREAM, { seq });
      if (message === null) continue;
      const headers = [...message.header].map(([name, [value]]) => [name, value ?? ""]);
      taken.push({ subject: message.subject, headers: Object.fromEntries(headers), body: message.string() });
    }
    await this.manager.streams.delete(STREAM);
    await this.manager.streams.add(config);
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gate[Symbol.asyncDispose]();
    if (this.#behaviour === "unauthorized") await this.#server.setPassword(PASSWORD);
    if (this.#behaviour !== "fails") await this.manager.streams.delete(STREAM);
    await this.#owner.close();
  }

  async #make(): Promise<void> {
    await this.manager.streams.add({ name: STREAM, subjects: ["cloud.>"], discard: "new" });
  }
}
