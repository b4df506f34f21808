import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import type { Channel, Connection, Envelope, ReturnedMessage } from "rabbitmq-client";
import type { AmqpEndpoint } from "./amqp_options.ts";
import { unlessAborted } from "../deadline.ts";
import { readTlsFiles } from "../files/tls_files.ts";
import type { Link } from "../kept_link.ts";

/** A message's destination and properties. */
export type AmqpEnvelope = Envelope;

/** An exchange or a queue. */
export type AmqpPlace = { readonly exchange: string } | { readonly queue: string };

const CLOSE_MS = 2_000;

/**
 * One connection to one RabbitMQ broker. Each message in flight has a channel of its own, so that
 * an error on the channel belongs to that message. The only file that names the AMQP library, which
 * is loaded at first use.
 */
export class AmqpLink implements Link {
  readonly label: string;
  /** The broker's reason for blocking publishers (`connection.blocked`); empty when it does not. */
  blocked = "";
  readonly #connection: Connection;
  readonly #end = new AbortController();
  readonly #idle: Channel[] = [];
  #closing = false;

  private constructor(label: string, connection: Connection) {
    this.label = label;
    this.#connection = connection;
    connection.on("error", (error) => this.end(error));
    connection.on("connection.blocked", (reason) => this.blocked = reason || "it does not say why");
    connection.on("connection.unblocked", () => this.blocked = "");
  }

  static async open(
    { label, host, port, user, password, vhost, tls }: AmqpEndpoint,
    { heartbeatSeconds, stop }: { readonly heartbeatSeconds: number; readonly stop: AbortSignal },
  ): Promise<AmqpLink> {
    const [{ Connection }, files] = await Promise.all([import("rabbitmq-client"), tls && readTlsFiles(tls)]);
    stop.throwIfAborted();
    const servername = tls?.serverName === undefined ? {} : { servername: tls.serverName };
    const connection = new Connection({
      hostname: host,
      port,
      username: user,
      password,
      vhost,
      tls: files === undefined ? false : { ...files, ...servername },
      heartbeat: heartbeatSeconds,
      noDelay: true,
      connectionName: "oss-watcher",
    });
    const link = new AmqpLink(label, connection);
    const connected = new Promise<void>((resolve) => connection.once("connection", resolve));
    const onStop = () => link.end(stop.reason);
    stop.addEventListener("abort", onStop, { once: true });
    try {
      await unlessAborted(link.over, connected);
      followFrameMax(connection);
      return link;
    } finally {
      stop.removeEventListener("abort", onStop);
    }
  }

  /** Aborted when the connection has ended, with the cause as its reason. */
  get over(): AbortSignal {
    return this.#end.signal;
  }

  /** Closes the connection for good, without the library's automatic reconnects. */
  end(reason: unknown): void {
    // Before the library closes: pending calls must fail with this error, not with the library's.
    this.#end.abort(reason);
    this.#connection.unsafeDestroy();
  }

  /** Resolves to the returned message if no queue takes it. */
  async publish(envelope: Envelope, body: string): Promise<ReturnedMessage | undefined> {
    return await unlessAborted(this.over, this.#publish(envelope, body));
  }

  /** Rejects when the exchange or queue is not there. */
  async declarePassively(target: { readonly exchange: string } | { readonly queue: string }): Promise<void> {
    const channel = await unlessAborted(this.over, this.#openChannel());
    const looking = "exchange" in target
      ? channel.exchangeDeclare({ ...target, passive: true })
      : channel.queueDeclare({ ...target, passive: true });
    await unlessAborted(this.over, looking.then(() => channel.close()));
  }

  async close(): Promise<void> {
    if (this.over.aborted) return;
    this.#closing = true;
    // Do not wait for a broker that does not answer.
    const timer = setTimeout(() => this.end(new Error("the connection was closed")), CLOSE_MS);
    const closing = Promise.all(this.#idle.map((channel) => channel.close())).then(() => this.#connection.close());
    await unlessAborted(this.over, closing).catch(() => undefined);
    clearTimeout(timer);
    this.end(new Error("the connection was closed"));
  }

  async #publish(envelope: Envelope, body: string): Promise<ReturnedMessage | undefined> {
    let channel = this.#idle.pop();
    while (channel !== undefined && !channel.active) channel = this.#idle.pop();
    channel ??= await this.#openChannel({ confirms: true });
    let returned: ReturnedMessage | undefined;
    const onReturn = (message: ReturnedMessage) => returned = message;
    channel.on("basic.return", onReturn);
    try {
      await channel.basicPublish(envelope, Buffer.from(body));
      // The library emits a returned message one turn of the event loop after the confirmation.
      await new Promise<void>((resolve) => setImmediate(resolve));
      return returned;
    } finally {
      channel.off("basic.return", onReturn);
      if (this.#closing) channel.close();
      else if (channel.active) this.#idle.push(channel);
    }
  }

  async #openChannel({ confirms = false } = {}): Promise<Channel> {
    const channel = await this.#connection.acquire({ emitErrorsFromChannel: true });
    // The publication is rejected as well when the broker closes the channel.
    channel.on("error", () => {});
    if (confirms) await channel.confirmSelect();
    return channel;
  }
}

/**
 * rabbitmq-client splits bodies by the frame_max that it asked for in the handshake, even where the
 * broker agreed to a smaller one. Such a broker would close the connection at every large message.
 */
function followFrameMax(connection: Connection): void {
  const { _opt: asked, _state: agreed } = connection as unknown as {
    readonly _opt?: { frameMax: number };
    readonly _state?: { readonly frameMax: number };
  };
  if (asked === undefined || agreed === undefined) {
    throw new TypeError("Cannot follow frame_max: unknown version of rabbitmq-client");
  }
  asked.frameMax = agreed.frameMax;
}
