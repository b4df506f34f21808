import type { Logger } from "../model/plugin.ts";
import { secured } from "./guard/headers.ts";
import type { Answer } from "./server_options.ts";

export interface LazyAppOptions {
  /** Makes what answers; called with the first request. */
  readonly make: () => Promise<Answer & Disposable>;
  /** Whether browsers reach it by HTTPS. */
  readonly isSecure: boolean;
  readonly log: Logger;
}

/**
 * What answers, made with the first request and kept. Where it cannot be made, as with a key that
 * cannot be read, the next request tries again. The log is told once, until something was answered.
 */
export class LazyApp implements Disposable {
  readonly #options: LazyAppOptions;
  #made: Promise<Answer & Disposable> | undefined;
  #isFailing = false;
  #hasEnded = false;

  constructor(options: LazyAppOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  readonly answer: Answer = async (request, client) => {
    let app: Answer;
    try {
      app = await (this.#made ??= this.#make());
    } catch (error) {
      return this.#failed("Cannot begin the console", error);
    }
    try {
      const response = await app(request, client);
      this.#isFailing = false;
      return response;
    } catch (error) {
      return this.#failed("Cannot answer a request of the console", error);
    }
  };

  /** Ends what was made: its streams are connections that the server would wait for. */
  [Symbol.dispose](): void {
    this.#hasEnded = true;
    void this.#made?.then((app) => app[Symbol.dispose](), () => {});
  }

  async #make(): Promise<Answer & Disposable> {
    try {
      if (this.#hasEnded) throw new Error("the service stops");
      return await this.#options.make();
    } catch (error) {
      this.#made = undefined;
      throw error;
    }
  }

  #failed(what: string, error: unknown): Response {
    const { log, isSecure } = this.#options;
    log[this.#isFailing ? "debug" : "error"](`${what}: ${error instanceof Error ? error.message : error}`);
    this.#isFailing = true;
    const answer = { error: `${what}: the service's log says why` };
    return secured(Response.json(answer, { status: 500 }), { isSecure });
  }
}
