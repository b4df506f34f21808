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
  /**
   * The connection is lost when the broker sends nothing for twice as long. The broker may ask for
   * a shorter interval.
   */
  readonly heartbeatSeconds: number;
  /** The connection's name in RabbitMQ's management UI. */
  readonly name: string;
  /** Time limit for connecting and logging in, together. @default 10000 */
  readonly connectMs?: number;
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number;
  /**
   * Called after each read; the next read waits for the returned promise, which must settle within
   * a second: heartbeats must be read, too.
   *
   * @default never waits
   */
  readonly backpressure?: (() => Promise<void> | undefined) | undefined;
  /** @default openTransport */
  readonly open?: (options: TransportOptions) => Promise<Transport>;
}

/**
 * Turns of the event loop between two reads: a plugin's request needs about as many. They take
 * microseconds when there is no other work.
 */
const LOOP_TURNS = 8;
const CONNECT_MS = 10_000;
/**
 * Silence is checked twice per heartbeat interval. The fifth silent check in a row ends the
 * connection: then at least two intervals have passed without data.
 */
const MAX_SILENT_CHECKS = 4;
/** Time limit for sending the close frame to a broker that sent an invalid frame. */
const FINAL_FRAME_MS = 1_000;

/**
 * One connection of a consumer to one broker. Messages are handed over in the read buffer, without
 * copies. The end of the connection is signalled once, by {@linkcode Connection.lost}; this class
 * does not reconnect.
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
  /** Numbers of all channels that were ever opened. */
  readonly #used = new Set<number>();
  #lastNumber = 0;
  #brokerVersion = "";
  /** Resolves when the final close frame has been sent, if there is one. */
  #finalFrameSent: Promise<void> | undefined;
  #heartbeatTimer: ReturnType<typeof setInterval> | undefined;
  /** Number of heartbeat checks since data came last. */
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

  /**
   * Connects and logs in. Rejects with an error whose `code` gives the reason, or with the reason
   * of the signal.
   */
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
      // If the time limit or the signal broke the connection, that is the reason to report.
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

  /** Aborts when the connection ends; its reason is the error. */
  get lost(): AbortSignal {
    return this.#end.signal;
  }

  /** When the broker sent data last, in milliseconds since the epoch. */
  get heardAt(): number {
    return this.#heard.at;
  }

  /** The broker's release, as `4.0.5`; empty if the broker does not report it. */
  get brokerVersion(): string {
    return this.#brokerVersion;
  }

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

  /** Closes the connection after all frames were sent. Never rejects. */
  async close(): Promise<void> {
    if (!this.lost.aborted) {
      try {
        await this.#ask(methods.close(0, methods.DONE), METHOD.connectionCloseOk, () => {});
      } catch {
        // The connection was lost: it is closed anyway.
      }
    }
    this.destroy();
    await this.#reading;
  }

  /** Closes the socket at once, without AMQP's close method. */
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

  /**
   * Sends heartbeats, and detects a silent broker. Checks are counted, not time: a process that was
   * suspended does not take its own pause for the broker's silence.
   */
  #startHeartbeat(heartbeatSeconds: number): void {
    // The read that brought the answer may have ended the connection.
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
        // A backlog is read faster than it is processed. Recording and plugins get turns of the
        // event loop before the next read.
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
    // RabbitMQ repeats the close of a channel at each look while a message is not acknowledged in
    // time, until our answer arrives. A second answer would be for a channel that is not open, and
    // would end the connection.
    if (this.#used.has(id)) return;
    throw new AmqpError("CHANNEL_ERROR", `a frame came for channel ${id}, which is not open`);
  }

  /**
   * Returns the number after the last one: late frames of a closed channel must not reach a new
   * one.
   */
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
    // Only publishers are blocked.
    if (method === METHOD.connectionBlocked || method === METHOD.connectionUnblocked) return;
    if (method !== METHOD.connectionClose) return this.#pending.answer(method, frame);
    this.#giveUp(replyError(frame.u16(), frame.shortText()), methods.emptyMethod(0, METHOD.connectionCloseOk));
  }

  /** Ends the connection; a final frame is sent if the broker takes it within a second. */
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
