import { DeliveryError, type Detail } from "../mod.ts";
import {
  callUserFunction,
  composeMail,
  eventHtml,
  eventText,
  eventTitle,
  givenOptions,
  idempotencyKey,
  mailAddress,
  RETURNS_TEXT,
  type UserFunction,
} from "../src/kit/mod.ts";
import { type NotifyContext, PermanentError, type Plugin } from "../mod.ts";
import { mailDomain, printable, type RefusedAddress, SmtpTarget, type SmtpTargetOptions } from "../src/kit/mod.ts";

/** Makes the subject or a body of a mail, given what `notify` is given. One that throws, or returns no text, makes a dead letter. */
export type MailText = (detail: Detail, created: boolean, context: NotifyContext) => string;

/**
 * Says whom an event's mail is for, given what `notify` is given: bare addresses; nothing for nobody. One that throws, or returns what is
 * neither, makes a dead letter.
 */
export type MailRecipients = (
  detail: Detail,
  created: boolean,
  context: NotifyContext,
) => string | null | undefined | readonly (string | null | undefined)[];

/** Options of {@linkcode EmailNotify}, with those of `SmtpTarget`: `host`, `port`, `security`, `user`, `password`, `caFile`, … */
export interface EmailNotifyOptions extends SmtpTargetOptions {
  /** The sender: `oss-watcher@example.com`, or with a name, `OpenStack <oss-watcher@example.com>`. */
  readonly from: string;
  /** Where answers go, one address. @default from */
  readonly replyTo?: string;
  /** Whom mails are for: addresses, and functions that take them from the detail, as `({ Owner }) => Owner`; one, or a list of at most 100. */
  readonly to: string | MailRecipients | readonly (string | MailRecipients)[];
  /**
   * Domains in which addresses that a function gives may be, as `example.com`, or `*.example.com` for all below it. Needed with a function:
   * what it gives was written by a tenant. Whatever is in none of them, or no bare address, is left out.
   */
  readonly allowedDomains?: readonly string[];
  /** One line; what is longer than 250 characters is cut. @default says what happened to which server */
  readonly subject?: MailText;
  /** The body as plain text. @default the detail as a table */
  readonly text?: MailText;
  /** The body as HTML; write what tenants chose with `escapeHtml`. `false`: none. @default the detail as a table, unless `text` is set */
  readonly html?: MailText | false;
  /** Unique among the configured plugins. @default "EmailNotify" */
  readonly name?: string;
}

/** The least that every mail server takes (RFC 5321, 4.5.3.1.8). */
const MAX_RECIPIENTS = 100;
const MAX_TOLD = 5;
/** A line of a mail has at most 998 characters (RFC 5322, 2.1.1). */
const MAX_KEY_LENGTH = 900;

/**
 * Sends a mail for every event, with the event's key in the header `X-OSS-Watcher-Key`. Its Message-ID, its date (the event's) and all else
 * is the same for every attempt. An answer 4yz is tried again, for those alone who got it; 5yz for all makes a dead letter. When a server never
 * takes it for some, it is done, and `events show` says who they are.
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
  readonly #from: Sender;
  readonly #replyTo: string | undefined;
  readonly #to: readonly (string | MailRecipients)[];
  readonly #allowed: readonly string[];
  readonly #subject: MailText;
  readonly #bodies: Bodies;
  readonly #target: SmtpTarget;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: EmailNotifyOptions) {
    const { name = "EmailNotify", from, replyTo, to, allowedDomains = [], subject = eventTitle, text, html, ...smtp } =
      givenOptions("EmailNotify", options);
    const problems = [...problemsOf(options), ...SmtpTarget.problems(smtp)];
    const sender = senderOf(from);
    if (sender === undefined || problems.length > 0) {
      throw new TypeError(`Cannot make EmailNotify: ${problems.join("; ")}`);
    }
    this.name = name;
    this.#from = sender;
    this.#replyTo = replyTo;
    this.#to = listOf(to);
    this.#allowed = allowedDomains.flatMap((pattern) => domainPattern(pattern) ?? []);
    this.#subject = subject;
    this.#bodies = bodiesOf(text, html);
    this.#target = new SmtpTarget({ clientName: sender.domain, ...smtp });
  }

  /**
   * Does nothing but log when nobody is left to send a mail to.
   *
   * @throws {PermanentError} when the server will never take the mail for anybody, or a function of config.ts fails.
   * @throws {DeliveryError} when it does not take it now, does not know us, or cannot be reached.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    const { log, signal } = context;
    const key = printable(context.key, 200);
    const { to, leftOut } = this.#recipients(detail, created, context);
    const others = leftOut.length > 0 ? ` (not for ${told(leftOut)})` : "";
    if (to.length === 0) return log.info(`There is no mail for ${key}: nobody is left to send it to${others}`);
    if (others !== "") log.info(`Some do not get the mail for ${key}${others}`);
    const message = await this.#message(to, { detail, created, context });
    const earlier = progressOf(context);
    const open = to.filter((address) => !earlier.answered.includes(address));
    const refused = open.length === 0 ? [] : await this.#send(message, { open, earlier, signal });
    const later = refused.filter(({ temporary }) => temporary);
    const never = [...earlier.never, ...refused.filter(({ temporary }) => !temporary).map(answerOf)];
    const but = (answers: readonly string[]) =>
      `${this.#target.address} took the mail for ${key}, but not for ${told(answers)}`;
    if (later.length > 0) {
      const answered = to.filter((address) => !later.some((one) => one.address === address));
      context.keep({ answered, never });
      throw new DeliveryError(but([...never, ...later.map(answerOf)]), { reason: "server_error" });
    }
    if (never.length === 0) return;
    context.note(but(never));
    log.warn(but(never));
  }

  /** Sends to those who have no answer yet. Where others have the mail, nobody's refusal makes a dead letter of it. */
  async #send(
    message: string,
    { open, earlier, signal }: {
      readonly open: readonly string[];
      readonly earlier: Progress;
      readonly signal: AbortSignal;
    },
  ): Promise<readonly RefusedAddress[]> {
    try {
      return await this.#target.send({ from: this.#from.address, to: open, message }, signal);
    } catch (error) {
      if (!(error instanceof PermanentError) || earlier.answered.length === earlier.never.length) throw error;
      return open.map((address) => ({ address, said: error.message, temporary: false }));
    }
  }

  /** The envelope and the whole mail as {@linkcode EmailNotify.notify} would send it, with bare line feeds. */
  async preview(detail: Detail, created: boolean, context: NotifyContext): Promise<string> {
    const { to, leftOut } = this.#recipients(detail, created, context);
    const lines = leftOut.length > 0 ? [`(not for ${told(leftOut)})`] : [];
    if (to.length === 0) return ["(no mail: nobody is left to send it to)", ...lines].join("\n");
    const message = await this.#message(to, { detail, created, context });
    const envelope = [`MAIL FROM:<${this.#from.address}>`, ...to.map((address) => `RCPT TO:<${address}>`)];
    return [...envelope, ...lines, "", message.replaceAll("\r\n", "\n")].join("\n");
  }

  /** Rejects when the server cannot be reached, is not whom we trust, or does not know us. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#target.check(signal);
  }

  /** Closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  #recipients(detail: Detail, created: boolean, context: NotifyContext): { to: string[]; leftOut: string[] } {
    const to = new Map<string, string>();
    const leftOut: string[] = [];
    const add = (value: string, isOurs: boolean) => {
      const mailbox = mailAddress(value);
      const same = mailbox?.address.toLowerCase() ?? "";
      if (to.has(same)) return;
      const refusal = this.#refusal(mailbox?.domain, isOurs) ?? (to.size < MAX_RECIPIENTS ? null : "one too many");
      if (mailbox !== undefined && refusal === null) to.set(same, mailbox.address);
      else leftOut.push(`"${printable(value, 80)}": ${refusal}`);
    };
    for (const recipient of this.#to) {
      const isOurs = typeof recipient === "string";
      const values = isOurs
        ? recipient
        : callUserFunction({ ...RECIPIENTS, plugin: this.name }, () => recipient(detail, created, context));
      for (const value of listOf(values)) if (value) add(value, isOurs);
    }
    return { to: [...to.values()], leftOut };
  }

  /** Why an address is left out; `null` when it is not. */
  #refusal(domain: string | undefined, isOurs: boolean): string | null {
    if (domain === undefined) return "not one bare address";
    const isAllowed = this.#allowed.some((pattern) =>
      pattern.startsWith("*") ? domain.endsWith(pattern.slice(1)) : domain === pattern
    );
    return isOurs || isAllowed ? null : "not in allowedDomains";
  }

  async #message(to: readonly string[], { detail, created, context }: Event): Promise<string> {
    const { text, html } = this.#bodies;
    const write = (option: string, make: MailText) =>
      callUserFunction({ ...RETURNS_TEXT, plugin: this.name, option }, () => make(detail, created, context));
    return await composeMail({
      id: await digest(`${this.name}\n${context.key}`),
      date: new Date(context.time),
      from: this.#from,
      ...(this.#replyTo === undefined ? {} : { replyTo: this.#replyTo }),
      to,
      // Ours is made so that nothing in it can hide; escaped again, it would be hard to read.
      subject: this.#subject === eventTitle ? write("subject", eventTitle) : printable(write("subject", this.#subject)),
      text: write("text", text),
      ...(html === undefined ? {} : { html: write("html", html) }),
      // Nobody's holiday note shall answer (RFC 3834).
      headers: { "X-OSS-Watcher-Key": headerKey(context.key), "Auto-Submitted": "auto-generated" },
    });
  }
}

/** Who needs no further attempt: those who have the mail, and those who never get it, with what the server said. */
interface Progress {
  readonly answered: readonly string[];
  readonly never: readonly string[];
}

function progressOf({ progress }: NotifyContext): Progress {
  const { answered, never } = (progress ?? {}) as Partial<Progress>;
  return { answered: answered ?? [], never: never ?? [] };
}

function answerOf({ address, said }: RefusedAddress): string {
  return `${address} ("${said}")`;
}

interface Event {
  readonly detail: Detail;
  readonly created: boolean;
  readonly context: NotifyContext;
}

interface Bodies {
  readonly text: MailText;
  readonly html: MailText | undefined;
}

interface Sender {
  readonly name: string;
  readonly address: string;
  readonly domain: string;
}

/** Ours stands beside another's HTML, for those who do not read that; not beside another's text, of which it would not be the same. */
function bodiesOf(text: MailText | undefined, html: MailText | false | undefined): Bodies {
  const ours = text === undefined ? eventHtml : undefined;
  return { text: text ?? eventText, html: html === false ? undefined : html ?? ours };
}

const RECIPIENTS: UserFunction<ReturnType<MailRecipients>> = {
  option: "to",
  allowed: "a text, a list of texts, or null",
  allows: (value): value is ReturnType<MailRecipients> =>
    listOf(value).every((one) => one === null || one === undefined || typeof one === "string"),
};

function headerKey(key: string): string {
  // Nothing in it that could be taken for an encoded word.
  const encoded = idempotencyKey(key).replaceAll("=?", "=%3F");
  if (encoded.length <= MAX_KEY_LENGTH) return encoded;
  throw new PermanentError(
    `Cannot send the key "${printable(key, 80)}" in a header: longer than ${MAX_KEY_LENGTH} characters`,
  );
}

/** A Message-ID is not the same for two plugins: who gets both mails would see one. */
async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash, 0, 16).toHex();
}

function told(items: readonly string[]): string {
  const more = items.length > MAX_TOLD ? `, and ${items.length - MAX_TOLD} more` : "";
  return items.slice(0, MAX_TOLD).join(", ") + more;
}

function problemsOf({ from, replyTo, to, allowedDomains, subject, text, html, name }: EmailNotifyOptions): string[] {
  const recipients = listOf(to);
  const needsDomains = recipients.some((recipient) => typeof recipient === "function");
  const checks: readonly (readonly [right: boolean, problem: string])[] = [
    [
      senderOf(from) !== undefined,
      "from: must be an address, as oss-watcher@example.com or Name <oss-watcher@example.com>",
    ],
    [replyTo === undefined || isAddress(replyTo), "replyTo: must be one bare address"],
    [
      recipients.length > 0 && recipients.every((recipient) => typeof recipient === "function" || isAddress(recipient)),
      "to: must be a bare address, a function of the detail, or a list of them",
    ],
    [recipients.length <= MAX_RECIPIENTS, `to: must be at most ${MAX_RECIPIENTS} addresses`],
    [
      allowedDomains === undefined ? !needsDomains : isDomains(allowedDomains),
      `allowedDomains: must be a list of domains, as ["example.com", "*.example.com"], when to holds a function`,
    ],
    [isFunctionOr(undefined, subject), "subject: must be a function"],
    [isFunctionOr(undefined, text), "text: must be a function"],
    [isFunctionOr(false, html), "html: must be a function, or false"],
    [name === undefined || (typeof name === "string" && name !== ""), "name: must be a text that is not empty"],
  ];
  return checks.filter(([right]) => !right).map(([, problem]) => problem);
}

function senderOf(from: unknown): Sender | undefined {
  if (typeof from !== "string") return undefined;
  const [, name = "", address = from] = /^([^<>"\\\p{C}]*)<([^<>]+)>$/u.exec(from) ?? [];
  const mailbox = mailAddress(address);
  return mailbox === undefined ? undefined : { name: name.trim(), ...mailbox };
}

/** The ASCII form of a domain, or of all domains below one. */
function domainPattern(pattern: string): string | undefined {
  const domain = mailDomain(pattern.replace(/^\*\./, ""));
  return domain === undefined || !pattern.startsWith("*.") ? domain : `*.${domain}`;
}

function isDomains(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 &&
    value.every((pattern) => typeof pattern === "string" && domainPattern(pattern) !== undefined);
}

function isAddress(value: unknown): boolean {
  return typeof value === "string" && mailAddress(value) !== undefined;
}

function isFunctionOr(other: false | undefined, value: unknown): boolean {
  return value === undefined || value === other || typeof value === "function";
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
