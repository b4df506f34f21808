import { setImmediate } from "node:timers/promises";
import { AmqpError, replyCodeOf, replyError } from "./amqp_error.ts";
import { PendingCalls } from "./pending_calls.ts";
import { Channel, type ChannelOptions } from "./channel.ts";
import { FRAME, type Frame, FrameReader } from "./frame_reader.ts";
import { CHANNEL_MAX, negotiated, propertiesOf, readGreeting, readTuning } from "./handshake.ts";
import { LastHeard } from "./last_heard.ts";
import * as methods from "./methods.ts";
import { METHOD } from "./methods.ts";
import { Outbox } from "./outbox.ts";
import { openTransport, type Transport, type TransportOptions } from "./transport.ts";

export interface ConnectionOptions extends TransportOptions {
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  /** A broker that is silent for more than twice as long is gone. The broker may ask for less. */
  readonly heartbeatSeconds: number;
  /** What RabbitMQ calls the connection. */
  readonly name: string;
  /** For the way to the broker and the handshake together. @default 10000 */
  readonly connectMs?: number;
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number;
  /** Asked after each read what to wait for before the next, a second at most; `undefined` for nothing. @default nothing */
  readonly backpressure?: (() => Promise<void> | undefined) | undefined;
  /** @default openTransport */
  readonly open?: (options: TransportOptions) => Promise<Transport>;
}

/** Of the event loop, between two reads: a request of a plugin takes about as many. They cost microseconds when nobody else has anything to do. */
const LOOP_TURNS = 8;
const CONNECT_MS = 10_000;
/** The heart is looked at twice in a heartbeat, which says nothing of when something came between two looks. */
const MAX_SILENT_CHECKS = 4;
/** For the last word to a broker that we give up. */
const FINAL_FRAME_MS = 1_000;

/**
 * One connection to one broker, for a consumer: messages are put together in the very bytes that were read, and handed over while those are
 * read. Whatever ends it is told once, by {@linkcode Connection.lost}; nobody tries again here.
 */
export class Connection {
  readonly #transport: Transport;
  readonly #outbox: Outbox;
  readonly #reader = new FrameReader((frame) => this.#onFrame(frame));
  readonly #pending = new PendingCalls();
  readonly #channels: (Channel | undefined)[] = [];
  readonly #end = new AbortController();
  readonly #heard: LastHeard;
  readonly #backpressure: () => Promise<void> | undefined;
  readonly #reading: Promise<void>;
  #channelMax = CHANNEL_MAX;
  /** Of channels that were ever opened. */
  readonly #used = new Set<number>();
  #lastNumber = 0;
  #brokerVersion = "";
  /** Resolves when the last word has been sent, if there was one. */
  #finalFrameSent: Promise<void> | undefined;
  #heartbeatTimer: ReturnType<typeof setInterval> | undefined;
  /** So many turns of the heart since something came. */
  #silentChecks = 0;

  private constructor(
    transport: Transport,
    { now = Date.now, backpressure = () => undefined }: Pick<ConnectionOptions, "now" | "backpressure">,
  ) {
    this.#transport = transport;
    this.#heard = new LastHeard(now);
    this.#backpressure = backpressure;
    this.#outbox = new Outbox({
      write: (bytes) => transport.write(bytes),
      onFailed: (error) => this.#fail(error),
    });
    this.#reading = this.#read();
  }

  /** Connects and logs in. Rejects with an error whose `code` says why not, or with the reason of the signal. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { signal, connectMs = CONNECT_MS } = options;
    const giveUp = new AbortController();
    const onAbort = () => giveUp.abort(signal.reason);
    const timer = setTimeout(() => giveUp.abort(new AmqpError("CONNECTION_TIMEOUT", "no answer")), connectMs);
    signal.addEventListener("abort", onAbort);
    try {
      signal.throwIfAborted();
      return await Connection.#open({ ...options, signal: giveUp.signal });
    } catch (error) {
      // Whatever is torn by giving up: this is why.
      giveUp.signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  static async #open(options: ConnectionOptions): Promise<Connection> {
    const { signal, open = openTransport } = options;
    const connection = new Connection(await open(options), options);
    const onAbort = () => connection.#fail(signal.reason);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    try {
      await connection.#login(options);
      signal.throwIfAborted();
      return connection;
    } catch (error) {
      connection.#fail(error);
      await connection.#reading;
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Aborted with the end of the connection; the reason is why. */
  get lost(): AbortSignal {
    return this.#end.signal;
  }

  /** When the last bytes came from the broker, milliseconds since the epoch. */
  get heardAt(): number {
    return this.#heard.at;
  }

  /** The broker's release, as `4.0.5`; empty when it does not say. */
  get brokerVersion(): string {
    return this.#brokerVersion;
  }

  /** Opens a channel. */
  async openChannel(options: ChannelOptions = {}): Promise<Channel> {
    this.lost.throwIfAborted();
    const id = this.#freeNumber();
    const channel = new Channel(id, {
      send: (frame) => this.#send(frame),
      release: ({ id }) => this.#channels[id] = undefined,
    }, options);
    this.#channels[id] = channel;
    await channel.begin();
    return channel;
  }

  /** Says goodbye when all that was sent before has come. Never rejects. */
  async close(): Promise<void> {
    if (!this.lost.aborted) {
      try {
        await this.#ask(methods.close(0, methods.DONE), METHOD.connectionCloseOk, () => {});
      } catch {
        // It is gone anyway.
      }
    }
    this.destroy();
    await this.#reading;
  }

  /** Ends it at once, without a word. */
  destroy(): void {
    this.#fail(new Error("the connection was closed"));
  }

  async #login(options: ConnectionOptions): Promise<void> {
    const { user, password, vhost, heartbeatSeconds, name } = options;
    const { mechanisms, version } = await this.#ask(methods.PROTOCOL_HEADER, METHOD.connectionStart, readGreeting);
    this.#brokerVersion = version;
    if (!mechanisms.includes("PLAIN")) {
      throw new AmqpError("NOT_IMPLEMENTED", `the broker knows no login with a password: ${mechanisms.join(", ")}`);
    }
    const login = methods.startOk({ user, password, properties: propertiesOf(name) });
    const tuning = negotiated(await this.#ask(login, METHOD.connectionTune, readTuning), heartbeatSeconds);
    this.#reader.frameMax = tuning.frameMax;
    this.#channelMax = tuning.channelMax;
    this.#send(methods.tuneOk(tuning));
    this.#startHeartbeat(tuning.heartbeatSeconds);
    await this.#ask(methods.connectionOpen(vhost), METHOD.connectionOpenOk, () => {});
  }

  /** Says that we are here, and notices when the broker is not. A process that stood still counts no silence for that time. */
  #startHeartbeat(heartbeatSeconds: number): void {
    // Torn in the very read that answered.
    if (this.lost.aborted) return;
    let sent = this.#outbox.count;
    this.#heartbeatTimer = setInterval(() => {
      if (++this.#silentChecks > MAX_SILENT_CHECKS) return this.#fail(new AmqpError("SOCKET_TIMEOUT", "no heartbeat"));
      if (this.#outbox.count === sent) this.#send(methods.HEARTBEAT);
      sent = this.#outbox.count;
    }, heartbeatSeconds * 500);
  }

  async #read(): Promise<void> {
    try {
      while (!this.lost.aborted) {
        const count = await this.#transport.read(this.#reader.free);
        if (count === 0) throw new AmqpError("CONN_CLOSE", "closed by the other side");
        this.#silentChecks = 0;
        this.#heard.read();
        this.#reader.take(count);
        // What came is recorded, and others have their turns, before there is more: a backlog is read faster than they could get in between.
        for (let turn = 0; turn < LOOP_TURNS; turn++) await setImmediate();
        const backpressure = this.#backpressure();
        if (backpressure !== undefined) await backpressure;
      }
    } catch (error) {
      const isProtocolError = error instanceof AmqpError && error.code !== "CONN_CLOSE";
      if (isProtocolError) this.#giveUp(error, methods.close(0, { code: replyCodeOf(error), text: error.message }));
      else this.#fail(error);
    }
    await this.#finalFrameSent;
  }

  #onFrame(frame: Frame): void {
    const { type, channel: id } = frame;
    if (type === FRAME.heartbeat) return;
    if (id === 0) return this.#onControl(frame);
    const channel = this.#channels[id];
    if (channel !== undefined) return channel.onFrame(frame);
    if (!this.#used.has(id)) throw new AmqpError("CHANNEL_ERROR", `a frame came for channel ${id}, which is not open`);
    // RabbitMQ says each time when it looks that a message was not acknowledged in time, until it has our answer.
    if (type === FRAME.method && frame.u32() === METHOD.channelClose) {
      this.#send(methods.emptyMethod(id, METHOD.channelCloseOk));
    }
  }

  /** The one after the last: what still comes for a channel that has ended must not reach another. */
  #freeNumber(): number {
    for (let count = 0; count < this.#channelMax; count++) {
      const id = this.#lastNumber = this.#lastNumber % this.#channelMax + 1;
      if (this.#channels[id] !== undefined) continue;
      this.#used.add(id);
      return id;
    }
    throw new AmqpError("CHANNEL_ERROR", `all ${this.#channelMax} channels are in use`);
  }

  #onControl(frame: Frame): void {
    if (frame.type !== FRAME.method) throw new AmqpError("UNEXPECTED_FRAME", "a message came on channel 0");
    const method = frame.u32();
    // Publishers alone are blocked.
    if (method === METHOD.connectionBlocked || method === METHOD.connectionUnblocked) return;
    if (method !== METHOD.connectionClose) return this.#pending.answer(method, frame);
    this.#giveUp(replyError(frame.u16(), frame.shortText()), methods.emptyMethod(0, METHOD.connectionCloseOk));
  }

  /** Ends it, with a last word if the broker takes that soon. */
  #giveUp(error: unknown, finalFrame: Uint8Array): void {
    if (this.lost.aborted) return;
    this.#outbox.push(finalFrame);
    this.#stop(error);
    const timer = setTimeout(() => this.#transport.close(), FINAL_FRAME_MS);
    this.#finalFrameSent = this.#outbox.sent().then(() => {
      clearTimeout(timer);
      this.#transport.close();
    });
  }

  #fail(error: unknown): void {
    if (this.lost.aborted) return;
    this.#stop(error);
    this.#transport.close();
  }

  #stop(error: unknown): void {
    clearInterval(this.#heartbeatTimer);
    this.#heard[Symbol.dispose]();
    this.#reader.stop();
    this.#end.abort(error);
    this.#pending.fail(error);
    for (const channel of this.#channels.splice(0)) channel?.connectionLost(error);
  }

  #ask<T>(request: Uint8Array, reply: number, read: (frame: Frame) => T): Promise<T> {
    const answer = this.#pending.expect(reply, read);
    this.#send(request);
    return answer;
  }

  #send(frame: Uint8Array): void {
    if (!this.lost.aborted) this.#outbox.push(frame);
  }
}
