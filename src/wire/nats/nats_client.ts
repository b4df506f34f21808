import { KeptLink } from "../kept_link.ts";
import { sending, traced } from "../tracing.ts";
import { LinkFailures } from "../link_failures.ts";
import { NATS_ERRORS } from "./nats_errors.ts";
import { type NatsEnvelope, NatsLink, type NatsPlace } from "./nats_link.ts";
import { type NatsEndpoint, natsEndpoints, type NatsTargetOptions } from "./nats_options.ts";

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

/** What `NatsTarget` does, with the modules that connect. */
export class NatsClient implements AsyncDisposable {
  readonly #link: KeptLink<NatsEndpoint, NatsLink>;

  /** @param options Checked ones. */
  constructor(options: NatsTargetOptions) {
    const { timeoutSeconds = 30, password = "", token = "" } = options;
    const failures = new LinkFailures([password, token], NATS_ERRORS);
    this.#link = new KeptLink({
      endpoints: natsEndpoints(options),
      // Our own time limit comes first.
      open: (endpoint, stop) =>
        NatsLink.open(endpoint, { login: options, timeoutMs: timeoutSeconds * 1000 + 1000, stop }),
      failed: (cannot, error) => failures.failed(cannot, error),
      timeoutSeconds,
    });
  }

  async publish(message: NatsMessage, signal: AbortSignal): Promise<void> {
    const { subject, messageId, stream } = message;
    await traced(() => sending("nats", { destination: subject, through: stream ?? "nats", messageId }), (trace) => {
      const envelope: NatsEnvelope = { ...message, stream, headers: { ...trace, ...message.headers } };
      return this.#link.attempt(`Cannot publish to "${subject}"`, signal, (link) => link.publish(envelope));
    });
  }

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
