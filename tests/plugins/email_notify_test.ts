import assert from "node:assert/strict";
import { DeliveryError, type Detail, type FailureReason, type Json } from "../../mod.ts";
import { EmailNotify } from "../../plugins/email_notify.ts";
import type { EmailNotifyOptions } from "../../plugins/email_options.ts";
import { KeptLog } from "../support/loggers.ts";
import { MailParser } from "../support/mail_parser.ts";
import { SmtpHarness, type SmtpHarnessOptions } from "../support/smtp_harness.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { until } from "../support/until.ts";
import { TestPki } from "../wire/pki.ts";
import { closedPort } from "../wire/server.ts";
import { context, detail, updateContext } from "./notification.ts";

const never = new AbortController().signal;
const login = { user: "watcher", password: "hush-4711%/@" };
const envelope = { from: "oss-watcher@example.com", to: "team@example.com" };

const parser = new MailParser();
let pki: TestPki;
let server: { cert: string; key: string };
let client: { certFile: string; keyFile: string };

Deno.test.beforeAll(async () => {
  pki = await TestPki.make();
  server = await pki.issue("localhost");
  const { certFile, keyFile } = await pki.issue("client");
  client = { certFile, keyFile };
});

Deno.test.afterAll(async () => {
  await parser[Symbol.asyncDispose]();
  await pki[Symbol.asyncDispose]();
});

function open(options: Partial<SmtpHarnessOptions> = {}): Promise<SmtpHarness> {
  return SmtpHarness.open({ parser, ...options });
}

function plugin({ host, port }: SmtpHarness, options: Partial<EmailNotifyOptions> = {}): EmailNotify {
  return new EmailNotify({ host, port, security: "none", ...envelope, ...options });
}

/** Sends one mail and returns it as it came. */
async function sent(options: Partial<EmailNotifyOptions>, event: Detail = detail) {
  await using target = await open();
  await using email = plugin(target, options);
  await email.notify(event, true, context());
  const [taken] = await target.taken();
  assert(taken !== undefined);
  assert.deepEqual(taken.mail.defects, []);
  return { ...taken, headers: new Map(taken.mail.headers) };
}

/** Fails unless the work fails in this way, telling no secret. */
async function fails(work: Promise<void>, reason: FailureReason | "PermanentError", text: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert(error instanceof Error);
    assert.match(error.message, text);
    assert.doesNotMatch(Deno.inspect(error, { depth: 9 }), /hush|aHVza|guess|\u202e/);
    assert.equal(error instanceof DeliveryError ? error.reason : error.name, reason, error.message);
    return true;
  });
}

Deno.test("notify() sends a mail that people can read, with the event's key and time", async () => {
  const { headers, mail, from, to } = await sent({ from: "OpenStäck, Inc. <oss-watcher@example.com>" });

  assert.deepEqual([from, to], ["oss-watcher@example.com", ["team@example.com"]]);
  assert.deepEqual(mail.from, [{ name: "OpenStäck, Inc.", address: "oss-watcher@example.com" }]);
  assert.equal(headers.get("Subject"), "Server created: fake.hostname.com");
  assert.equal(headers.get("X-OSS-Watcher-Key"), "server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/creation");
  assert.equal(headers.get("Auto-Submitted"), "auto-generated");
  assert.equal(mail.date, "2026-11-21T18:59:38+00:00");
  const [text, html] = mail.parts;
  assert.equal(text?.type, "text/plain");
  assert.ok(text?.text.startsWith("Server created: fake.hostname.com\n\nFQDN             fake.hostname.com\nIP   "));
  assert.match(
    text?.text ?? "",
    /\nDescription {6}lone \\u\{d800\}, NUL \\u\{0\}, CSI \\u\{9b\}2J, \\u\{202e\}gnp, line\\u\{d\}\\u\{a\}break, Grüße 😀\n/,
  );
  assert.doesNotMatch(text?.text ?? "", /ImageID|Addresses/);
  assert.equal(html?.type, "text/html");
  assert.match(html?.text ?? "", /<tr><th align="left" valign="top">Owner<\/th><td>some_owner<\/td><\/tr>\n/);
});

Deno.test("notify() gives an event's mail the same Message-ID each time, and no other mail", async () => {
  await using target = await open();
  await using one = plugin(target);
  await using other = plugin(target, { name: "Other" });
  await one.notify(detail, true, context());
  await one.notify(detail, true, context({ attempt: 2 }));
  await one.notify(detail, false, context({ key: "another" }));
  await other.notify(detail, true, context());

  const mails = await target.taken();
  const ids = mails.map(({ mail }) => new Map(mail.headers).get("Message-ID") ?? "");
  assert.equal(mails[0]?.message, mails[1]?.message);
  assert.equal(new Set(ids).size, 3);
  for (const id of ids) assert.match(id, /^<[0-9a-f]{32}@example\.com>$/);
});

for (
  const [address, expected] of [
    ["anna@example.com", "anna@example.com"],
    ["Anna.B+c@EXAMPLE.com", "Anna.B+c@example.com"],
    ["anna@sub.example.org", "anna@sub.example.org"],
    ["anna@müller.example", "anna@xn--mller-kva.example"],
    ["anna@xn--mller-kva.example", "anna@xn--mller-kva.example"],
    ["anna@example.org", null],
    ["anna@sub.example.com", null],
    ["anna@evilexample.org", null],
    ["anna@evil.example", null],
    ["anna@еxample.com", null],
    ["anna@exam\u200bple.com", null],
    ["anna@exam\u00adple.com", null],
    ["anna@example.com.evil.example", null],
    ["anna@example.com@evil.example", null],
    ["anna@evil.example@example.com", null],
    ["anna%evil.example@example.com", null],
    ["evil.example!anna@example.com", null],
    ["@evil.example:anna@example.com", null],
    ['"anna@evil.example"@example.com', null],
    ['"anna b"@example.com', null],
    ["|reboot@example.com", null],
    ["/etc/passwd@example.com", null],
    ["-f@example.com", null],
    ["änna@example.com", null],
    ["anna@[192.0.2.1]", null],
    ["anna@192.0.2.1", null],
    ["Anna <anna@example.com>", null],
    ["anna@example.com (Anna)", null],
    ["anna@example.com,bert@example.com", null],
    ["anna@example.com; bert@example.com", null],
    ["anna@example.com\r\nRCPT TO:<all@evil.example>", null],
    ["anna@example.com\n", null],
    ["anna@example.com\0", null],
    [" anna@example.com", null],
    ["\u202eanna@example.com", null],
    ["anna\ud800@example.com", null],
    ["anna", null],
    ["@example.com", null],
    ["..@example.com", null],
    [`${"a".repeat(65)}@example.com`, null],
    [`${"a.".repeat(32_000)}@example.com`, null],
    ["a".repeat(65_536), null],
    ["__proto__", null],
    ["", null],
    [null, null],
    [undefined, null],
  ] as const
) {
  const shown = JSON.stringify(address)?.slice(0, 80);
  Deno.test(`preview() ${expected === null ? "leaves out" : "names"} a recipient who is ${shown}`, async () => {
    const email = new EmailNotify({
      host: "localhost",
      ...envelope,
      to: ["team@evil.example", () => address],
      allowedDomains: ["Example.COM", "*.example.org", "müller.example"],
    });
    const preview = await email.preview(detail, true, context());
    const recipients = [...preview.matchAll(/^RCPT TO:<(.*)>$/gm)].map(([, recipient]) => recipient);
    assert.deepEqual(recipients, ["team@evil.example", ...(expected === null ? [] : [expected])]);
    assert.equal(preview.includes("(not for "), expected === null && (address ?? "") !== "");
    assert.doesNotMatch(preview, /(?!\n)\p{C}/u);
  });
}

Deno.test("notify() sends to all that functions name, each once, and at most to 100", async () => {
  await using target = await open();
  const log = new KeptLog();
  const many = Array.from({ length: 120 }, (_, index) => `user-${index}@example.com`);
  await using email = plugin(target, {
    to: ["Team@example.com", ({ Owner }) => Owner, () => ["team@EXAMPLE.com", null, ...many]],
    allowedDomains: ["example.com"],
  });

  await email.notify({ ...detail, Owner: "anna@example.com" }, true, context({ log }));

  const [taken] = await target.taken();
  assert.deepEqual(taken?.to, ["Team@example.com", "anna@example.com", ...many.slice(0, 98)]);
  assert.deepEqual(taken?.mail.to.map(({ address }) => address), taken?.to);
  assert.equal(log.lines.length, 1);
  assert.match(
    log.lines[0] ?? "",
    /^info Some do not get the mail for server\/.*\/creation \(not for "user-98@example.com": one too many, .* and 17 more\)$/,
  );
});

Deno.test("notify() is done, without a word to the server, when nobody is left to send a mail to", async () => {
  const log = new KeptLog();
  await using email = new EmailNotify({
    host: "127.0.0.1",
    port: closedPort(),
    ...envelope,
    to: ({ Owner }) => Owner,
    allowedDomains: ["example.com"],
  });

  await email.notify({ ...detail, Owner: "all\x1b[2J\r\n@evil.example" }, true, context({ log }));

  assert.deepEqual(log.lines, [
    "info There is no mail for server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/creation: nobody is left to send it to " +
    '(not for "all\\u{1b}[2J\\u{d}\\u{a}@evil.example": not one bare address)',
  ]);
});

for (
  const [options, types] of [
    [{ text: () => "own" }, ["text/plain"]],
    [{ html: () => "<p>own</p>" }, ["text/plain", "text/html"]],
    [{ html: false }, ["text/plain"]],
    [{ text: () => "own", html: () => "<p>own</p>" }, ["text/plain", "text/html"]],
    [{ text: () => "" }, ["text/plain"]],
  ] as const
) {
  Deno.test(`notify() sends ${types.join(" and ")} when it is given ${Object.keys(options).join(" and ")}`, async () => {
    const { mail } = await sent(options);
    assert.deepEqual(mail.parts.map(({ type }) => type), types);
    if ("text" in options) assert.equal(mail.parts[0]?.text.trimEnd(), options.text());
    if ("html" in options && options.html) assert.equal(mail.parts[1]?.text.trimEnd(), options.html());
  });
}

Deno.test("notify() calls its functions with what notify() was given", async () => {
  const { headers, mail } = await sent({
    replyTo: "helpdesk@example.com",
    subject: ({ FQDN }, created, { eventType }) => `${FQDN} ${created} ${eventType}`,
    text: ({ IP }, created, { key }) => `${IP} ${created} ${key}`,
  });
  assert.equal(headers.get("Subject"), "fake.hostname.com true compute.instance.create.end");
  assert.equal(headers.get("Reply-To"), "helpdesk@example.com");
  assert.equal(
    mail.parts[0]?.text,
    "172.18.66.54 true server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/creation\n",
  );
});

Deno.test("notify() keeps headers and parts intact, whatever its functions give", async () => {
  const { message } = await sent({});
  const boundary = /boundary="(.*)"/.exec(message)?.[1] ?? "";
  assert.match(message, new RegExp(`^--${boundary.replace(/[=?]/g, "\\$&")}\r$`, "m"));
  const hostile = [
    `x\r\n--${boundary}\r\nContent-Type: text/html\r\n\r\n<script>\r\n--${boundary}--\r\n`,
    "x\r\n.\r\nRSET\r\nMAIL FROM:<all@evil.example>\r\n",
    "x\r\nBcc: all@evil.example\r\n\r\nbody",
    "\0\x1b[2J\x9b2J\x85\u2028\u202e\u200b\ud800\udc00\ud800 \udc00",
    "=?UTF-8?Q?=0D=0ABcc:_all@evil.example?=",
    `${"=".repeat(70_000)}${"ü".repeat(70_000)}`,
  ];
  for (const text of hostile) {
    const { headers, mail, to, message } = await sent({ subject: () => text, text: () => text, html: () => text });
    assert.deepEqual(to, ["team@example.com"]);
    assert.deepEqual([...headers.keys()], [
      ...["X-OSS-Watcher-Key", "Auto-Submitted", "From", "To", "Subject", "Message-ID", "Date", "MIME-Version"],
      "Content-Type",
    ]);
    assert.deepEqual(mail.parts.map(({ type }) => type), ["text/plain", "text/html"]);
    const expected = text.toWellFormed().replace(/\r\n/g, "\n").replace(/(?!\n)\p{Cc}/gu, "\ufffd").trimEnd();
    for (const part of mail.parts) assert.equal(part.text.trimEnd(), expected);
    assert.doesNotMatch(headers.get("Subject") ?? "", /\p{C}/u);
    assert.match(message, /^[\x20-\x7e\r\n]*$/);
    assert.ok(message.split("\r\n").every((line) => line.length <= 998));
  }
});

Deno.test("notify() fails for good, and says which function of config.ts it was, when one fails", async () => {
  const nothing = undefined as unknown as string;
  for (
    const [options, text] of [
      [
        { subject: () => nothing },
        "subject of EmailNotify: its function in config.ts returned nothing; it must return a text",
      ],
      [
        { text: () => nothing.trim() },
        "text of EmailNotify: its function in config.ts threw: Cannot read properties of",
      ],
      [
        { html: () => nothing },
        "html of EmailNotify: its function in config.ts returned nothing; it must return a text",
      ],
      [
        { to: () => nothing.trim(), allowedDomains: ["a.b"] },
        "to of EmailNotify: its function in config.ts threw: Cannot",
      ],
      [
        { to: () => [7] as unknown as string[], allowedDomains: ["a.b"] },
        "to of EmailNotify: its function in config.ts returned a list that holds the number 7; it must return a text, a list of texts",
      ],
    ] as const
  ) {
    await using email = new EmailNotify({ host: "127.0.0.1", ...envelope, ...options });
    await assert.rejects(
      email.notify(detail, true, context()),
      (error: Error) => error.name === "PermanentError" && error.message.startsWith(`Cannot make ${text}`),
    );
  }
});

Deno.test("notify() fails for good when a header cannot carry the key", async () => {
  await using email = new EmailNotify({ host: "127.0.0.1", ...envelope });
  await fails(email.notify(detail, true, context({ key: "k".repeat(901) })), "PermanentError", /longer than 900/);
});

for (const security of ["starttls", "tls"] as const) {
  Deno.test(`notify() logs in and sends with ${security}, a private authority and our own certificate`, async () => {
    const clientCa = await Deno.readTextFile(pki.caFile);
    await using target = await open({ security, ...server, clientCa, login });
    await using email = plugin(target, { security, caFile: pki.caFile, ...client, ...login });

    await email.check(never);
    await email.notify(detail, true, context());

    assert.equal((await target.taken()).length, 1);
    assert.deepEqual(target.users, ["watcher", "watcher"]);
    assert.deepEqual(target.clientNames, ["example.com"]);
  });

  Deno.test(`notify() fails with reason connection when with ${security} the server is not whom we trust`, async () => {
    await using stranger = await TestPki.make();
    await using target = await open({ security, ...server, login });
    for (
      const [options, text] of [
        [{ caFile: stranger.caFile }, /; set caFile to the authority that signed the certificate$/],
        [{}, /; set caFile to the authority that signed the certificate$/],
        [
          { caFile: pki.caFile, serverName: "mail.example.com" },
          /; set serverName to a name that the certificate holds$/,
        ],
        [{ caFile: "/missing.pem" }, /Cannot read the CA file "\/missing\.pem"/],
      ] as const
    ) {
      await using email = plugin(target, { security, ...login, ...options });
      await fails(email.notify(detail, true, context()), "connection", text);
      await fails(email.check(never), "connection", text);
    }
    assert.deepEqual([await target.taken(), target.users, target.clientNames], [[], [], []]);
  });
}

Deno.test("notify() fails with reason connection, telling nothing, when somebody takes STARTTLS away", async () => {
  for (const server of [{ hideSTARTTLS: true }, {}]) {
    await using target = await open({ login, server: { disabledCommands: ["STARTTLS"], ...server } });
    await using email = plugin(target, { security: "starttls", caFile: pki.caFile, ...login });

    await fails(email.notify(detail, true, context()), "connection", /; the server offers no STARTTLS/);

    assert.deepEqual([await target.taken(), target.users, target.clientNames], [[], [], []]);
  }
});

Deno.test("notify() fails with reason connection or timeout when only one side speaks TLS from the start", async () => {
  await using plain = await open();
  await using safe = await open({ security: "tls", ...server });
  await using one = plugin(plain, { host: "localhost", security: "tls", caFile: pki.caFile });
  await using other = plugin(safe, { security: "starttls", caFile: pki.caFile, timeoutSeconds: 1 });

  await fails(one.notify(detail, true, context()), "connection", /the server does not speak TLS there; check port and/);
  await fails(other.notify(detail, true, context()), "timeout", /: no answer within 1 s$/);
});

Deno.test("notify() fails with reason unauthorized, telling no secret, when the server does not know us", async () => {
  await using target = await open({ login });
  await using wrong = plugin(target, { user: "watcher", password: "guess-0815" });
  await using nobody = plugin(target);

  const text =
    /^Cannot send mail through 127\.0\.0\.1:\d+: Invalid login: 535 who is watcher with \*\*\*, \*\*\*\?; check user and password$/;
  await fails(wrong.notify(detail, true, context()), "unauthorized", text);
  await fails(wrong.check(never), "unauthorized", /^Cannot log in at 127\.0\.0\.1:\d+: Invalid login: 535 /);
  await fails(nobody.notify(detail, true, context()), "unauthorized", /530 /);

  assert.deepEqual(await target.taken(), []);
});

Deno.test("preview() escapes a hostile name in the subject once, as in the text", async () => {
  const options = { host: "smtp.example.com", from: "w@example.com", to: "anna@example.com" };
  const hostile = { ...detail, FQDN: "web\x1b[2J\u202e" };
  for (const subject of [{}, { subject: ({ FQDN }: Detail) => `Server created: ${FQDN}` }]) {
    await using email = new EmailNotify({ ...options, ...subject });
    const preview = await email.preview(hostile, true, context());
    assert.match(preview, /^Subject: Server created: web\\u\{1b\}\[2J\\u\{202e\}$/m);
  }
});

Deno.test("notify() fails with reason unauthorized when the server does not want to know who we are", async () => {
  await using target = await open();
  await using email = plugin(target, login);

  await fails(email.notify(detail, true, context()), "unauthorized", /: Invalid login: 5/);

  assert.deepEqual(await target.taken(), []);
});

Deno.test("notify() is done with a warning when the server never takes the mail for some", async () => {
  await using target = await open();
  const log = new KeptLog();
  await using email = plugin(target, { to: ["anna@example.com", "bert@example.com"] });
  target.refuse({ at: "rcpt", code: 550, recipients: ["anna@example.com"] });

  const notes: string[] = [];
  await email.notify(detail, true, context({ log, note: (text) => notes.push(text) }));

  assert.deepEqual((await target.taken()).map(({ to }) => to), [["bert@example.com"]]);
  const [line = "", ...others] = log.lines;
  assert.deepEqual(others, []);
  const said = /127\.0\.0\.1:\d+ took the mail for server\/.*\/creation, but not for anna@example\.com \("550 /;
  assert.match(line, said);
  assert.match(notes.join(), said);
});

Deno.test("notify() tries again for those alone who were refused for the moment", async () => {
  await using target = await open();
  const people = ["anna", "bert", "carl", "dora"].map((name) => `${name}@example.com`);
  await using email = plugin(target, { to: people });
  let progress: Json | undefined;
  const notes: string[] = [];
  const attempt = () =>
    email.notify(
      detail,
      true,
      context({
        ...(progress === undefined ? {} : { progress }),
        keep: (kept) => progress = kept,
        note: (text) => notes.push(text),
      }),
    );
  const envelopes = async () => (await target.taken()).map(({ to }) => to);
  const refuse = (code: number, ...names: string[]) =>
    ({ at: "rcpt", code, recipients: names.map((name) => `${name}@example.com`) }) as const;

  target.refuse(refuse(451, "bert", "dora"), refuse(550, "carl"));
  await fails(attempt(), "server_error", /bert@example\.com/);
  const [first] = await target.taken();
  assert.deepEqual(first?.to, ["anna@example.com"]);
  // Nobody takes it: what is known stays known.
  await fails(attempt(), "server_error", /451/);
  assert.deepEqual(await envelopes(), []);
  target.refuse(refuse(550, "dora"));
  await attempt();
  const [last] = await target.taken();
  assert.deepEqual(last?.to, ["bert@example.com"]);
  assert.equal(last?.message, first?.message);
  assert.match(notes.join(), /but not for carl@example\.com \("550 [^,]*, dora@example\.com \("550 /);
});

Deno.test("notify() makes no dead letter of a mail that some have, when those who are left never get it", async () => {
  await using target = await open();
  await using email = plugin(target, { to: ["anna@example.com", "bert@example.com"] });
  const notes: string[] = [];
  target.refuse({ at: "rcpt", code: 550 });
  const progress = { answered: ["anna@example.com"], never: [] };
  await email.notify(detail, true, context({ progress, note: (text) => notes.push(text) }));
  assert.match(notes.join(), /but not for bert@example\.com/);
  await fails(email.notify(detail, true, context()), "PermanentError", /550/);
});

Deno.test("notify() fails, to be tried again, when the server does not take the mail for some yet", async () => {
  await using target = await open();
  await using email = plugin(target, { to: ["anna@example.com", "bert@example.com"] });
  target.refuse({ at: "rcpt", code: 451, recipients: ["anna@example.com"] });

  await assert.rejects(
    async () => await email.notify(detail, true, context()),
    (error) => error instanceof DeliveryError && error.reason === "server_error" && /anna@example/.test(error.message),
  );
});

Deno.test("notify() fails, for good only if nobody can get it ever, when the server takes the mail for nobody", async () => {
  await using target = await open();
  await using email = plugin(target, { to: ["anna@example.com", "bert@example.com"] });

  target.refuse({ at: "rcpt", code: 451, recipients: ["anna@example.com"] }, { at: "rcpt", code: 550 });
  await fails(email.notify(detail, true, context()), "server_error", /451 /);
  target.refuse({ at: "rcpt", code: 550 });
  await fails(email.notify(detail, true, context()), "PermanentError", /550 .*no\\u\{202e\}/);
});

Deno.test("notify() fails with reason timeout when the server says nothing", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using email = new EmailNotify({
    host: "127.0.0.1",
    port: silent.addr.port,
    ...envelope,
    timeoutSeconds: 0.3,
  });

  await fails(email.notify(detail, true, context()), "timeout", /: no answer within 0\.3 s$/);
  await fails(email.check(never), "timeout", /^Cannot log in at .*: no answer within 0\.3 s$/);
});

Deno.test("notify() delivers every event in the end when the server is stopped and started again meanwhile", async () => {
  await using target = await open({ security: "starttls", ...server, login });
  await using email = plugin(target, { security: "starttls", caFile: pki.caFile, ...login });
  const keys = Array.from({ length: 30 }, (_, index) => `event/${index}`);
  const failures: unknown[] = [];
  const deliver = (key: string) =>
    until(async () => {
      try {
        await email.notify(detail, true, context({ key }));
        return true;
      } catch (error) {
        failures.push(error);
        return false;
      }
    }, 20_000);

  await Promise.all(keys.slice(0, 10).map(deliver));
  target.behave("down");
  const rest = Promise.all(keys.slice(10).map(deliver));
  await until(() => failures.length > 0);
  await target.restart();
  target.behave("accepts");
  await rest;

  const taken = (await target.taken()).map(({ mail }) => new Map(mail.headers).get("X-OSS-Watcher-Key") ?? "");
  assert.deepEqual([...new Set(taken)].sort(), [...keys].sort());
  for (const error of failures) assert.equal((error as DeliveryError).reason, "connection", String(error));
});

for (const security of ["starttls", "tls"] as const) {
  Deno.test(`notify() takes up renewed certificates, theirs and ours, with ${security}`, async () => {
    using dir = new TemporaryDirectory();
    const [caFile, certFile, keyFile] = [dir.path("ca.pem"), dir.path("tls.crt"), dir.path("tls.key")];
    await using renewed = await TestPki.make();
    const install = async (from: TestPki) => {
      const issued = await from.issue("client");
      await Deno.copyFile(from.caFile, caFile);
      await Deno.copyFile(issued.certFile, certFile);
      await Deno.copyFile(issued.keyFile, keyFile);
    };
    const mutual = async (by: TestPki) => ({
      ...await by.issue("localhost"),
      clientCa: await Deno.readTextFile(by.caFile),
    });
    await install(pki);
    await using target = await open({ security, ...await mutual(pki) });
    await using email = plugin(target, { security, caFile, certFile, keyFile });
    await email.notify(detail, true, context({ key: "before" }));

    await target.restart(await mutual(renewed));
    await fails(email.notify(detail, true, context({ key: "between" })), "connection", /set caFile to the authority/);
    await install(renewed);
    await email.notify(detail, true, context({ key: "after" }));

    const keys = (await target.taken()).map(({ mail }) => new Map(mail.headers).get("X-OSS-Watcher-Key"));
    assert.deepEqual(keys, ["before", "after"]);
  });
}

Deno.test("notify() is done at once when the server has restarted since the last mail", async () => {
  await using target = await open();
  await using email = plugin(target);

  await email.notify(detail, true, context());
  await target.restart();
  await email.notify(detail, false, context({ key: "second" }));

  assert.equal((await target.taken()).length, 2);
});

for (
  const [options, ...problems] of [
    [{ host: undefined, from: undefined, to: undefined }, "from: must be an address", "to: must be", "host: must be"],
    [{ from: "a@b.c, d@e.f" }, "from: must be an address"],
    [{ from: "x\r\nBcc: a@b.c <a@b.c>" }, "from: must be an address"],
    [{ to: [] }, "to: must be a bare address"],
    [{ to: "Anna <a@b.c>" }, "to: must be a bare address"],
    [{ to: [() => null] }, "allowedDomains: must be a list of domains"],
    [{ allowedDomains: ["*"] }, "allowedDomains: must be a list of domains"],
    [{ user: "u" }, "user: needs password"],
    [{ password: "p" }, "password: needs user"],
    [{ security: "none", ...login }, "password: would go over the network as it is"],
    [{ security: "none", caFile: "ca.pem" }, `caFile: needs security "starttls" or "tls"`],
    [{ certFile: "c" }, "certFile: needs keyFile"],
    [{ port: 0, secure: true }, "port: must be", "secure: unknown option"],
  ] as const
) {
  Deno.test(`new EmailNotify() names every wrong option when they are ${JSON.stringify(options)}`, () => {
    const given = { host: "h", ...envelope, ...options } as unknown as EmailNotifyOptions;
    assert.throws(() => new EmailNotify(given), (error: unknown) => {
      assert(error instanceof TypeError);
      const found = error.message.replace("Cannot make EmailNotify: ", "").split(/; (?=\w+: )/);
      assert.deepEqual(found.map((text, index) => text.slice(0, problems[index]?.length)), problems, error.message);
      assert.doesNotMatch(error.message, /hush/);
      return true;
    });
  });
}

const renamed = {
  before: { ...detail, FQDN: "old<b>.example.com", Owner: null, Metadata: { owner: "a\r\nB: c", app: "shop" } },
  changed: ["FQDN", "Metadata", "Owner"],
};

Deno.test("update() sends a mail that says what changed, before and after, escaped", async () => {
  await using target = await open();
  await using email = plugin(target, { updates: true });

  await email.update?.({ ...detail, Metadata: { owner: "bert", app: "shop" } }, updateContext(renamed));

  const [taken] = await target.taken();
  const { headers = [], parts = [] } = taken?.mail ?? {};
  assert.equal(new Map(headers).get("Subject"), "Server changed: fake.hostname.com");
  assert.equal(new Map(headers).get("X-OSS-Watcher-Key"), `server/${detail.ID}/update/1`);
  const [text, html] = parts.map(({ text }) => text);
  assert.ok(
    text?.startsWith(`Server changed: fake.hostname.com

FQDN
  before  old<b>.example.com
  after   fake.hostname.com
Metadata
  before  owner: a\\u{d}\\u{a}B: c
  after   owner: bert
Owner
  before  (none)
  after   some_owner

FQDN             fake.hostname.com
`),
    text,
  );
  assert.ok(
    html?.includes(
      `<tr><th align="left" valign="top">FQDN</th><td>old&lt;b&gt;.example.com</td><td>fake.hostname.com</td></tr>`,
    ),
    html,
  );
});

Deno.test("update() calls the functions of config.ts with kind, before and changed", async () => {
  await using target = await open();
  const seen: unknown[] = [];
  const look: EmailNotifyOptions["text"] = ({ FQDN }, created, context) => {
    seen.push(context.kind === "update" ? [created, FQDN, context.before.FQDN, context.changed] : context.kind);
    return "x";
  };
  const to: EmailNotifyOptions["to"] = (...event) => look(...event) === "x" ? "anna@example.com" : null;
  const functions = { to, allowedDomains: ["example.com"], subject: look, text: look, html: look };
  await using email = plugin(target, { updates: true, ...functions });

  await email.update?.(detail, updateContext(renamed));
  await email.notify(detail, true, context());

  const update = [true, "fake.hostname.com", "old<b>.example.com", ["FQDN", "Metadata", "Owner"]];
  assert.deepEqual(seen, [...Array(4).fill(update), ...Array(4).fill("creation")]);
});

Deno.test("update() gives each update a mail of its own, the same for every attempt", async () => {
  await using target = await open();
  await using email = plugin(target, { updates: true });

  await email.notify(detail, true, context());
  await email.update?.(detail, updateContext(renamed));
  await email.update?.(detail, updateContext({ ...renamed, attempt: 2 }));
  await email.update?.(detail, updateContext({ ...renamed, key: `server/${detail.ID}/update/2` }));

  const ids = (await target.taken()).map(({ mail }) => new Map(mail.headers).get("Message-ID"));
  assert.equal(ids[1], ids[2]);
  assert.equal(new Set(ids).size, 3);
});

Deno.test("EmailNotify has no update() unless updates is true: it is not told of updates", () => {
  for (const options of [{}, { updates: false }]) {
    const { update, previewUpdate } = new EmailNotify({ host: "h", ...envelope, ...options });
    assert.deepEqual([typeof update, typeof previewUpdate], ["undefined", "undefined"]);
  }
});
