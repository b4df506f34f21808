import assert from "node:assert/strict";
import { UserError } from "../../../src/model/errors.ts";
import { env } from "../../../src/wire/secrets/env.ts";

Deno.test("env() returns the variable, also an empty one, rather than the fallback", () => {
  Deno.env.set("OSS_WATCHER_TEST_EMPTY", "");
  try {
    assert.equal(env("OSS_WATCHER_TEST_EMPTY", "fallback"), "");
  } finally {
    Deno.env.delete("OSS_WATCHER_TEST_EMPTY");
  }
});

Deno.test("env() throws a UserError that names the variable when there is neither value nor fallback", () => {
  assert.throws(
    () => env("OSS_WATCHER_TEST_NOT_SET"),
    (error: unknown) => error instanceof UserError && error.message.includes(`"OSS_WATCHER_TEST_NOT_SET"`),
  );
});
