import { BOOLEAN, optional, type OptionRules, required, type SmtpTargetOptions, TEXT } from "../src/kit/targets.ts";
import type { MailText } from "./email_message.ts";
import { isAddress, isDomains, isMailTo, listOf, type MailTo, MAX_RECIPIENTS } from "./email_recipients.ts";
import { mailSender } from "./email_sender.ts";

/**
 * Options of `EmailNotify`, with those of `SmtpTarget`: `host`, `port`, `security`,
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
  /**
   * Sends a mail for every update as well: which keys changed, from what to what. Needs
   * `events.update`. @default false
   */
  readonly updates?: boolean;
  /** Unique among the configured plugins. @default "EmailNotify" */
  readonly name?: string;
}

/** The rules of the plugin's own options. */
export const EMAIL_RULES: OptionRules<EmailNotifyOptions, Exclude<keyof EmailNotifyOptions, keyof SmtpTargetOptions>> =
  {
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
    updates: BOOLEAN,
    name: TEXT,
  };

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}
