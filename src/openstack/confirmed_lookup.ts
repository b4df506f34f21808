import type { JsonObject } from "../model/notification.ts";
import { RESOURCE_ID } from "../model/resource_id.ts";
import { printable } from "../wire/escaping/printable.ts";
import type { Answered, Caller } from "./caller.ts";
import type { Answer } from "./lookup.ts";
import type { ServiceName } from "./services.ts";
import { SingleFlight } from "./single_flight.ts";
import type { Transport } from "./transport.ts";

export interface ConfirmedLookupOptions<T extends { readonly id: string }> {
  readonly service: ServiceName;
  /** The path of a resource, given its id. */
  readonly path: (id: string) => string;
  /** Reads the resource; `null` if the answer lacks required fields. */
  readonly read: (body: JsonObject) => T | null;
  /** Whether the body of a 404 is the service's own "there is no such resource" for this id. */
  readonly isAbsence: (body: JsonObject, id: string) => boolean;
  readonly caller: Caller;
  readonly transport: Transport;
}

/**
 * Looks up resources by id, for conclusions from the answer. `absent` is only what the service says
 * of this id: a 404 of a proxy, of another path, or of a service without the extension is an
 * unusable answer, as is a resource with another id. Nothing is cached, and a refusal is not
 * remembered.
 *
 * `absent` proves nothing for an account that may not see the resource: Nova and Neutron answer it
 * as if there were none.
 */
export class ConfirmedLookup<T extends { readonly id: string }> {
  readonly #options: ConfirmedLookupOptions<T>;
  readonly #inFlight = new SingleFlight<Answer<T>>();

  constructor(options: ConfirmedLookupOptions<T>) {
    this.#options = options;
  }

  /**
   * An id that no service gives is `absent` without a request.
   *
   * @param signal Cancels this caller's wait, not the request: others may wait for it too.
   * @throws {OpenStackUnavailable} when the answer is none of the three.
   */
  async of(id: string, signal?: AbortSignal): Promise<Answer<T>> {
    signal?.throwIfAborted();
    if (!RESOURCE_ID.test(id)) return "absent";
    return await this.#inFlight.run(id, () => this.#ask(id), signal);
  }

  async #ask(id: string): Promise<Answer<T>> {
    const { service, path, read, isAbsence, caller, transport } = this.#options;
    const answered = await caller.ask({ service, path: path(id) });
    const { status, body } = answered.answer;
    if (status === 403) return "forbidden";
    if (status === 404 && body !== null && isAbsence(body, id)) return "absent";
    if (status >= 300) throw this.#unclear(answered, id);
    const found = read(transport.bodyOf(answered.call, answered.answer));
    if (found?.id === id) return found;
    const state = `${status}, but the answer is not about ${printable(id, 60)}. Check that the URL is right`;
    throw transport.failure(answered.call, { reason: "other", status, state });
  }

  #unclear({ call, answer: { status, errorMessage } }: Answered, id: string): Error {
    const said = errorMessage && `: "${errorMessage}"`;
    const state =
      `${status}${said}, which does not say whether ${printable(id, 60)} exists. Check the catalog's URL, and the ` +
      "account's role";
    return this.#options.transport.failure(call, { reason: "client_error", status, state });
  }
}
