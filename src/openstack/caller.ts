import { Endpoints } from "./endpoints.ts";
import type { Keystone, Session } from "./keystone.ts";
import { microversionHeaders } from "./microversion.ts";
import type { ServiceName } from "./services.ts";
import type { Answer, Call, Transport } from "./transport.ts";

/** One request to one service. */
export interface Question extends Pick<Call, "method" | "body" | "headers" | "signal"> {
  readonly service: ServiceName;
  /** The path below the API's version, as `/servers/ID`. */
  readonly path: string;
  /** Further client errors that the caller handles itself. @default none */
  readonly handles?: readonly number[];
}

/** An answer with its request, which error messages quote. */
export interface Answered {
  readonly call: Call;
  readonly answer: Answer;
  /** The session whose permissions the answer reflects. */
  readonly session: Session;
}

/** Client errors that callers handle themselves: bad request, forbidden, not found, gone. */
const MEANINGFUL_STATUSES = new Set([400, 403, 404, 410]);

/**
 * Sends authenticated requests to services: finds the endpoint, adds the token, and logs in again
 * once when a service refuses the token (401).
 */
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
   * Returns a successful answer, or one with a status that the caller handles: 400, 403, 404, 410,
   * and those of the question.
   *
   * @throws {OpenStackUnavailable} for every other answer, and when there is none.
   * @throws {UserError} when the login fails, or the catalog has no usable endpoint of the service.
   */
  async ask(question: Question): Promise<Answered> {
    const { signal, handles = [] } = question;
    const session = await this.#keystone.session(signal);
    const first = await this.#send(question, session);
    if (first.answer.status !== 401) return this.#checked(first, handles);
    this.#keystone.forget(session);
    return this.#checked(await this.#send(question, await this.#keystone.session(signal)), handles);
  }

  async #send({ service, path, headers: own, handles: _, ...rest }: Question, session: Session): Promise<Answered> {
    if (service === "Keystone") {
      const call = { ...rest, service, url: `${session.keystoneUrl}${path}`, token: session.token };
      return { call, answer: await this.#transport.send(call), session };
    }
    for (;;) {
      const { url, microversion } = await this.#endpoints.of(service, session);
      const headers = { ...microversionHeaders(microversion), ...own };
      const call = { ...rest, service, url: `${url}${path}`, token: session.token, headers };
      const answer = await this.#transport.send(call);
      // Retries with a lower microversion after 406, until there is none left.
      if (answer.status !== 406 || microversion === null) return { call, answer, session };
      this.#endpoints.lower(service, microversion, answer.errorMessage);
    }
  }

  /**
   * Accepts 400, 403, 404 and 410 only with a JSON body. An error page of a proxy would otherwise
   * make every resource silently absent or forbidden.
   */
  #checked(answered: Answered, handles: readonly number[]): Answered {
    const { call, answer: { status, body, problem, errorMessage } } = answered;
    if (status < 300 || (MEANINGFUL_STATUSES.has(status) || handles.includes(status)) && body !== null) return answered;
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
