import assert from "node:assert/strict";
import { A_TEXT, callOption, thrownBy } from "../../src/wire/call_option.ts";
import { env } from "../../src/wire/env.ts";

function failed(call: () => unknown): Error {
  try {
    callOption("subject", call, A_TEXT);
  } catch (error) {
    return error as Error;
  }
  throw new Error("it gave a value");
}

Deno.test("callOption() gives what the function returns", () => {
  assert.equal(callOption("subject", () => "", A_TEXT), "");
});

for (
  const [type, give] of [
    ["undefined", () => undefined],
    ["null", () => null],
    ["a number", () => 7],
    ["a boolean", () => true],
    ["a list", () => ["a"]],
    ["an object", () => ({})],
    ["a promise (it must not be async)", () => Promise.reject(new Error("nobody waits for it"))],
  ] as const
) {
  Deno.test(`callOption() fails for good when the function returns ${type}`, () => {
    const { name, message } = failed(give);
    assert.equal(name, "PermanentError");
    assert.equal(
      message,
      `Cannot make subject: its function in config.ts returned ${type}, not a text. Mend it, restart, and replay the event`,
    );
  });
}

Deno.test("callOption() fails for good when the function throws, and says where, what can be printed", () => {
  const { name, message, cause } = failed(() => {
    throw new RangeError("no\x1b[2J\nrack");
  });
  assert.equal(name, "PermanentError");
  assert.match(
    message,
    /^Cannot make subject: its function in config\.ts threw: RangeError: no\\u\{1b\}\[2J\\u\{a\}rack \(call_option_test\.ts:\d+\)\. Mend it/,
  );
  assert.equal(cause, undefined);
});

Deno.test("callOption() fails for good, whatever the function throws", () => {
  const hostile = new Proxy({}, {
    get() {
      throw new Error("hostile");
    },
    getPrototypeOf() {
      throw new Error("hostile");
    },
  });
  for (const thrown of [undefined, null, 7, "text", Symbol("s"), Object.create(null), hostile]) {
    assert.equal(
      failed(() => {
        throw thrown;
      }).name,
      "PermanentError",
    );
  }
});

Deno.test("callOption() and thrownBy() tell no secret, nor half of one, when the function throws it", () => {
  Deno.env.set("OSS_WATCHER_TEST_CALL_TOKEN", "t0ken-of-config");
  try {
    const token = env("OSS_WATCHER_TEST_CALL_TOKEN");
    for (const before of ["", "x".repeat(180), "x".repeat(190)]) {
      const error = new Error(`${before} ${token} password=hunter2hunter2`);
      const texts = [
        thrownBy("a", error),
        failed(() => {
          throw error;
        }).message,
      ];
      for (const text of texts) assert.doesNotMatch(text, /t0k|hunter/);
    }
  } finally {
    Deno.env.delete("OSS_WATCHER_TEST_CALL_TOKEN");
  }
});
