/** The contents of a mail. All texts may hold any characters. */
export interface MailDraft {
  /**
   * The same for every attempt; forms the Message-ID together with the sender's domain. Letters and
   * digits.
   */
  readonly id: string;
  /** The header `Date`. */
  readonly date: Date;
  /** The sender: a name, empty for none, and a bare address. */
  readonly from: { readonly name: string; readonly address: string };
  /** Where answers go, a bare address. @default from */
  readonly replyTo?: string;
  /** Bare addresses for the header `To`. */
  readonly to: readonly string[];
  /** One line; what is longer than 250 characters is cut. */
  readonly subject: string;
  /** The body as plain text. @default none */
  readonly text?: string;
  /** The body as HTML. @default none */
  readonly html?: string;
  /** Further headers, in visible ASCII. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Characters that no mail should hold, not even encoded. */
const CONTROLS = /(?![\t\n\r])\p{Cc}/gu;

/** Keeps the header's line below the limit of RFC 5322, 2.1.1, its line break included. */
const MAX_SUBJECT_LENGTH = 250;

/**
 * The mail as it is sent: ASCII, CR LF, at most 998 characters a line. The same draft gives the
 * same mail. No text can add a header, a recipient or a part.
 *
 * @example
 * ```ts
 * import { composeMail } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * const mail = await composeMail({
 *   id: "4711",
 *   date: new Date("2026-11-21T18:59:01Z"),
 *   from: { name: "OpenStack", address: "oss-watcher@example.com" },
 *   to: ["anna@example.com"],
 *   subject: "Hello\r\nBcc: all@example.com",
 *   text: "Grüße",
 *   headers: {},
 * });
 *
 * assert.match(mail, /^Message-ID: <4711@example.com>\r$/m);
 * assert.match(mail, /^Subject: Hello Bcc: all@example.com\r$/m);
 * assert.match(mail, /\r\n\r\nGr=C3=BC=C3=9Fe\r\n$/);
 * ```
 */
export async function composeMail(draft: MailDraft): Promise<string> {
  const { createTransport } = await import("nodemailer");
  const { id, date, from, replyTo, to, subject, text, html, headers } = draft;
  const composer = createTransport({ streamTransport: true, buffer: true, newline: "windows" });
  const { message } = await composer.sendMail({
    messageId: `<${id}@${from.address.replace(/^.*@/, "")}>`,
    date,
    from,
    ...(replyTo === undefined ? {} : { replyTo }),
    to: to.map((address) => ({ name: "", address })),
    subject: notEncoded(oneLine(subject)),
    ...(text === undefined ? {} : { text: lines(text) }),
    ...(html === undefined ? {} : { html: lines(html) }),
    headers,
    // Quoted-printable writes "=" as "=3D": no text can hold this boundary, however predictable it is.
    encoding: "quoted-printable",
    baseBoundary: `=_${id}`,
    normalizeHeaderKey: (key) => Object.keys(headers).find((own) => own.toLowerCase() === key.toLowerCase()) ?? key,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return new TextDecoder().decode(message as Uint8Array);
}

function oneLine(text: string): string {
  const line = text.toWellFormed().replace(/\s+/g, " ").replace(CONTROLS, "\ufffd").trim();
  return line.length > MAX_SUBJECT_LENGTH ? `${line.slice(0, MAX_SUBJECT_LENGTH).toWellFormed()}…` : line;
}

/**
 * Encodes a text that looks like an encoded word (RFC 2047), which would be shown decoded
 * otherwise.
 */
function notEncoded(line: string): string {
  if (!line.includes("=?")) return line;
  const parts = line.match(/.{1,12}/gsu) ?? [];
  return parts.map((part) => `=?UTF-8?B?${new TextEncoder().encode(part).toBase64()}?=`).join(" ");
}

function lines(text: string): string {
  return text.toWellFormed().replace(CONTROLS, "\ufffd").replace(/\r\n?|\n/g, "\r\n");
}
