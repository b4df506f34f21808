import { type Detail, type Json, type NotifyContext, PermanentError, type Plugin, type UpdateContext } from "../mod.ts";
import { callUserFunction, givenOptions, isNatsSubject, type NatsMessage, NatsTarget } from "../src/kit/targets.ts";
import { optionProblems, printable, refuseProblems, RETURNS_TEXT } from "../src/kit/targets.ts";
import { busMessage } from "./bus_message.ts";
import { NATS_RULES, type NatsOptions } from "./nats_options.ts";

/**
 * Publishes every event's detail as JSON to a stream of NATS JetStream. The delivery is done when the
 * stream has acknowledged the message. `Nats-Msg-Id` is the event's key: a message that comes twice
 * within the stream's `duplicate_window` is stored once. Headers tell the rest, as those of
 * `RestNotify` do: `OSS-Watcher-Kind` (`creation`, `update` or `deletion`), `-Event-Type`,
 * `-Sequence`, `-Creation-Seen`; `-Changed` of an update.
 *
 * @example
 * ```ts
 * import { natsToken } from "oss-watcher/kit";
 * import { Nats, type NatsOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: NatsOptions = {
 *   url: ["tls://nats-1.example.com", "tls://nats-2.example.com"],
 *   credsFile: "/etc/oss-watcher/nats.creds",
 *   subject: ({ ProjectName }, created) => `cloud.${natsToken(ProjectName)}.${created ? "created" : "deleted"}`,
 * };
 *
 * assert.equal(new Nats(options).name, "Nats");
 * assert.throws(() => new Nats({ ...options, subject: "cloud.>" }), /subject: must be tokens/);
 * ```
 */
export class Nats implements Plugin {
  readonly name: string;
  readonly #options: NatsOptions;
  readonly #target: NatsTarget;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: NatsOptions) {
    const { name, subject: _, stream: _stream, format: _format, source: _source, ...server } = givenOptions(
      "Nats",
      options,
    );
    refuseProblems("Cannot make Nats", [...optionProblems(options, NATS_RULES), ...NatsTarget.problems(server)]);
    this.name = name ?? "Nats";
    this.#options = options;
    this.#target = new NatsTarget(server);
  }

  /**
   * Publishes the event's message, and waits for the stream's acknowledgement.
   *
   * @throws {PermanentError} when server or stream can never take it, or `subject` fails.
   * @throws {DeliveryError} when no stream takes it, the server does not accept it at present,
   * refuses our credentials, or cannot be reached.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await this.#target.publish(this.#message(detail, created, context), context.signal);
  }

  /** Publishes the update's message, as {@linkcode Nats.notify} does. */
  async update(detail: Detail, context: UpdateContext): Promise<void> {
    await this.#target.publish(this.#message(detail, true, context), context.signal);
  }

  /** The message that {@linkcode Nats.notify} would publish, its body parsed. */
  preview(detail: Detail, created: boolean, context: NotifyContext): Json {
    return shown(this.#message(detail, created, context));
  }

  /** The message that {@linkcode Nats.update} would publish, likewise. */
  previewUpdate(detail: Detail, context: UpdateContext): Json {
    return shown(this.#message(detail, true, context));
  }

  /**
   * Rejects when no server can be reached, it refuses our credentials, or there is no stream for the
   * messages. A user who may not ask for streams is told nothing of them.
   */
  async check(signal: AbortSignal): Promise<void> {
    const { stream, subject } = this.#options;
    const bySubject = typeof subject === "string" ? { subject } : undefined;
    await this.#target.check(stream === undefined ? bySubject : { stream }, signal);
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  #message(detail: Detail, created: boolean, context: NotifyContext | UpdateContext): NatsMessage {
    const { stream, format, source } = this.#options;
    const { id, headers, body } = busMessage(detail, context, { format, source });
    return { subject: this.#subject(detail, created, context), messageId: id, headers, body, stream };
  }

  #subject(detail: Detail, created: boolean, context: NotifyContext | UpdateContext): string {
    const { subject } = this.#options;
    if (typeof subject === "string") return subject;
    const made = callUserFunction(
      { ...RETURNS_TEXT, plugin: this.name, option: "subject" },
      () => subject(detail, created, context),
    );
    if (isNatsSubject(made)) return made;
    throw new PermanentError(
      `The function subject of ${this.name} returned "${printable(made, 80)}", which is no subject: ` +
        "use natsToken() for what others choose",
    );
  }
}

/** A message as JSON, in NATS's terms. */
function shown({ subject, messageId, headers, body, stream }: NatsMessage): Json {
  const all: Record<string, string> = { "Nats-Msg-Id": messageId, ...headers };
  if (stream !== undefined) all["Nats-Expected-Stream"] = stream;
  return { subject, headers: all, body: JSON.parse(body) };
}
