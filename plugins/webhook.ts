import type { Detail, Json, NotifyContext, Plugin, UpdateContext } from "../mod.ts";
import { givenOptions, HttpTarget, optionProblems, refuseProblems } from "../src/kit/targets.ts";
import { Batch } from "./webhook_batch.ts";
import type { ChatLine } from "./webhook_message.ts";
import { WEBHOOK_RULES, type WebhookOptions } from "./webhook_options.ts";

type Context = NotifyContext | UpdateContext;

/**
 * Tells people in a chat: Slack, Microsoft Teams, Mattermost, or whatever takes JSON. Events that
 * come close together are one message, a line each. Nothing that a tenant writes can mention
 * somebody, become a link or format the message. The URL is a secret.
 *
 * An event may be told twice: no chat refuses a repetition.
 *
 * @example
 * ```ts
 * import { Webhook, type WebhookOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: WebhookOptions = { chat: "slack", url: "https://hooks.slack.com/services/T0/B0/secret" };
 *
 * assert.equal(new Webhook(options).name, "Webhook");
 * assert.throws(() => new Webhook({ ...options, url: "hooks.slack.com" }), /url: must be a full URL/);
 * ```
 */
export class Webhook implements Plugin {
  readonly name: string;
  /** Tells of the update, as `notify` does. Only there with `updates`. */
  readonly update?: (detail: Detail, context: UpdateContext) => Promise<void>;
  /** The message that `update` would send. Only there with `updates`. */
  readonly previewUpdate?: (detail: Detail, context: UpdateContext) => Promise<Json>;
  readonly #options: WebhookOptions;
  readonly #target: HttpTarget;
  readonly #batch: Batch<ChatLine>;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: WebhookOptions) {
    const { chat: _, url: _url, text: _text, updates, everySeconds = 5, name, ...http } = givenOptions(
      "Webhook",
      options,
    );
    refuseProblems("Cannot make Webhook", [...optionProblems(options, WEBHOOK_RULES), ...HttpTarget.problems(http)]);
    this.name = name ?? "Webhook";
    this.#options = options;
    this.#target = new HttpTarget(http);
    this.#batch = new Batch({ waitMs: everySeconds * 1000, send: (lines, signal) => this.#send(lines, signal) });
    if (!updates) return;
    this.update = (detail, context) => this.#tell(detail, true, context);
    this.previewUpdate = (detail, context) => this.#preview(detail, true, context);
  }

  /**
   * Tells of the event; resolves when the chat has taken the message that it is part of.
   *
   * @throws {DeliveryError} when there is no answer, or one that is not from 200 to 299.
   * @throws {PermanentError} when the function `text` fails.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await this.#tell(detail, created, context);
  }

  /** The message that {@linkcode Webhook.notify} would send if no other event came close to it. */
  async preview(detail: Detail, created: boolean, context: NotifyContext): Promise<Json> {
    return await this.#preview(detail, created, context);
  }

  /** Sends what waits, and closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#batch.flush();
    await this.#target[Symbol.asyncDispose]();
  }

  async #tell(detail: Detail, created: boolean, context: Context): Promise<void> {
    await this.#batch.add(await this.#line(detail, created, context), context.signal);
  }

  async #preview(detail: Detail, created: boolean, context: Context): Promise<Json> {
    const request = await this.#request([await this.#line(detail, created, context)]);
    return { ...this.#target.preview(request), body: JSON.parse(request.body) };
  }

  async #line(detail: Detail, created: boolean, context: Context): Promise<ChatLine> {
    const { chatLine } = await loaded();
    return chatLine(detail, { created, context, text: this.#options.text, plugin: this.name });
  }

  async #send(lines: readonly ChatLine[], signal: AbortSignal): Promise<void> {
    await this.#target.request({ ...await this.#request(lines), signal });
  }

  async #request(lines: readonly ChatLine[]) {
    const { chatBody } = await loaded();
    const { url, chat } = this.#options;
    const body = JSON.stringify(chatBody(lines, chat));
    return { method: "POST", url, isPathSecret: true, headers: { "Content-Type": "application/json" }, body };
  }
}

/** Loaded at first use: every config.ts imports this file, and few tell a chat. */
async function loaded() {
  return await import("./webhook_message.ts");
}
