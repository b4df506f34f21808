import { refuseProblems } from "../options/option_rules.ts";
import { KeptLink } from "../kept_link.ts";
import { LinkFailures } from "../link_failures.ts";
import { NATS_ERRORS } from "./nats_errors.ts";
import type { NatsEnvelope, NatsLink, NatsPlace } from "./nats_link.ts";
import { type NatsEndpoint, natsEndpoints, natsOptionProblems, type NatsTargetOptions } from "./nats_options.ts";

export type { NatsPlace, NatsTargetOptions };

/** A message, and where it goes. */
export interface NatsMessage {
  /** Tokens, separated by dots, as `isNatsSubject` allows them. */
  readonly subject: string;
  /** Sent as `Nats-Msg-Id`, by which a stream recognises a message that comes twice. */
  readonly messageId: string;
  /** Further headers; visible ASCII. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as UTF-8. */
  readonly body: string;
  /** The stream that must take it. @default any */
  readonly stream?: string | undefined;
}

/**
 * Publishes to streams of NATS JetStream, through one of several servers that are tried in turn. The
 * connection is opened at first use and kept. Publishing succeeds when a stream has acknowledged the
 * message. Every other outcome is thrown as an error that says whether to retry, and holds no
 * secret.
 *
 * @example
 * ```ts
 * import { NatsTarget } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * await using target = new NatsTarget({ url: "nats://127.0.0.1:1", user: "watcher", password: "s3cret" });
 * const never = new AbortController().signal;
 *
 * await assert.rejects(target.check({ subject: "cloud" }, never), { name: "DeliveryError", reason: "connection" });
 * ```
 */
export class NatsTarget implements AsyncDisposable {
  readonly #link: KeptLink<NatsEndpoint, NatsLink>;

  /**
   * The problems for which the constructor would refuse these options: `option: what is allowed`
   * each, never with a value.
   */
  static problems(options: NatsTargetOptions): string[] {
    return natsOptionProblems(options);
  }

  /**
   * Does no I/O: files are read and the library is loaded when they are needed.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: NatsTargetOptions) {
    refuseProblems("Cannot make NatsTarget", NatsTarget.problems(options));
    const { timeoutSeconds = 30, password = "", token = "" } = options;
    const failures = new LinkFailures([password, token], NATS_ERRORS);
    this.#link = new KeptLink({
      endpoints: natsEndpoints(options),
      // Our own time limit comes first.
      open: async (endpoint, stop) => {
        const { NatsLink } = await import("./nats_link.ts");
        return await NatsLink.open(endpoint, { login: options, timeoutMs: timeoutSeconds * 1000 + 1000, stop });
      },
      failed: (cannot, error) => failures.failed(cannot, error),
      timeoutSeconds,
    });
  }

  /**
   * Publishes a message.
   *
   * @throws {PermanentError} when the server or the stream can never take it.
   * @throws {DeliveryError} when no stream takes it, the server does not accept it at present,
   * refuses our credentials, or cannot be reached.
   */
  async publish(message: NatsMessage, signal: AbortSignal): Promise<void> {
    const envelope: NatsEnvelope = { ...message, stream: message.stream };
    await this.#link.attempt(`Cannot publish to "${message.subject}"`, signal, (link) => link.publish(envelope));
  }

  /**
   * Connects, logs in, and checks that there is a stream. Without a place, or where the user may not
   * ask for streams, only that the server answers.
   *
   * @throws {DeliveryError} when that fails.
   */
  async check(place: NatsPlace | undefined, signal: AbortSignal): Promise<void> {
    const what = place === undefined ? "reach NATS" : `find ${shownPlace(place)}`;
    await this.#link.attempt(`Cannot ${what}`, signal, async (link) => {
      await link.ping();
      if (place === undefined) return;
      await link.find(place).catch((error) => {
        if (!mayNotAsk(error)) throw error;
      });
    });
  }

  /** Closes the connection. A later message opens a new one. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}

function shownPlace(place: NatsPlace): string {
  return place.stream === undefined ? `a stream for "${place.subject}"` : `the stream "${place.stream}"`;
}

/** A user who may only publish gets this for a question about streams. */
function mayNotAsk(error: unknown): boolean {
  return error instanceof Error && (error.name === "PermissionViolationError" || mayNotAsk(error.cause));
}
