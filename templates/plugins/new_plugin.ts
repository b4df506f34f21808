import type { Detail, NotifyContext } from "oss-watcher";
import { HttpTarget, idempotencyKey, isAbsent } from "oss-watcher/kit";
import { givenOptions, optionProblems, type OptionRules, refuseProblems, required, TEXT } from "oss-watcher/kit";

/** Options of a NewPlugin in config.ts. */
export interface NewPluginOptions {
  /** Where events go, as `https://cmdb.example.com/nodes`. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /** Unique among the plugins of config.ts. */
  readonly name?: string;
}

/**
 * Tells a REST service of servers below `/servers` and of associated floating IPs below
 * `/floatingips`: PUT when one comes, DELETE when it goes. A server that loses a floating IP is
 * still there: the two must not share a URL.
 */
export class NewPlugin {
  readonly name: string;
  readonly #url: string;
  readonly #target: HttpTarget;

  /** Checks the options; connects to nothing yet. */
  constructor(options: NewPluginOptions) {
    const { url, name = "NewPlugin", ...account } = givenOptions("NewPlugin", options);
    refuseProblems("Cannot make NewPlugin", [...optionProblems(options, RULES), ...HttpTarget.problems(account)]);
    this.name = name;
    this.#url = url.replace(/\/$/, "");
    this.#target = new HttpTarget(account);
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

  #request(detail: Detail, created: boolean, { key, subject }: NotifyContext) {
    const [kind, id] = subject === "server" ? ["servers", detail.ID] : ["floatingips", detail.IP];
    return {
      method: created ? "PUT" : "DELETE",
      // What goes into a URL is encoded: tenants choose names, and ids come from elsewhere, too.
      url: `${this.#url}/${kind}/${encodeURIComponent((id ?? "unknown").toWellFormed())}`,
      headers: { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey(key) },
      // What is not there is removed.
      ...(created ? { body: JSON.stringify(detail) } : { accepts: isAbsent }),
    };
  }
}

/** What the options must be, with the text for one that is wrong. Those that have no rule are HttpTarget's. */
const RULES: OptionRules<NewPluginOptions, "url" | "name"> = {
  url: required(
    (url) => HttpTarget.isUrl(url) && !url.includes("?"),
    "must be a full URL without user, password and query",
  ),
  name: TEXT,
};
