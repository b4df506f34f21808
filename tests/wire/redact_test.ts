import assert from "node:assert/strict";
import fc from "fast-check";
import { isSecretName, redact, shownUrl, withoutSecrets } from "../../src/wire/redact.ts";

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
    const startMs = performance.now();
    redact(part.repeat(64 * 1024 / part.length));
    assert.ok(performance.now() - startMs < 500, part);
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
