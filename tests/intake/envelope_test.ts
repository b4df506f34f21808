import assert from "node:assert/strict";
import fc from "fast-check";
import { WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import { admit } from "../../src/intake/admit.ts";
import { decodeBody, type Decoded, decodeJson } from "../../src/intake/envelope.ts";
import type { Notification } from "../../src/model/notification.ts";
import { readCapture, readSamples } from "../support/captures.ts";

const NOBODY = {
  userId: null,
  userName: null,
  projectId: null,
  projectName: null,
  requestId: null,
  remoteAddress: null,
};

/** A small notification as it is on the bus, and what it must become. */
const MESSAGE = {
  message_id: "6d1b9a3c-1111-4222-8333-444455556666",
  publisher_id: "network.vm",
  event_type: "port.delete.end",
  priority: "INFO",
  payload: { port_id: "p" },
  timestamp: "2026-11-21 19:13:30.215822",
  _unique_id: "0",
};
const NOTIFICATION: Notification = {
  messageId: "6d1b9a3c-1111-4222-8333-444455556666",
  eventType: "port.delete.end",
  publisherId: "network.vm",
  time: "2026-11-21T19:13:30.215Z",
  payload: { port_id: "p" },
  actor: NOBODY,
};

for (const name of ["unversioned.jsonl", "versioned.jsonl", "monitoring.jsonl", "v1-no-envelope.jsonl"]) {
  Deno.test(`decodeBody() decodes every line of ${name}`, () => {
    for (const { body } of readCapture(name)) {
      const outer = JSON.parse(body);
      const message = "oslo.message" in outer ? JSON.parse(outer["oslo.message"]) : outer;
      const { messageId, eventType, publisherId, time, payload } = notificationOf(decodeBody(encode(body)));
      assert.deepEqual({ messageId, eventType, publisherId, payload }, {
        messageId: message.message_id,
        eventType: message.event_type,
        publisherId: message.publisher_id,
        payload: message.payload,
      });
      // 2026-11-21 19:13:30.215822 is 2026-11-21T19:13:30.215Z.
      assert.equal(time, `${message.timestamp.replace(" ", "T").slice(0, 23)}Z`);
    }
  });
}

Deno.test("decodeBody() decodes a message of the driver messaging", () => {
  assert.deepEqual(decodeBody(encode(v1(MESSAGE))), { notification: NOTIFICATION });
});

Deno.test("decodeBody() decodes a message of the driver messagingv2", () => {
  assert.deepEqual(decodeBody(encode(v2(MESSAGE))), { notification: NOTIFICATION });
});

Deno.test("decodeBody() takes a message with only one of the envelope's keys for one without envelope", () => {
  const withVersion = { ...MESSAGE, "oslo.version": "2.0" };
  assert.deepEqual(decodeBody(encode(v1(withVersion))), { notification: NOTIFICATION });
  const withMessage = { ...MESSAGE, "oslo.message": v1({ ...MESSAGE, message_id: "another" }) };
  assert.deepEqual(decodeBody(encode(v1(withMessage))), { notification: NOTIFICATION });
});

Deno.test("decodeBody() accepts a byte order mark", () => {
  assert.deepEqual(decodeBody(encode(`\ufeff${v2(MESSAGE)}`)), { notification: NOTIFICATION });
});

Deno.test("decodeBody() does without publisher and time", () => {
  const { publisher_id: _, timestamp: __, ...rest } = MESSAGE;
  assert.deepEqual(decodeBody(encode(v1(rest))), { notification: { ...NOTIFICATION, publisherId: "", time: null } });
});

Deno.test("decodeBody() keeps lone surrogates, NUL and __proto__ in a payload", () => {
  const payload = String.raw`{"a":"\ud800","b":"\u0000","__proto__":{"polluted":true}}`;
  const body = `{"message_id":"m","event_type":"x","payload":${payload}}`;
  const { payload: decoded } = notificationOf(decodeBody(encode(body)));
  assert.equal(decoded["a"], "\ud800");
  assert.equal(decoded["b"], "\0");
  assert.deepEqual(Object.keys(decoded), ["a", "b", "__proto__"]);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

const REFUSED = [
  ["empty", ""],
  ["empty", " \n"],
  ["empty", "\ufeff"],
  ["not JSON", "SECRET"],
  ["not JSON", '{"message_id":"SECRET"'],
  ["not JSON", `${v1(MESSAGE)}SECRET`],
  ["not a JSON object", "null"],
  ["not a JSON object", '"SECRET"'],
  ["not a JSON object", '["SECRET"]'],
  ["not a JSON object", "7"],
  ["oslo.message is not a string", '{"oslo.version":"2.0","oslo.message":{"message_id":"SECRET"}}'],
  ["oslo.message is not a string", '{"oslo.version":"2.0","oslo.message":null}'],
  ["oslo.message is not JSON", '{"oslo.version":"2.0","oslo.message":"SECRET"}'],
  ["oslo.message is not JSON", '{"oslo.version":"2.0","oslo.message":""}'],
  ["oslo.message holds no JSON object", String.raw`{"oslo.version":"2.0","oslo.message":"\"SECRET\""}`],
  ["oslo.message holds no JSON object", '{"oslo.version":"2.0","oslo.message":"[]"}'],
  ["no message_id", v1({ ...MESSAGE, message_id: undefined })],
  ["no message_id", v1({ ...MESSAGE, message_id: "" })],
  ["no message_id", v1({ ...MESSAGE, message_id: 7 })],
  ["no event_type", v2({ ...MESSAGE, event_type: undefined })],
  ["no event_type", v1({ ...MESSAGE, event_type: ["SECRET"] })],
  ["no payload", v1({ ...MESSAGE, payload: undefined })],
  ["no payload", v1({ ...MESSAGE, payload: null })],
  ["no payload", v2({ ...MESSAGE, payload: "SECRET" })],
  ["no payload", v1({ ...MESSAGE, payload: [{ SECRET: 1 }] })],
] as const;

for (const [reason, body] of REFUSED) {
  Deno.test(`decodeBody() refuses ${JSON.stringify(body.slice(0, 60))}: ${reason}`, () => {
    assert.deepEqual(decodeBody(encode(body)), { refused: reason });
  });
}

Deno.test("decodeBody() refuses bytes that are no UTF-8, and goes on with the next", () => {
  for (const bytes of [[0xff, 0xfe], [0x7b, 0x22, 0xc3, 0x22], [0xed, 0xa0, 0x80], [0xc0, 0xaf]]) {
    assert.deepEqual(decodeBody(Uint8Array.from(bytes)), { refused: "not UTF-8" });
  }
  assert.deepEqual(decodeBody(encode(v1(MESSAGE))), { notification: NOTIFICATION });
});

Deno.test("decodeBody() refuses a payload that is nested more deeply than anything can walk", () => {
  for (const [open, close] of [["[", "]"], ['{"a":', "}"]] as const) {
    const levels = 100_000;
    const body = v1({ ...MESSAGE, payload: { port_id: "p", deep: "DEEP" } })
      .replace('"DEEP"', `${open.repeat(levels)}1${close.repeat(levels)}`);
    assert.deepEqual(decodeBody(encode(body)), { refused: "nested more than 100 levels deep" });
  }
});

Deno.test("decodeBody() gives back any notification that is written in either way", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1 });
  const arbitrary = fc.record({
    message_id: text,
    event_type: text,
    publisher_id: fc.string({ unit: "binary" }),
    payload: fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ stringUnit: "binary" })),
  });
  fc.assert(
    fc.property(arbitrary, fc.boolean(), (message, enveloped) => {
      // What JSON itself does to a value (-0) is not the codec's.
      const told = JSON.parse(JSON.stringify(message));
      assert.deepEqual(decodeBody(encode(enveloped ? v2(message) : v1(message))), {
        notification: {
          messageId: told.message_id,
          eventType: told.event_type,
          publisherId: told.publisher_id,
          time: null,
          payload: told.payload,
          actor: NOBODY,
        },
      });
    }),
    { numRuns: 500 },
  );
});

Deno.test("decodeBody() takes or refuses any bytes with a reason that does not quote them", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.constantFrom("", "{", '{"oslo.version":"2","oslo.message":'),
      (noise, start) => {
        const decoded = decodeBody(encode(`${start}SECRET${noise}`));
        assert.ok("refused" in decoded && decoded.refused !== "" && !decoded.refused.includes("SECRET"));
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("decodeJson() decodes what is parsed already", () => {
  assert.deepEqual(decodeJson(MESSAGE), { notification: NOTIFICATION });
  assert.deepEqual(decodeJson(JSON.parse(v2(MESSAGE))), { notification: NOTIFICATION });
  for (const value of [undefined, null, 7, "x", true, []]) {
    assert.deepEqual(decodeJson(value), { refused: "not a JSON object" });
  }
});

Deno.test("decodeBody() reads who acted from Nova's context", () => {
  const context = {
    _context_user: "u",
    _context_user_id: "u",
    _context_user_name: "alice",
    _context_project_id: "p",
    _context_project_name: "physics",
    _context_request_id: "req-1",
    _context_remote_address: "192.0.2.7",
  };
  assert.deepEqual(notificationOf(decodeBody(encode(v2({ ...MESSAGE, ...context })))).actor, {
    userId: "u",
    userName: "alice",
    projectId: "p",
    projectName: "physics",
    requestId: "req-1",
    remoteAddress: "192.0.2.7",
  });
});

Deno.test("decodeBody() reads who acted from the context of old releases", () => {
  const context = {
    _context_user: "u",
    _context_tenant: "p",
    _context_tenant_name: "physics",
    _context_user_id: null,
    _context_project_name: null,
    _context_user_name: "",
    _context_remote_address: 7,
  };
  assert.deepEqual(notificationOf(decodeBody(encode(v2({ ...MESSAGE, ...context })))).actor, {
    ...NOBODY,
    userId: "u",
    projectId: "p",
    projectName: "physics",
  });
});

Deno.test("decodeBody() lets nothing of a context through but six names and ids", () => {
  const token = "gAAAAABrAe1DE0eDqBBh2cDGX9UIYRNhrrgKV8";
  for (const { body } of readCapture("monitoring.jsonl")) {
    const message = JSON.parse(JSON.parse(body)["oslo.message"]);
    const hostile = {
      ...message,
      auth_token: token,
      _context_auth_token: token,
      _context_service_catalog: [{ endpoint: token }],
      _context_user_auth_plugin: { token },
      _context_user_identity: token,
      _context_user_id: { token },
      _context_remote_address: [token],
      _context_roles: [token],
      [`_context_${token}`]: token,
    };
    for (const written of [v1(hostile), v2(hostile)]) {
      const { actor, ...rest } = notificationOf(decodeBody(encode(written)));
      assert.deepEqual(Object.keys(actor), Object.keys(NOBODY));
      assert.deepEqual(Object.keys(rest), ["messageId", "eventType", "publisherId", "time", "payload"]);
      assert.ok(!JSON.stringify({ actor, rest }).includes(token));
    }
  }
});

Deno.test("admit() keeps nothing of the captured messages that hold a valid token", () => {
  const withToken = readSamples().filter(({ sample }) => sample.wire_body.includes("gAAAA"));
  assert.deepEqual(withToken.map(({ name }) => name), [
    "compute_task.build_instances",
    "scheduler.select_destinations.end",
    "scheduler.select_destinations.start",
  ]);
  for (const { sample } of withToken) {
    const body = encode(sample.wire_body);
    assert.deepEqual(admit({ body, compression: null }, WATCHED_EVENT_TYPES), {
      ignored: "not an event type that is handled",
    });
    // Its payload has the token: whoever decodes an unwanted message must not show it.
    const { payload, ...rest } = notificationOf(decodeBody(body));
    assert.ok(JSON.stringify(payload).includes("gAAAA"));
    assert.ok(!JSON.stringify(rest).includes("gAAAA"));
  }
});

function v1(message: unknown): string {
  return JSON.stringify(message);
}

function v2(message: unknown): string {
  return JSON.stringify({ "oslo.version": "2.0", "oslo.message": JSON.stringify(message) });
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function notificationOf(decoded: Decoded): Notification {
  assert.ok("notification" in decoded, "refused" in decoded ? decoded.refused : "");
  return decoded.notification;
}
