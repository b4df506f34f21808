import { Buffer } from "node:buffer";
import type { DeliveryError, PermanentError } from "../../model/errors.ts";
import { AmqpFailures, Unroutable } from "./amqp_failure.ts";
import { type AmqpEnvelope, AmqpLink, type AmqpPlace, ClosedByTimeout } from "./amqp_link.ts";
import { amqpRefusal } from "./amqp_refusal.ts";
import { type AmqpEndpoint, amqpEndpoints, amqpOptionProblems, type AmqpTargetOptions } from "./amqp_options.ts";
import { Deadline } from "../deadline.ts";
import { refuseProblems } from "../options/option_rules.ts";

export type { AmqpPlace, AmqpTargetOptions };

/**
 * A message and its destination. The names are those of AMQP 0-9-1; short strings have at most 255
 * bytes.
 */
export interface AmqpMessage {
  /** A queue, or an exchange with the queues bound to it. */
  readonly to: AmqpPlace;
  /** Used by an exchange. */
  readonly routingKey: string;
  /** The property `message_id`, which tells one message from another. */
  readonly messageId: string;
  /** The property `type`, as `compute.instance.create.end`. */
  readonly type: string;
  /** The property `content_type`, as `application/json`. */
  readonly contentType: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** The property `headers`. */
  readonly headers: Readonly<Record<string, string | number | boolean>>;
  /** Sent as UTF-8. */
  readonly body: string;
}

/**
 * Publishes to a RabbitMQ broker, or to one of several that are tried in turn. The connection is
 * opened at first use and kept. Publishing succeeds when the broker has confirmed that a queue has
 * the message (publisher confirm). Every other outcome is thrown as an error that says whether to
 * retry, and holds no secret.
 *
 * @example
 * ```ts
 * import { AmqpTarget } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * await using target = new AmqpTarget({ host: "127.0.0.1", port: 1, user: "watcher", password: "s3cret" });
 * const never = new AbortController().signal;
 *
 * await assert.rejects(target.check({ queue: "nodes" }, never), { name: "DeliveryError", reason: "connection" });
 * ```
 */
export class AmqpTarget implements AsyncDisposable {
  readonly #endpoints: readonly AmqpEndpoint[];
  readonly #heartbeatSeconds: number;
  readonly #timeoutSeconds: number;
  readonly #failures: AmqpFailures;
  /** Index of the endpoint to try first: the one after the last that failed. */
  #next = 0;
  #link: AmqpLink | undefined;
  #opening: { readonly stop: AbortController; readonly link: Promise<AmqpLink> } | undefined;

  /**
   * The problems for which the constructor would refuse these options: `option: what is allowed`
   * each, never with a value.
   */
  static problems(options: AmqpTargetOptions): string[] {
    return amqpOptionProblems(options);
  }

  /**
   * Does no I/O: files are read and the AMQP library is loaded when they are needed.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: AmqpTargetOptions) {
    refuseProblems("Cannot make AmqpTarget", AmqpTarget.problems(options));
    this.#endpoints = amqpEndpoints(options);
    this.#heartbeatSeconds = options.heartbeatSeconds ?? 10;
    this.#timeoutSeconds = options.timeoutSeconds ?? 30;
    this.#failures = new AmqpFailures(this.#endpoints.map(({ password }) => password));
  }

  /**
   * Publishes a persistent message.
   *
   * @throws {PermanentError} when the broker can never take it.
   * @throws {DeliveryError} when no queue takes it, the broker does not accept it at present,
   * refuses our credentials, or cannot be reached.
   */
  async publish({ to, routingKey, body, ...properties }: AmqpMessage, signal: AbortSignal): Promise<void> {
    const toExchange = "exchange" in to;
    const envelope: AmqpEnvelope = {
      ...properties,
      exchange: toExchange ? to.exchange : "",
      routingKey: toExchange ? routingKey : to.queue,
      mandatory: true,
      durable: true,
    };
    await this.#attempt(`Cannot publish to ${shownPlace(to)}`, signal, async (link) => {
      const returned = await link.publish(envelope, Buffer.from(body));
      if (returned !== undefined) throw new Unroutable(toExchange ? routingKey : undefined);
    });
  }

  /**
   * Connects, logs in and checks that the exchange or queue exists.
   *
   * @throws {DeliveryError} when that fails.
   */
  async check(place: AmqpPlace, signal: AbortSignal): Promise<void> {
    await this.#attempt(`Cannot look for ${shownPlace(place)}`, signal, async (link) => {
      try {
        await link.declarePassively(place);
      } catch (error) {
        // RabbitMQ 4.3 and later let only users with rights to a queue inspect it. Publishing to it
        // does not need them.
        if (!("queue" in place) || amqpRefusal(error) !== "rights") throw error;
      }
    });
  }

  /** Closes the connection. A later message opens a new one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#opening?.stop.abort(new Error("the connection was closed"));
    await this.#opening?.link.catch(() => undefined);
    await this.#link?.close();
  }

  async #attempt(cannot: string, signal: AbortSignal, work: (link: AmqpLink) => Promise<void>): Promise<void> {
    using deadline = new Deadline(signal, this.#timeoutSeconds);
    if (deadline.signal.aborted) throw deadline.failure(cannot);
    // The attempt to connect ends by its own time limit at the latest.
    while (!await this.#tryOnce(cannot, deadline, work));
  }

  /**
   * `false`: another message timed out, which closed the connection that both used. The caller may
   * retry at once.
   */
  async #tryOnce(cannot: string, deadline: Deadline, work: (link: AmqpLink) => Promise<void>): Promise<boolean> {
    let link: AmqpLink | undefined;
    const attempt = this.#open().then((opened) => work(link = opened));
    try {
      await deadline.race(attempt);
      return true;
    } catch (error) {
      const place = link === undefined ? cannot : `${cannot} at ${link.label}`;
      if (deadline.signal.aborted) throw deadline.failure(place + this.#drop(link));
      if (error instanceof ClosedByTimeout) return false;
      throw this.#failures.failed(place, error);
    }
  }

  async #open(): Promise<AmqpLink> {
    if (this.#link !== undefined && !this.#link.over.aborted) return this.#link;
    if (this.#opening === undefined) {
      const stop = new AbortController();
      this.#opening = { stop, link: this.#connect(stop.signal).finally(() => this.#opening = undefined) };
    }
    return this.#link = await this.#opening.link;
  }

  /** Tries each endpoint once. */
  async #connect(stop: AbortSignal): Promise<AmqpLink> {
    const failures: (DeliveryError | PermanentError)[] = [];
    while (failures.length < this.#endpoints.length) {
      const endpoint = this.#endpoints[this.#next % this.#endpoints.length]!;
      try {
        return await AmqpLink.open(endpoint, { heartbeatSeconds: this.#heartbeatSeconds, stop });
      } catch (error) {
        if (stop.aborted) throw stop.reason;
        this.#next++;
        failures.push(this.#failures.failed(`Cannot connect to ${endpoint.label}`, error));
      }
    }
    // Of several failures, prefer one that says more than that a host cannot be reached.
    throw failures.find((failure) => "reason" in failure && failure.reason !== "connection") ?? failures[0];
  }

  /**
   * Closes a connection, or the attempt to open one, without a closing handshake: messages that it
   * still holds must not be published later, after events that follow. Returns what the error text
   * has to add.
   */
  #drop(link: AmqpLink | undefined): string {
    const blocked = link?.blocked ?? "";
    if (link === undefined) this.#opening?.stop.abort(new ClosedByTimeout());
    else link.end(new ClosedByTimeout());
    return blocked === "" ? "" : ` (where publishers must wait: ${this.#failures.shown(blocked)})`;
  }
}

function shownPlace(place: AmqpPlace): string {
  return "exchange" in place ? `exchange "${place.exchange}"` : `queue "${place.queue}"`;
}
