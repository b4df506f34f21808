import { Endpoints } from "./endpoints.ts";
import type { Keystone, Session } from "./keystone.ts";
import { microversionHeaders } from "./microversion.ts";
import type { ServiceName } from "./services.ts";
import type { Answer, Call, Transport } from "./transport.ts";

/** One question to one service. */
export interface Question {
  readonly service: ServiceName;
  /** Below the API's version, as `/servers/ID`. */
  readonly path: string;
}

/** An answer with its call, for texts. */
export interface Answered {
  readonly call: Call;
  readonly answer: Answer;
  /** Whose rights it shows. */
  readonly session: Session;
}

/** Not possible, not allowed, not there, no longer there. */
const MEANINGFUL_STATUSES = new Set([400, 403, 404, 410]);

/** Puts questions to services in the name of our account: finds the API, sends the token, and renews it once when it is refused. */
export class Caller {
  readonly #transport: Transport;
  readonly #keystone: Keystone;
  readonly #endpoints: Endpoints;

  constructor(
    { transport, keystone, endpoints }: {
      readonly transport: Transport;
      readonly keystone: Keystone;
      readonly endpoints: Endpoints;
    },
  ) {
    this.#transport = transport;
    this.#keystone = keystone;
    this.#endpoints = endpoints;
  }

  /**
   * An answer that is a success, or one whose status says something by itself: 400, 403, 404, 410.
   *
   * @throws {OpenStackUnavailable} for every other.
   * @throws {UserError} when we cannot log in, or the catalog does not lead there.
   */
  async ask(question: Question): Promise<Answered> {
    const session = await this.#keystone.session();
    const first = await this.#send(question, session);
    if (first.answer.status !== 401) return this.#checked(first);
    this.#keystone.forget(session);
    return this.#checked(await this.#send(question, await this.#keystone.session()));
  }

  async #send({ service, path }: Question, session: Session): Promise<Answered> {
    if (service === "Keystone") {
      const call = { service, url: `${session.keystoneUrl}${path}`, token: session.token };
      return { call, answer: await this.#transport.send(call), session };
    }
    for (;;) {
      const { url, microversion } = await this.#endpoints.of(service, session);
      const headers = microversionHeaders(microversion);
      const call = { service, url: `${url}${path}`, token: session.token, headers };
      const answer = await this.#transport.send(call);
      // Ends where there is nothing lower.
      if (answer.status !== 406 || microversion === null) return { call, answer, session };
      this.#endpoints.lower(service, microversion, answer.errorMessage);
    }
  }

  /** A proxy's own page is not what the service says: it would make everything absent or forbidden in silence. */
  #checked(answered: Answered): Answered {
    const { call, answer: { status, body, problem, errorMessage } } = answered;
    if (status < 300 || MEANINGFUL_STATUSES.has(status) && body !== null) return answered;
    const isToken = status === 401;
    const advice = isToken
      ? "It refuses the token that Keystone just gave; see its own log"
      : "Check the catalog's URL";
    const what = body === null ? `, but ${problem}` : errorMessage && `: "${errorMessage}"`;
    throw this.#transport.failure(call, {
      reason: isToken ? "unauthorized" : "client_error",
      status,
      state: `${status}${what}. ${advice}`,
    });
  }
}
