import type { Detail, NotifyContext, Plugin } from "../mod.ts";
import { givenOptions, printable, SmtpTarget, type SmtpTargetOptions } from "../src/kit/mod.ts";
import { optional, optionProblems, type OptionRules, refuseProblems, required, TEXT } from "../src/kit/mod.ts";
import { deliverMail, listed } from "./email_delivery.ts";
import { eventMail, type MailSender, mailSender, type MailTemplate, type MailText } from "./email_message.ts";
import { isAddress, isDomains, isMailTo, listOf, type MailTo, MAX_RECIPIENTS } from "./email_recipients.ts";
import { RecipientList } from "./email_recipients.ts";

/**
 * Options of {@linkcode EmailNotify}, with those of `SmtpTarget`: `host`, `port`, `security`,
 * `user`, `password`, `caFile`, …
 */
export interface EmailNotifyOptions extends SmtpTargetOptions {
  /**
   * The sender: `oss-watcher@example.com`, or with a name, `OpenStack <oss-watcher@example.com>`.
   */
  readonly from: string;
  /** Where answers go, one address. @default from */
  readonly replyTo?: string;
  /**
   * Recipients: addresses, and functions that take addresses from the detail, as `({ Owner }) =>
   * Owner`; one, or a list of at most 100.
   */
  readonly to: MailTo;
  /**
   * Domains of the addresses that functions may return, as `example.com`, or `*.example.com` for
   * all subdomains. Required with a function, since tenants write the addresses. Addresses in other
   * domains, and texts that are no bare address, are left out.
   */
  readonly allowedDomains?: readonly string[];
  /**
   * One line; what is longer than 250 characters is cut. @default says what happened to which
   * server
   */
  readonly subject?: MailText;
  /** The body as plain text. @default the detail as a table */
  readonly text?: MailText;
  /**
   * The body as HTML; write what tenants chose with `escapeHtml`. `false`: none. @default the
   * detail as a table, unless `text` is set
   */
  readonly html?: MailText | false;
  /** Unique among the configured plugins. @default "EmailNotify" */
  readonly name?: string;
}

/**
 * Sends a mail for every event, with the event's key in the header `X-OSS-Watcher-Key`. The mail is
 * the same for every attempt, with its Message-ID and its date (the event's). An answer 4yz is
 * retried for the recipients concerned; 5yz for all makes a dead letter. If the server refuses only
 * some recipients for good, the delivery is done, and `events show` lists them.
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
    const { name = "EmailNotify", from, replyTo, to, allowedDomains, subject, text, html, ...smtp } = given;
    refuseProblems("Cannot make EmailNotify", [...optionProblems(options, RULES), ...SmtpTarget.problems(smtp)]);
    const sender = mailSender(from) as MailSender;
    this.name = name;
    this.#recipients = new RecipientList(name, { to, allowedDomains });
    this.#template = { plugin: name, from: sender, replyTo, subject, text, html };
    this.#target = new SmtpTarget({ clientName: sender.domain, ...smtp });
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
    const { to, leftOut } = this.#recipients.of(detail, created, context);
    const key = printable(context.key, 200);
    const others = leftOut.length > 0 ? ` (not for ${listed(leftOut)})` : "";
    if (to.length === 0) return context.log.info(`There is no mail for ${key}: nobody is left to send it to${others}`);
    if (others !== "") context.log.info(`Some do not get the mail for ${key}${others}`);
    const message = await eventMail(this.#template, to, { detail, created, context });
    await deliverMail(this.#target, { from: this.#template.from.address, to, message }, context);
  }

  /**
   * The envelope and the whole mail as {@linkcode EmailNotify.notify} would send it, with bare line
   * feeds.
   */
  async preview(detail: Detail, created: boolean, context: NotifyContext): Promise<string> {
    const { to, leftOut } = this.#recipients.of(detail, created, context);
    const lines = leftOut.length > 0 ? [`(not for ${listed(leftOut)})`] : [];
    if (to.length === 0) return ["(no mail: nobody is left to send it to)", ...lines].join("\n");
    const message = await eventMail(this.#template, to, { detail, created, context });
    const envelope = [`MAIL FROM:<${this.#template.from.address}>`, ...to.map((address) => `RCPT TO:<${address}>`)];
    return [...envelope, ...lines, "", message.replaceAll("\r\n", "\n")].join("\n");
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
}

const RULES: OptionRules<EmailNotifyOptions, Exclude<keyof EmailNotifyOptions, keyof SmtpTargetOptions>> = {
  from: required(
    (from) => mailSender(from) !== undefined,
    "must be an address, as oss-watcher@example.com or Name <oss-watcher@example.com>",
  ),
  replyTo: optional(isAddress, "must be one bare address"),
  to: [
    required(isMailTo, "must be a bare address, a function of the detail, or a list of them"),
    optional((to) => listOf(to).length <= MAX_RECIPIENTS, `must be at most ${MAX_RECIPIENTS} addresses`),
  ],
  allowedDomains: required(
    (value, { to }) => value === undefined ? !listOf(to).some((one) => typeof one === "function") : isDomains(value),
    `must be a list of domains, as ["example.com", "*.example.com"], when to holds a function`,
  ),
  subject: optional(isFunction, "must be a function"),
  text: optional(isFunction, "must be a function"),
  html: optional((html) => html === false || isFunction(html), "must be a function, or false"),
  name: TEXT,
};

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}
