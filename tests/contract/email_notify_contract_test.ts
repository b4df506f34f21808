import assert from "node:assert/strict";
import { EmailNotify, type EmailNotifyOptions } from "oss-watcher/plugins";
import type { SampleEvent, SampleUpdate, TargetAnswer } from "oss-watcher/testing";
import { testPlugin } from "oss-watcher/testing";
import { MailParser } from "../support/mail_parser.ts";
import { SmtpHarness, type TakenMail } from "../support/smtp_harness.ts";
import { TestPki } from "../wire/pki.ts";

const parser = new MailParser();
const pki = await TestPki.make();
Deno.test.afterAll(async () => {
  await parser[Symbol.asyncDispose]();
  await pki[Symbol.asyncDispose]();
});

const { cert, key } = await pki.issue("localhost");
const clientCa = await Deno.readTextFile(pki.caFile);
const { certFile, keyFile } = await pki.issue("watcher");
const files = { caFile: pki.caFile, certFile, keyFile };
const PASSWORD = "pa55 of the contract";
const login = { user: "watcher", password: PASSWORD };
const mail = {
  from: "OpenStack <oss-watcher@example.com>",
  to: ["team@example.com", ({ Owner, AdditionalUsers }) => [Owner, ...AdditionalUsers]],
  allowedDomains: ["example.com"],
} satisfies Partial<EmailNotifyOptions>;

const answers: readonly TargetAnswer<SmtpHarness>[] = ([
  ["connect", 421, "retry", "connection"],
  ["connect", 554, "retry", "connection"],
  ["auth", 454, "retry", "server_error"],
  ["auth", 535, "retry", "unauthorized"],
  ["mail", 421, "retry", "connection"],
  ["mail", 503, "retry", "server_error"],
  ["mail", 530, "retry", "unauthorized"],
  ["mail", 550, "permanent", "permanent"],
  ["rcpt", 450, "retry", "server_error"],
  ["rcpt", 550, "permanent", "permanent"],
  ["data", 421, "retry", "connection"],
] as const).map(([at, code, outcome, reason]) => ({
  name: `answers ${code} to ${at}`,
  // Who is connected and logged in is not asked again.
  prepare: async (target) => {
    if (at === "connect" || at === "auth") await target.restart();
    target.refuse({ at, code });
  },
  outcome,
  reason,
}));

function assertTaken(taken: TakenMail, event: SampleEvent): void {
  const [text, lines] = [assertMail(taken, event), Object.keys(event.detail).length + 6];
  assert.match(
    text,
    event.created ? /^(Server created|Floating IP associated): / : /^(Server deleted|Floating IP released): /,
  );
  // One line per key.
  assert.ok(text.split("\n").length <= lines, text);
}

function assertUpdated(taken: TakenMail, { detail, context }: SampleUpdate): void {
  const text = assertMail(taken, { context });
  assert.match(text, /^Server changed: /);
  const [, changes = "", ...rows] = text.split("\n\n");
  assert.equal(changes.split("\n").length, context.changed.length * 3, text);
  assert.equal(changes.match(/^ {2}before {2}/gm)?.length, context.changed.length);
  assert.equal(rows.length, 1);
  assert.ok((rows[0] ?? "").split("\n").length <= Object.keys(detail).length + 4, text);
}

/** Fails unless the mail is well-formed and safe. Its text. */
function assertMail(
  { from, to, mail }: TakenMail,
  { context }: { readonly context: { readonly time: string } },
): string {
  assert.deepEqual([from, to], ["oss-watcher@example.com", ["team@example.com"]]);
  assert.deepEqual(mail.defects, []);
  assert.deepEqual(mail.headers.map(([name]) => name), [
    ...["X-OSS-Watcher-Key", "Auto-Submitted", "From", "To", "Subject", "Message-ID", "Date", "MIME-Version"],
    "Content-Type",
  ]);
  assert.deepEqual(mail.from, [{ name: "OpenStack", address: "oss-watcher@example.com" }]);
  assert.deepEqual(mail.to, [{ name: "", address: "team@example.com" }]);
  assert.equal(mail.contentType, "multipart/alternative");
  assert.deepEqual(mail.parts.map(({ type }) => type), ["text/plain", "text/html"]);
  assert.equal(new Date(mail.date).getTime(), Math.floor(Date.parse(context.time) / 1000) * 1000);
  const texts = [...mail.headers.map(([, value]) => value), ...mail.parts.map(({ text }) => text.replaceAll("\n", ""))];
  for (const text of texts) assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  const [text = "", html = ""] = mail.parts.map(({ text }) => text);
  // Nothing but our own tags.
  const tags = new Set(html.match(/<[^>]*>?/g)?.map((tag) => tag.replace(/[ >].*/, "")));
  assert.deepEqual(
    [...tags].filter((tag) => !/^<[!/]?(DOCTYPE|html|head|meta|title|body|p|hr|table|tr|th|td)$/.test(tag)),
    [],
  );
  return text;
}

testPlugin({
  name: "EmailNotify",
  openTarget: () => SmtpHarness.open({ parser, security: "starttls", cert, key, clientCa, login }),
  make: ({ host, port }) => new EmailNotify({ ...mail, ...login, ...files, host, port, updates: true }),
  answers,
  secrets: [PASSWORD, `\0watcher\0${PASSWORD}`],
  right: () => new EmailNotify({ ...mail, ...login, host: "smtp.example.com", caFile: "/ca.pem", updates: true }),
  wrong: {
    make: () =>
      new EmailNotify({
        host: "smtp://watcher:pa55 of the contract@h",
        port: 0,
        security: "ssl",
        user: "watcher",
        password: `${PASSWORD}\r\n`,
        keyFile: "k",
        clientName: "a b",
        timeoutSeconds: -1,
        pasword: PASSWORD,
        from: "Anna <anna>",
        replyTo: "a@example.com, b@example.com",
        to: [() => null, "anna"],
        allowedDomains: ["example.com", "ex ample.com"],
        subject: "hello",
        text: 1,
        html: true,
        updates: "yes",
        name: "",
      } as unknown as EmailNotifyOptions),
    names: [
      ...["host", "port", "security", "password", "keyFile", "clientName", "timeoutSeconds", "pasword", "from"],
      ...["replyTo", "to", "allowedDomains", "subject", "text", "html", "updates", "name"],
    ],
  },
  identify: ({ mail }) => mail.headers.find(([name]) => name === "Message-ID")?.[1] ?? "",
  assertTaken,
  assertUpdated,
  assertPreview: (preview, { from, to, message }) => {
    const [envelope, ...rest] = String(preview).split("\n\n");
    const expected = [`MAIL FROM:<${from}>`, ...to.map((address) => `RCPT TO:<${address}>`)];
    assert.deepEqual(envelope?.split("\n").filter((line) => !line.startsWith("(")), expected);
    assert.equal(rest.join("\n\n"), message.replaceAll("\r\n", "\n"));
  },
});
