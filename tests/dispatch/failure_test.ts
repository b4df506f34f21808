import { deepStrictEqual as assertEquals, ok as assert } from "node:assert/strict";
import { type Failure, failureOf } from "../../src/dispatch/failure.ts";
import { policyOf } from "../../src/dispatch/policy.ts";
import { DeliveryError, type FailureReason, PermanentError } from "../../src/model/errors.ts";
import { redact } from "../../src/wire/secrets/redact.ts";

function failure(error: unknown, permanentStatuses = policyOf("p").permanentStatuses): Failure {
  return failureOf(error, { permanentStatuses, redact });
}

function withStatus(status: number): DeliveryError {
  return new DeliveryError(`Cannot POST: ${status}`, { reason: "other", status });
}

/** An error as another copy of this module would make it. */
function shaped(shape: Readonly<Record<string, unknown>>): Error {
  return Object.assign(new Error("It failed"), shape);
}

for (const status of [400, 409, 410, 413, 414, 415, 422, 431]) {
  Deno.test(`failureOf() is permanent when the status is ${status}`, () => {
    assert(failure(withStatus(status)).permanent);
    assert(failure(shaped({ status })).permanent);
  });
}

for (
  const [status, reason] of [
    [301, "client_error"],
    [401, "unauthorized"],
    [403, "client_error"],
    [404, "client_error"],
    [405, "client_error"],
    [408, "client_error"],
    [423, "client_error"],
    [425, "client_error"],
    [429, "rate_limited"],
    [500, "server_error"],
    [501, "server_error"],
    [502, "server_error"],
    [503, "server_error"],
    [504, "server_error"],
    [507, "server_error"],
  ] as const
) {
  Deno.test(`failureOf() is "${reason}", to be tried again, when the status is ${status}`, () => {
    const { reason: found, permanent } = failure(shaped({ status }));
    assertEquals({ reason: found, permanent }, { reason, permanent: false });
  });
}

Deno.test("failureOf() takes the statuses that are permanent from the policy", () => {
  assert(failure(shaped({ status: 404 }), new Set([404])).permanent);
  assert(!failure(shaped({ status: 400 }), new Set([404])).permanent);
  assert(failure(shaped({ status: 401 }), new Set([401])).permanent);
});

Deno.test("failureOf() knows a PermanentError by its name, whoever made it", () => {
  class Copy extends Error {
    override readonly name = "PermanentError";
  }
  for (const error of [new PermanentError("No"), new Copy("No"), { name: "PermanentError", message: "No" }]) {
    assertEquals(failure(error), { reason: "permanent", error: "No", permanent: true, retryAfterMs: 0 });
  }
});

Deno.test("failureOf() is permanent when a DeliveryError says so", () => {
  assert(failure(new DeliveryError("No", { reason: "permanent" })).permanent);
});

Deno.test("failureOf() takes the reason that a DeliveryError gives", () => {
  const reasons: FailureReason[] = ["connection", "timeout", "unauthorized", "rate_limited", "server_error", "other"];
  for (const reason of reasons) {
    assertEquals(failure(new DeliveryError("No", { reason })).reason, reason);
    assertEquals(failure(shaped({ reason })).reason, reason);
  }
  assertEquals(failure(shaped({ reason: "bored" })).reason, "other");
  assertEquals(failure(shaped({ reason: "bored", status: 503 })).reason, "server_error");
});

Deno.test("failureOf() believes no plugin that it was interrupted", () => {
  assertEquals(failure(new DeliveryError("Stopped", { reason: "interrupted" })).reason, "other");
});

for (
  const [what, error, reason] of [
    ["a DOMException of AbortSignal.timeout()", new DOMException("Signal timed out.", "TimeoutError"), "timeout"],
    ["Deno's TimedOut", new Deno.errors.TimedOut("timed out"), "timeout"],
    ["the code ETIMEDOUT", shaped({ code: "ETIMEDOUT" }), "timeout"],
    ["Deno's ConnectionRefused", new Deno.errors.ConnectionRefused("refused"), "connection"],
    ["Deno's ConnectionReset", new Deno.errors.ConnectionReset("reset"), "connection"],
    ["Deno's ConnectionAborted", new Deno.errors.ConnectionAborted("aborted"), "connection"],
    ["Deno's NotConnected", new Deno.errors.NotConnected("not connected"), "connection"],
    ["Deno's BrokenPipe", new Deno.errors.BrokenPipe("broken pipe"), "connection"],
    ["Deno's UnexpectedEof", new Deno.errors.UnexpectedEof("eof"), "connection"],
    ["the code ECONNREFUSED", shaped({ code: "ECONNREFUSED" }), "connection"],
    ["the code ECONNRESET", shaped({ code: "ECONNRESET" }), "connection"],
    ["the code EPIPE", shaped({ code: "EPIPE" }), "connection"],
    ["the code EHOSTUNREACH", shaped({ code: "EHOSTUNREACH" }), "connection"],
    ["the code ENETUNREACH", shaped({ code: "ENETUNREACH" }), "connection"],
    ["the code ENOTFOUND", shaped({ code: "ENOTFOUND" }), "connection"],
    ["the code EAI_AGAIN", shaped({ code: "EAI_AGAIN" }), "connection"],
    ["an error with such a cause", new Error("No", { cause: shaped({ code: "ECONNREFUSED" }) }), "connection"],
    [
      "what fetch() throws",
      new TypeError("fetch failed", {
        cause: new Error("error sending request for url (http://host/): client error (Connect): dns error"),
      }),
      "connection",
    ],
    ["a mistake in the plugin", new TypeError("x is not a function"), "other"],
    ["a file that is missing", new Deno.errors.NotFound("missing"), "other"],
    ["a status that is no number", shaped({ status: "500" }), "other"],
  ] as const
) {
  Deno.test(`failureOf() is "${reason}", to be tried again, for ${what}`, () => {
    const { reason: found, permanent } = failure(error);
    assertEquals({ reason: found, permanent }, { reason, permanent: false });
  });
}

Deno.test("failureOf() knows what fetch() really throws when nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await fetch(`http://127.0.0.1:${port}/`).then(() => null, (thrown) => thrown);
  assertEquals(failure(error).reason, "connection");
});

Deno.test("failureOf() honours how long it shall wait, up to a day", () => {
  const wait = (retryAfterMs: unknown) => failure(shaped({ status: 503, retryAfterMs })).retryAfterMs;
  assertEquals([1, 120_000, 86_400_000, 86_400_001, Infinity].map(wait), [
    1,
    120_000,
    86_400_000,
    86_400_000,
    86_400_000,
  ]);
  assertEquals([0, -1, NaN, "5", null, undefined, 5n].map(wait), [0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("failureOf() has a text whatever was thrown", () => {
  assertEquals(failure("as a text").error, "as a text");
  assertEquals(failure(undefined).error, "undefined");
  assertEquals(failure(null).error, "null");
  assertEquals(failure(42).error, "42");
  assertEquals(failure(Symbol("s")).error, "Symbol(s)");
  assertEquals(failure(new RangeError("")).error, "RangeError");
  assertEquals(failure({ message: "in an object" }).error, "in an object");
  assertEquals(failure({ message: 42 }).error, "42");
});

Deno.test("failureOf() never throws, whatever was thrown", () => {
  const throwing = new Proxy({}, {
    get() {
      throw new Error("hostile");
    },
    getPrototypeOf() {
      throw new Error("hostile");
    },
    has() {
      throw new Error("hostile");
    },
  });
  const unspeakable = {
    toString() {
      throw new Error("hostile");
    },
  };
  const cyclic = new Error("round and round");
  cyclic.cause = cyclic;
  for (
    const error of [
      Object.create(null),
      throwing,
      unspeakable,
      cyclic,
      Object.assign(new Error(), { message: { toString: null } }),
      Object.assign(new Error(), { message: 7n }),
      () => {},
    ]
  ) {
    const { reason, error: text, permanent, retryAfterMs } = failure(error);
    assertEquals({ reason, permanent, retryAfterMs }, { reason: "other", permanent: false, retryAfterMs: 0 });
    assertEquals(typeof text, "string");
    assert(text.length > 0);
  }
});

Deno.test("failureOf() keeps no secret and no long text", () => {
  const { error } = failure(
    new Error(`Cannot POST https://user:hunter2@host/: password=hunter2 ${"x".repeat(100_000)}`),
  );
  assert(!error.includes("hunter2"), error);
  assertEquals(error.length, 500);
  const edge = failure(new Error(`${"x".repeat(490)} https://user:hunter2hunter2@host/`)).error;
  assert(!edge.includes("hunter"), edge);
});
