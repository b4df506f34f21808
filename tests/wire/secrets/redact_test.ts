import assert from "node:assert/strict";
import fc from "fast-check";
import { env } from "../../../src/wire/secrets/env.ts";
import { HIDDEN, isSecretName, redact, shownUrl, withoutSecrets } from "../../../src/wire/secrets/redact.ts";
import { cpuMs } from "../../support/cpu.ts";

/** As config.ts asks for it. */
function fromEnv(name: string, value: string): void {
  Deno.env.set(name, value);
  try {
    env(name);
  } finally {
    Deno.env.delete(name);
  }
}

for (
  const [what, text, shown] of [
    ["user and password of a URL", "amqp://guest:s3cret@host:5672/vhost", "amqp://host:5672/vhost"],
    ["a user alone", "https://t0ken@host/path", "https://host/path"],
    ["a password with slashes and @", "amqp://guest:s3/cr@et@host/vhost", "amqp://host/vhost"],
    ["a password with quotes", `at "amqp://guest:s3'c"r<et@host/"`, `at "amqp://host/"`],
    ["every URL of a text", "a://u:p@h, b://u:p@i", "a://h, b://i"],
    ["the value of a key", "password=s3cret&x=1", "password=***&x=1"],
    ["a quoted value", `{"auth_token": "s3 \\"cret", "a": 1}`, `{"auth_token": ***, "a": 1}`],
    ["a header", "Authorization: Basic czNjcmV0, Accept: */*", "Authorization: ***, Accept: */*"],
    ["an option of a shell", "--api-key=s3cret --x", "--api-key=*** --x"],
  ] as const
) {
  Deno.test(`redact() hides ${what}`, () => assert.equal(redact(text), shown));
}

for (
  const text of [
    "https://host:8443/@me/a@b",
    "http://[::1]:8080/@me",
    "mail root@host now",
    "Idempotency-Key: server/1/creation",
    "the password is wrong",
    "Cannot make NetBox: token: must be at least 8 visible ASCII characters; password: needs user",
  ]
) {
  Deno.test(`redact() leaves "${text}" as it is`, () => assert.equal(redact(text), text));
}

Deno.test("redact() leaves no password of a URL, whatever its characters", () => {
  const password = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 20 })
    .map((text) => `s3cret${text.replaceAll(/\s/g, "")}`);
  fc.assert(
    fc.property(password, (text) => assert.ok(!redact(`at amqp://user:${text}@host/v end`).includes("s3cret"))),
  );
});

Deno.test("redact() needs no time to speak of when the text is hostile", () => {
  for (const part of ["a://", "a://b:", "token=", `token="\\`, "password  ", "://u:"]) {
    const startMs = cpuMs();
    redact(part.repeat(64 * 1024 / part.length));
    assert.ok(cpuMs() - startMs < 500, part);
  }
});

Deno.test("isSecretName() suspects what usually holds a secret, and nothing else of ours", () => {
  const suspected = ["password", "Authorization", "X-Auth-Token", "apiKey", "api_key", "set-cookie", "clientSecret"];
  assert.deepEqual(suspected.filter((name) => !isSecretName(name)), []);
  assert.deepEqual(["host", "keyFile", "Idempotency-Key", "user", "watchQueue", "keepDays"].filter(isSecretName), []);
});

Deno.test("withoutSecrets() hides a secret as it is, in JSON and in a URL", () => {
  assert.equal(withoutSecrets(`a"b c "a\\"b c" a%22b%20c`, [`a"b c`, ""]), `*** "***" ***`);
});

const FORMS: Readonly<Record<string, (text: string) => string>> = {
  "HTML-escaped": (text) =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")
      .replaceAll("'", "&#39;"),
  "HTML-escaped as Python and Go do": (text) =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&#34;").replaceAll("'", "&#x27;"),
  "in numeric entities": (text) => [...text].map((char) => `&#${char.codePointAt(0)};`).join(""),
  "in hexadecimal entities": (text) => [...text].map((char) => `&#x${char.codePointAt(0)?.toString(16)};`).join(""),
  "HTML-escaped twice": (text) =>
    text.replaceAll("&", "&amp;amp;").replaceAll("<", "&amp;lt;").replaceAll('"', "&amp;#34;"),
  "form-encoded": (text) => new URLSearchParams({ a: text }).toString().slice(2),
  "percent-encoded": encodeURIComponent,
  "percent-encoded in lower case": (text) => encodeURIComponent(text).replace(/%../g, (part) => part.toLowerCase()),
  "percent-encoded twice": (text) => encodeURIComponent(encodeURIComponent(text)),
  "percent-encoded byte for byte": (text) =>
    [...new TextEncoder().encode(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  "in a path of a URL": (text) =>
    new URL(`https://host/${text.replaceAll("%", "%25").replace(/^[./]+/, "$&")}`).pathname.slice(1),
  "JSON-escaped": (text) => JSON.stringify(text).slice(1, -1),
  "JSON-escaped in JSON": (text) => JSON.stringify(JSON.stringify(text)).slice(3, -3),
  "JSON-escaped to ASCII, < and / too": (text) =>
    JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/").replace(
      /[^ -~]|[<>&'+]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  "in base64": (text) => new TextEncoder().encode(text).toBase64(),
  "in base64url": (text) => new TextEncoder().encode(text).toBase64({ alphabet: "base64url", omitPadding: true }),
  "in base64 with something before": (text) => new TextEncoder().encode(`u${text}`).toBase64(),
  "in base64 with more before, and something behind": (text) => new TextEncoder().encode(`me${text}!`).toBase64(),
  "in base64 in a URL": (text) => encodeURIComponent(new TextEncoder().encode(`abc:${text}`).toBase64()),
};

for (const [what, written] of Object.entries(FORMS)) {
  for (
    const secret of [
      "s3cret-value/+~!*'()",
      `p&ss <w"o'r\\d> %41+/=\u00fc\u20ac`,
      "hunter2hunter2",
      "\u{1f511}\u{1f511} key=1",
    ]
  ) {
    Deno.test(`withoutSecrets() hides ${JSON.stringify(secret)} ${what}`, () => {
      const text = `before ${written(secret)} after`;
      const shown = withoutSecrets(text, [secret]);
      // Base64 that holds more than the secret leaves digits that are the neighbours' alone.
      assert.match(
        shown,
        what.startsWith("in base64 ") ? /^before \S{0,6}\*\*\*\S{0,4} after$/ : /^before \*\*\* after$/,
        text,
      );
    });
  }
}

for (const [what, written] of Object.entries(FORMS).filter(([what]) => !what.includes("path of a URL"))) {
  Deno.test(`withoutSecrets() hides every secret ${what}`, () => {
    const secret = fc.string({ unit: "binary", minLength: 8, maxLength: 40 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(secret, (text) => {
        const shown = withoutSecrets(`[${written(text)}]`, [text]);
        const rest = shown.replace(/^\[[A-Za-z\d+/_%-]{0,9}\*\*\*[A-Za-z\d+/_%=-]{0,9}\]$/, "");
        assert.equal(rest, "", `${JSON.stringify(text)} as ${JSON.stringify(written(text))}`);
      }),
      { numRuns: 20 },
    );
  });
}

Deno.test("withoutSecrets() shows no part of a secret where the text was cut", () => {
  const secret = `s3cret&"value"`;
  for (const written of Object.values(FORMS)) {
    const text = "x".repeat(400) + written(secret) + written(secret);
    for (let length = 400; length <= text.length; length++) {
      const shown = withoutSecrets(text.slice(0, length), [secret], { isCut: true });
      assert.match(shown, /^x+[*]*$/, `${text.slice(390, length)}`);
    }
  }
});

Deno.test("withoutSecrets() needs no time to speak of, whatever the secret and the text", () => {
  const secrets = [
    "\\".repeat(30),
    "%".repeat(30),
    "&".repeat(30),
    "+ ".repeat(15),
    "a".repeat(200),
    "/".repeat(30),
    "amp;".repeat(8),
    "%25".repeat(12),
  ];
  const texts = ["\\", "%25", "&amp;", "+", "a", "/", "YWFh", "\\\\u0026"];
  for (const secret of secrets) {
    for (const text of texts) {
      const startMs = cpuMs();
      withoutSecrets(text.repeat(64 * 1024 / text.length), [secret]);
      assert.ok(cpuMs() - startMs < 2000, `${secret} in ${text}`);
    }
  }
});

Deno.test("redact() and shownUrl() hide what came through env(), in a path too, and no host, user or short word", () => {
  fromEnv("OSS_WATCHER_TEST_HOOK", "T0KEN-in-the/path");
  fromEnv("OSS_WATCHER_TEST_CMDB", "https://cmdb.example.com/hooks/T1KEN?key=T2KEN-of-query");
  fromEnv("OSS_WATCHER_TEST_HOST", "rabbit-1.example.com");
  fromEnv("OSS_WATCHER_TEST_SITE", "KDC");
  fromEnv("OSS_WATCHER_TEST_BASE_DN", "dc=example,dc=com");
  fromEnv("OSS_WATCHER_TEST_EVENTS", "amqps://watcher:hush-4711@rabbit-1/a-vhost-of-ours");
  fromEnv("OSS_WATCHER_TEST_API_TOKEN", "t0k");

  assert.equal(shownUrl("https://chat.example.com/hooks/T0KEN-in-the/path/x"), "https://chat.example.com/hooks/***/x");
  assert.equal(shownUrl("https://chat.example.com/hooks/T0KEN-in-the%2Fpath"), "https://chat.example.com/hooks/***");
  assert.equal(shownUrl("https://cmdb.example.com/hooks/T1KEN/servers"), "https://cmdb.example.com/***/servers");
  assert.equal(
    redact("Cannot POST /hooks/T1KEN at rabbit-1.example.com in KDC dc=example,dc=com: t0k, T2KEN-of-query, hush-4711"),
    `Cannot POST /${HIDDEN} at rabbit-1.example.com in KDC dc=example,dc=com: ${HIDDEN}, ${HIDDEN}, ${HIDDEN}`,
  );
});

Deno.test("redact() hides the password of a URL with several hosts that came through env(), and nothing else of it", () => {
  fromEnv("OSS_WATCHER_TEST_STATE", "postgres://watcher:hush,4712@db-1:5432,db-2:5432/a-database-of-ours");
  assert.equal(
    redact("password authentication failed at db-2:5432, a-database-of-ours for watcher: hush,4712"),
    `password authentication failed at db-2:5432, a-database-of-ours for watcher: ${HIDDEN}`,
  );
  assert.equal(redact("at postgres://watcher:hush@db-1:5432,db-2/d"), "at postgres://db-1:5432,db-2/d");
});

Deno.test("withoutSecrets() hides the longest when one secret holds another", () => {
  assert.equal(withoutSecrets("abcdef", ["abc", "abcdef"]), "***");
});

Deno.test("withoutSecrets() leaves no secret, whatever the text", () => {
  const secret = fc.string({ minLength: 4, maxLength: 20 }).filter((text) => !text.includes("*"));
  fc.assert(fc.property(fc.string(), secret, fc.string(), (before, hidden, after) => {
    assert.ok(!withoutSecrets(before + hidden + after, [hidden]).includes(hidden));
  }));
});

for (
  const [url, shown] of [
    ["https://user:s3cret@host:8443/a/b", "https://host:8443/a/b"],
    ["https://host/a?token=t0ken&b=&t0ken#t0ken", "https://host/a?token=***&b=***&***"],
    ["s3cret", "***"],
  ] as const
) {
  Deno.test(`shownUrl() shows "${url}" as "${shown}"`, () => assert.equal(shownUrl(url), shown));
}

Deno.test("redact() leaves the names of files alone", () => {
  assert.equal(redact(`Cannot open "/etc/passwd": it is no ledger`), `Cannot open "/etc/passwd": it is no ledger`);
});
