import type { OpenStackOptions } from "../model/config.ts";
import { DeliveryError, UserError } from "../model/errors.ts";
import type { JsonObject } from "../model/notification.ts";
import { type Answered, Caller, type Question } from "./caller.ts";
import { type Credentials, findCredentials } from "./credentials.ts";
import { Endpoints } from "./endpoints.ts";
import { OpenStackUnavailable } from "./errors.ts";
import { type HostEnvironment, ownEnvironment } from "./host_environment.ts";
import { Keystone } from "./keystone.ts";
import { secretsOf } from "./secrets_of.ts";
import { Transport } from "./transport.ts";

/** Requests to one service with one login, for deliveries: failures are a `DeliveryError`. */
export class ServiceClient implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #caller: Caller;

  private constructor(credentials: Credentials, timeoutSeconds: number) {
    const clock = { now: () => Date.now() };
    const transport = new Transport({
      tls: credentials.tls,
      secrets: secretsOf(credentials),
      clock,
      concurrency: 8,
      timeoutSeconds,
    });
    const keystone = new Keystone({ credentials, transport, clock });
    this.#transport = transport;
    this.#caller = new Caller({ transport, keystone, endpoints: new Endpoints({ transport, credentials }) });
  }

  /**
   * Sends no request yet.
   *
   * @throws {DeliveryError} when credentials are missing.
   */
  static async open(
    options: OpenStackOptions,
    { timeoutSeconds, host = ownEnvironment() }: { readonly timeoutSeconds: number; readonly host?: HostEnvironment },
  ): Promise<ServiceClient> {
    return new ServiceClient(await asDelivery(findCredentials(options, host)), timeoutSeconds);
  }

  /**
   * Returns a successful answer, or one with a status that the question handles, 400, 403, 404 or
   * 410.
   *
   * @throws {DeliveryError} for every other answer, and when there is none.
   */
  async ask(question: Question): Promise<ServiceAnswer> {
    const { answer: { status, body, errorMessage }, call: { url } } = await asDelivery(
      this.#caller.ask(question),
      question,
    );
    return { status, body, errorMessage, url };
  }

  /** Aborts running requests. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }
}

/** An answer of a service. */
export interface ServiceAnswer extends Pick<Answered["answer"], "status" | "errorMessage"> {
  /** `null` without a JSON object. */
  readonly body: JsonObject | null;
  readonly url: string;
}

async function asDelivery<Result>(work: Promise<Result>, question?: Question): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (question?.signal?.aborted) {
      const { service, signal } = question;
      throw new DeliveryError(`Cannot ask ${service}: interrupted`, { reason: "interrupted", cause: signal?.reason });
    }
    if (error instanceof OpenStackUnavailable) {
      const { message, reason, status, retryAfterMs } = error;
      throw new DeliveryError(message, {
        reason,
        ...(status === undefined ? {} : { status }),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      });
    }
    if (!(error instanceof UserError)) throw error;
    // An operator may correct it while events wait.
    const reason = error.message.startsWith("Cannot log in") ? "unauthorized" : "client_error";
    throw new DeliveryError(error.message, { reason, cause: error });
  }
}
