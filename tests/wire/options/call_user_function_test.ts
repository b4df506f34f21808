import assert from "node:assert/strict";
import { env, PermanentError } from "../../../mod.ts";
import { callUserFunction, RETURNS_TEXT, type UserFunction } from "../../../src/kit/mod.ts";

const text: UserFunction<string> = {
  plugin: "Mine",
  option: "subject",
  allows: (value): value is string => typeof value === "string" && value !== "no",
  allowed: "a text",
};

Deno.test("callUserFunction() returns what the function returns", () => {
  assert.equal(callUserFunction(text, () => "yes"), "yes");
});

for (
  const [what, make] of [
    ["nothing", () => undefined],
    ["null", () => null],
    ["the number 5", () => 5],
    ["the boolean true", () => true],
    ["the bigint 7", () => 7n],
    ['the text "no"', () => "no"],
    ["an object", () => ({ password: "hush" })],
    ["a function", () => () => "yes"],
    ["a symbol", () => Symbol("hush")],
    ["a list of texts", () => ["hush"]],
    ["a list that holds nothing", () => ["hush", undefined]],
    ["a list that holds a list that holds the number 1", () => [[1]]],
    ["a promise: it must not be async", () => Promise.reject(new Error("hush"))],
  ] as const
) {
  Deno.test(`callUserFunction() names plugin, option and what was returned when that is ${what}`, () => {
    assert.throws(() => callUserFunction(text, make), (error: unknown) => {
      assert(error instanceof PermanentError);
      assert.equal(
        error.message,
        `Cannot make subject of Mine: its function in config.ts returned ${what}; it must return a text`,
      );
      assert.doesNotMatch(Deno.inspect(error), /hush/);
      return true;
    });
  });
}

for (
  const [what, thrown] of [
    ["no such key", new Error("no such key")],
    ["a text", "a text"],
    ["line\\u{d}\\u{a}break \\u{1b}[2J password=***", new Error("line\r\nbreak \x1b[2J password=hush")],
    ["null", null],
    ["what has no text", Object.create(null)],
  ] as const
) {
  Deno.test(`callUserFunction() says safely what the function threw when that is ${what}`, () => {
    const make = () => {
      throw thrown;
    };
    assert.throws(() => callUserFunction(text, make), (error: unknown) => {
      assert(error instanceof PermanentError);
      assert.equal(error.message, `Cannot make subject of Mine: its function in config.ts threw: ${what}`);
      assert.doesNotMatch(Deno.inspect(error), /hush/);
      return true;
    });
  });
}

Deno.test("callUserFunction() fails for good, whatever the function throws", () => {
  const hostile = new Proxy({}, {
    get() {
      throw new Error("hostile");
    },
    getPrototypeOf() {
      throw new Error("hostile");
    },
  });
  for (const thrown of [undefined, 7, Symbol("s"), hostile]) {
    const make = () => {
      throw thrown;
    };
    assert.throws(() => callUserFunction(text, make), PermanentError);
  }
});

Deno.test("callUserFunction() tells no secret, nor half of one, when the function throws it", () => {
  Deno.env.set("OSS_WATCHER_TEST_MADE_TOKEN", "t0ken-of-config");
  const token = env("OSS_WATCHER_TEST_MADE_TOKEN");
  Deno.env.delete("OSS_WATCHER_TEST_MADE_TOKEN");
  for (const before of ["", "x".repeat(180), "x".repeat(190)]) {
    const make = () => {
      throw new Error(`${before} ${token} password=hunter2hunter2`);
    };
    assert.throws(() => callUserFunction({ ...RETURNS_TEXT, option: "subject" }, make), (error: unknown) => {
      assert.doesNotMatch(Deno.inspect(error), /t0k|hunt/);
      return true;
    });
  }
});
