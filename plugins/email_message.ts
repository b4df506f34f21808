import { type Detail, type NotifyContext, PermanentError, type UpdateContext } from "../mod.ts";
import { callUserFunction, composeMail, idempotencyKey, printable, RETURNS_TEXT } from "../src/kit/mod.ts";
import { eventHtml, eventText, eventTitle } from "../src/kit/mod.ts";
import type { MailSender } from "./email_sender.ts";

/**
 * Returns the subject or a body of a mail. Takes the arguments of `notify`; of an update, `created`
 * is `true`, and the context that of `update`, with `kind: "update"`, `before` and `changed`. A
 * function that throws, or returns no text, makes a dead letter.
 */
export type MailText = (detail: Detail, created: boolean, context: NotifyContext | UpdateContext) => string;

/** Options that all mails of one plugin share. */
export interface MailTemplate {
  /** The plugin's name. */
  readonly plugin: string;
  readonly from: MailSender;
  readonly replyTo?: string | undefined;
  readonly subject?: MailText | undefined;
  readonly text?: MailText | undefined;
  readonly html?: MailText | false | undefined;
}

/** The arguments of `notify` or `update`. */
export interface MailedEvent {
  readonly detail: Detail;
  readonly created: boolean;
  readonly context: NotifyContext | UpdateContext;
}

/** A line of a mail has at most 998 characters (RFC 5322, 2.1.1). */
const MAX_KEY_LENGTH = 900;

/**
 * The mail of an event, the same for every attempt.
 *
 * @throws {PermanentError} when a function of config.ts fails, or the event's key is too long for a
 * header.
 */
export async function eventMail(
  template: MailTemplate,
  to: readonly string[],
  { detail, created, context }: MailedEvent,
): Promise<string> {
  const { plugin, from, replyTo, subject = eventTitle, text = eventText } = template;
  const html = htmlOf(template);
  const write = (option: string, make: MailText) =>
    callUserFunction({ ...RETURNS_TEXT, plugin, option }, () => make(detail, created, context));
  return await composeMail({
    id: await digest(`${plugin}\n${context.key}`),
    date: new Date(context.time),
    from,
    ...(replyTo === undefined ? {} : { replyTo }),
    to,
    // `eventTitle` has escaped what could hide; escaped again, it would be hard to read.
    subject: subject === eventTitle ? write("subject", eventTitle) : printable(write("subject", subject)),
    text: write("text", text),
    ...(html === undefined ? {} : { html: write("html", html) }),
    // Keeps automatic answers, as holiday notes, from being sent back (RFC 3834).
    headers: { "X-OSS-Watcher-Key": headerKey(context.key), "Auto-Submitted": "auto-generated" },
  });
}

/**
 * The built-in HTML goes with the built-in text alone: beside another text it would say something
 * else.
 */
function htmlOf({ text, html }: MailTemplate): MailText | undefined {
  if (html === false) return undefined;
  return html ?? (text === undefined ? eventHtml : undefined);
}

function headerKey(key: string): string {
  // "=?" would begin an encoded word (RFC 2047).
  const encoded = idempotencyKey(key).replaceAll("=?", "=%3F");
  if (encoded.length <= MAX_KEY_LENGTH) return encoded;
  throw new PermanentError(
    `Cannot send the key "${printable(key, 80)}" in a header: longer than ${MAX_KEY_LENGTH} characters`,
  );
}

/**
 * For a Message-ID. It includes the plugin's name: of two mails with one Message-ID a mailbox shows
 * one.
 */
async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash, 0, 16).toHex();
}
