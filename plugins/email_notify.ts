import type { Detail, NotifyContext, Plugin, UpdateContext } from "../mod.ts";
import { givenOptions, optionProblems, printable, refuseProblems, SmtpTarget } from "../src/kit/targets.ts";
import type { MailedEvent, MailTemplate } from "./email_message.ts";
import { EMAIL_RULES, type EmailNotifyOptions } from "./email_options.ts";
import { RecipientList } from "./email_recipients.ts";
import { type MailSender, mailSender } from "./email_sender.ts";

/**
 * Sends a mail for every creation and deletion, with the event's key in the header
 * `X-OSS-Watcher-Key`. The mail is the same for every attempt, with its Message-ID and its date (the
 * event's). An answer 4yz is retried for the recipients concerned; 5yz for all makes a dead letter.
 * If the server refuses only some recipients for good, the delivery is done, and `events show` lists
 * them.
 *
 * @example
 * ```ts
 * import { EmailNotify, type EmailNotifyOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: EmailNotifyOptions = {
 *   host: "smtp.example.com",
 *   user: "oss-watcher",
 *   password: "s3cret",
 *   from: "OpenStack <oss-watcher@example.com>",
 *   to: ["cloud-team@example.com", ({ Owner }) => Owner],
 *   allowedDomains: ["example.com"],
 * };
 *
 * assert.equal(new EmailNotify(options).name, "EmailNotify");
 * assert.throws(() => new EmailNotify({ ...options, allowedDomains: [] }), /allowedDomains: must be a list of domains/);
 * ```
 */
export class EmailNotify implements Plugin {
  readonly name: string;
  /** Sends the update's mail, as `notify` does. Only there with the option `updates`. */
  readonly update?: (detail: Detail, context: UpdateContext) => Promise<void>;
  /** The mail that `update` would send. Only there with the option `updates`. */
  readonly previewUpdate?: (detail: Detail, context: UpdateContext) => Promise<string>;
  readonly #recipients: RecipientList;
  readonly #template: MailTemplate;
  readonly #target: SmtpTarget;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: EmailNotifyOptions) {
    const given = givenOptions("EmailNotify", options);
    const { name = "EmailNotify", from, replyTo, to, allowedDomains, updates, ...others } = given;
    const { subject, text, html, ...smtp } = others;
    refuseProblems("Cannot make EmailNotify", [...optionProblems(options, EMAIL_RULES), ...SmtpTarget.problems(smtp)]);
    const sender = mailSender(from) as MailSender;
    this.name = name;
    this.#recipients = new RecipientList(name, { to, allowedDomains });
    this.#template = { plugin: name, from: sender, replyTo, subject, text, html };
    this.#target = new SmtpTarget({ clientName: sender.domain, ...smtp });
    if (updates !== true) return;
    this.update = (detail, context) => this.#send({ detail, created: true, context });
    this.previewUpdate = (detail, context) => this.#preview({ detail, created: true, context });
  }

  /**
   * Sends the event's mail to those recipients for whom no earlier attempt has an answer. Only logs
   * when there are no recipients.
   *
   * @throws {PermanentError} when the server refuses the mail for good for all recipients, or a
   * function of config.ts fails.
   * @throws {DeliveryError} when the server does not accept it at present, refuses our credentials,
   * or cannot be reached.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await this.#send({ detail, created, context });
  }

  /**
   * The envelope and the whole mail as {@linkcode EmailNotify.notify} would send it, with bare line
   * feeds.
   */
  async preview(detail: Detail, created: boolean, context: NotifyContext): Promise<string> {
    return await this.#preview({ detail, created, context });
  }

  /**
   * Rejects when the server cannot be reached, its certificate is not trusted, or it refuses our
   * credentials.
   */
  async check(signal: AbortSignal): Promise<void> {
    await this.#target.check(signal);
  }

  /** Closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  async #send(event: MailedEvent): Promise<void> {
    const { deliverMail, eventMail, listed } = await loaded();
    const { to, leftOut } = this.#recipients.of(event);
    const { context } = event;
    const key = printable(context.key, 200);
    const others = leftOut.length > 0 ? ` (not for ${listed(leftOut)})` : "";
    if (to.length === 0) return context.log.info(`There is no mail for ${key}: nobody is left to send it to${others}`);
    if (others !== "") context.log.info(`Some do not get the mail for ${key}${others}`);
    const message = await eventMail(this.#template, to, event);
    await deliverMail(this.#target, { from: this.#template.from.address, to, message }, context);
  }

  async #preview(event: MailedEvent): Promise<string> {
    const { eventMail, listed } = await loaded();
    const { to, leftOut } = this.#recipients.of(event);
    const lines = leftOut.length > 0 ? [`(not for ${listed(leftOut)})`] : [];
    if (to.length === 0) return ["(no mail: nobody is left to send it to)", ...lines].join("\n");
    const message = await eventMail(this.#template, to, event);
    const envelope = [`MAIL FROM:<${this.#template.from.address}>`, ...to.map((address) => `RCPT TO:<${address}>`)];
    return [...envelope, ...lines, "", message.replaceAll("\r\n", "\n")].join("\n");
  }
}

/** Loaded at first use: every config.ts imports this file, and few send mail. */
async function loaded() {
  const [delivery, message] = await Promise.all([import("./email_delivery.ts"), import("./email_message.ts")]);
  return { ...delivery, ...message };
}
