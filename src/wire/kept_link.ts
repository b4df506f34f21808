import type { DeliveryError, PermanentError } from "../model/errors.ts";
import { Deadline } from "./deadline.ts";

/** A connection that {@linkcode KeptLink} keeps. */
export interface Link {
  /** `host:port`, for people. */
  readonly label: string;
  /** Aborted when the connection has ended, with the cause as its reason. */
  readonly over: AbortSignal;
  /** Ends the connection for good, without a closing handshake. */
  end(reason: unknown): void;
  /** Ends the connection with what its protocol has for that. */
  close(): Promise<void>;
}

export interface KeptLinkOptions<Endpoint extends { readonly label: string }, Kept extends Link> {
  /** Tried in turn. */
  readonly endpoints: readonly Endpoint[];
  /** Connects. Ends by a time limit of its own at the latest, and when `stop` is aborted. */
  readonly open: (endpoint: Endpoint, stop: AbortSignal) => Promise<Kept>;
  /** The error for a failure; `cannot` as `Cannot publish to queue "nodes" at rabbit-1:5672`. */
  readonly failed: (cannot: string, error: unknown) => DeliveryError | PermanentError;
  /** What the text of a time-out has to add, as ` (why)`; empty: nothing. */
  readonly waitsFor?: (link: Kept) => string;
  /** For one attempt, from connecting to the answer. */
  readonly timeoutSeconds: number;
}

/** The reason of a connection that was closed because of another attempt, which got no answer or failed. */
export class LinkGivenUp extends Error {
  override readonly name = "LinkGivenUp";
  override readonly message = "the connection was given up";
}

/**
 * One connection to one of several servers. It is opened at first use, shared by all attempts, and
 * kept. An attempt without an answer in time closes it: what it still holds must not be sent later,
 * after what follows.
 */
export class KeptLink<Endpoint extends { readonly label: string }, Kept extends Link> implements AsyncDisposable {
  readonly #options: KeptLinkOptions<Endpoint, Kept>;
  /** Index of the endpoint to try first: the one after the last that failed, or did not answer. */
  #next = 0;
  #link: Kept | undefined;
  #opening: { readonly stop: AbortController; readonly link: Promise<Kept> } | undefined;

  constructor(options: KeptLinkOptions<Endpoint, Kept>) {
    this.#options = options;
  }

  /**
   * Does some work with the connection.
   *
   * @param cannot The beginning of an error text, as `Cannot publish to queue "nodes"`.
   * @throws {DeliveryError | PermanentError} when there is no connection, the work fails, or either
   * takes too long.
   */
  async attempt(cannot: string, signal: AbortSignal, work: (link: Kept) => Promise<void>): Promise<void> {
    using deadline = new Deadline(signal, this.#options.timeoutSeconds);
    if (deadline.signal.aborted) throw deadline.failure(cannot);
    // The attempt to connect ends by its own time limit at the latest.
    while (!await this.#tryOnce(cannot, deadline, work));
  }

  /** Closes the connection. A later attempt opens a new one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#opening?.stop.abort(new Error("the connection was closed"));
    await this.#opening?.link.catch(() => undefined);
    await this.#link?.close();
  }

  /**
   * `false`: another attempt timed out or failed, which closed the connection that both used. The
   * caller may retry at once.
   */
  async #tryOnce(cannot: string, deadline: Deadline, work: (link: Kept) => Promise<void>): Promise<boolean> {
    let link: Kept | undefined;
    const attempt = this.#open().then((opened) => work(link = opened));
    try {
      await deadline.race(attempt);
      return true;
    } catch (error) {
      const place = link === undefined ? cannot : `${cannot} at ${link.label}`;
      if (deadline.signal.aborted) throw deadline.failure(place + this.#drop(link));
      if (error instanceof LinkGivenUp) return false;
      throw this.#options.failed(place, error);
    }
  }

  async #open(): Promise<Kept> {
    if (this.#link !== undefined && !this.#link.over.aborted) return this.#link;
    if (this.#opening === undefined) {
      const stop = new AbortController();
      this.#opening = { stop, link: this.#connect(stop.signal).finally(() => this.#opening = undefined) };
    }
    return this.#link = await this.#opening.link;
  }

  /** Tries each endpoint once. */
  async #connect(stop: AbortSignal): Promise<Kept> {
    const { endpoints, open, failed } = this.#options;
    const failures: (DeliveryError | PermanentError)[] = [];
    while (failures.length < endpoints.length) {
      const endpoint = endpoints[this.#next % endpoints.length]!;
      try {
        return await open(endpoint, stop);
      } catch (error) {
        if (stop.aborted) throw stop.reason;
        this.#next++;
        failures.push(failed(`Cannot connect to ${endpoint.label}`, error));
      }
    }
    // Of several failures, prefer one that says more than that a host cannot be reached.
    throw failures.find((failure) => "reason" in failure && failure.reason !== "connection") ?? failures[0];
  }

  /**
   * Closes a connection, or the attempt to open one, without a closing handshake. Returns what the
   * error text has to add.
   */
  #drop(link: Kept | undefined): string {
    const note = (link && this.#options.waitsFor?.(link)) ?? "";
    const isOver = link === undefined ? this.#opening?.stop.signal.aborted !== false : link.over.aborted;
    // Of several attempts that time out together, one alone may move on.
    if (!isOver) this.#next++;
    if (link === undefined) this.#opening?.stop.abort(new LinkGivenUp());
    else link.end(new LinkGivenUp());
    return note;
  }
}
