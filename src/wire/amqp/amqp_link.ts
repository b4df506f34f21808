import type { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import type { Channel, Connection, Envelope, ReturnedMessage } from "rabbitmq-client";
import type { AmqpEndpoint } from "./amqp_options.ts";
import { unlessAborted } from "../deadline.ts";
import { readTlsFiles } from "../files/tls_files.ts";

/** Where a message goes, and what it says of itself. */
export type AmqpEnvelope = Envelope;

/** An exchange or a queue. */
export type AmqpPlace = { readonly exchange: string } | { readonly queue: string };

const CLOSE_MS = 2_000;

/** Why a connection ended: it gave another message no answer. */
export class GivenUp extends Error {
  override readonly name = "GivenUp";
  override readonly message = "the connection was given up";
}

/**
 * One connection to one RabbitMQ. Each message has a channel for itself while it is under way: what the broker says there is about that
 * message. The one file that names the AMQP library, which is loaded at first use.
 */
export class AmqpLink {
  readonly label: string;
  /** Why the broker lets no publisher in; empty when it does. */
  blocked = "";
  readonly #connection: Connection;
  readonly #end = new AbortController();
  readonly #idle: Channel[] = [];
  #closing = false;

  private constructor(label: string, connection: Connection) {
    this.label = label;
    this.#connection = connection;
    connection.on("error", (error) => this.end(error));
    connection.on("connection.blocked", (reason) => this.blocked = reason || "it says not why");
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

  /** Aborted when the connection has ended; the reason is why. */
  get over(): AbortSignal {
    return this.#end.signal;
  }

  /** Ends it for good: trying again, which the library would do, is not its business. */
  end(reason: unknown): void {
    // First: whoever waits shall hear this, not what the library makes of it.
    this.#end.abort(reason);
    this.#connection.unsafeDestroy();
  }

  /** The message itself when no queue was there for it. */
  async publish(envelope: Envelope, body: Buffer): Promise<ReturnedMessage | undefined> {
    return await unlessAborted(this.over, this.#publish(envelope, body));
  }

  /** Rejects when the exchange or queue is not there. */
  async look(target: { readonly exchange: string } | { readonly queue: string }): Promise<void> {
    const channel = await unlessAborted(this.over, this.#openChannel());
    const looking = "exchange" in target
      ? channel.exchangeDeclare({ ...target, passive: true })
      : channel.queueDeclare({ ...target, passive: true });
    await unlessAborted(this.over, looking.then(() => channel.close()));
  }

  async close(): Promise<void> {
    if (this.over.aborted) return;
    this.#closing = true;
    // A broker that does not answer any more is not waited for.
    const timer = setTimeout(() => this.end(new Error("the connection was closed")), CLOSE_MS);
    const closing = Promise.all(this.#idle.map((channel) => channel.close())).then(() => this.#connection.close());
    await unlessAborted(this.over, closing).catch(() => undefined);
    clearTimeout(timer);
    this.end(new Error("the connection was closed"));
  }

  async #publish(envelope: Envelope, body: Buffer): Promise<ReturnedMessage | undefined> {
    let channel = this.#idle.pop();
    while (channel !== undefined && !channel.active) channel = this.#idle.pop();
    channel ??= await this.#openChannel({ confirms: true });
    let returned: ReturnedMessage | undefined;
    const onReturn = (message: ReturnedMessage) => returned = message;
    channel.on("basic.return", onReturn);
    try {
      await channel.basicPublish(envelope, body);
      // The library tells what came before the confirmation one turn of the event loop later.
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
    // What the broker has against a message rejects its publication, too.
    channel.on("error", () => {});
    if (confirms) await channel.confirmSelect();
    return channel;
  }
}

/**
 * rabbitmq-client cuts bodies, and expects those that come back, as it asked for in the handshake, even where the broker agreed to less: one
 * with a smaller frame_max would end the connection over every large message.
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
