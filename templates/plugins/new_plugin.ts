import { type Detail, HttpTarget, idempotencyKey, type NotifyContext } from "oss-watcher";

/** What a NewPlugin is told in config.ts. */
export interface NewPluginOptions {
  /** Where events go, as `https://cmdb.example.com/nodes`. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /** Unique among the plugins of config.ts. */
  readonly name?: string;
}

/** Tells a REST service of every server and floating IP: PUT when it comes, DELETE when it goes. */
export class NewPlugin {
  readonly name: string;
  readonly #url: string;
  readonly #target: HttpTarget;

  /** Checks the options; connects to nothing yet. */
  constructor({ url, user, password, name = "NewPlugin" }: NewPluginOptions) {
    if (!URL.canParse(url)) throw new TypeError(`Cannot use NewPlugin: url must be a full URL, found "${url}"`);
    this.name = name;
    this.#url = url.replace(/\/$/, "");
    this.#target = new HttpTarget({
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
    });
  }

  /** Returning means done; throwing means: try again later, in order, with the same key. */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await this.#target.request({ ...this.#request(detail, created, context), signal: context.signal });
  }

  /** What --dry-run shows: exactly what notify would send, secrets hidden. */
  preview(detail: Detail, created: boolean, context: NotifyContext) {
    return { ...this.#target.preview(this.#request(detail, created, context)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  #request(detail: Detail, created: boolean, { key }: NotifyContext) {
    return {
      method: created ? "PUT" : "DELETE",
      // Tenants choose names: what goes into a URL is encoded.
      url: `${this.#url}/${encodeURIComponent((detail.ID ?? detail.IP ?? "unknown").toWellFormed())}`,
      headers: { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey(key) },
      ...(created ? { body: JSON.stringify(detail) } : {}),
    };
  }
}
