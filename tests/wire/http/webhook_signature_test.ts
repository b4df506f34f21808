import assert from "node:assert/strict";
import { isWebhookSecret, webhookHeaders } from "../../../src/wire/http/webhook_signature.ts";

// The example that the libraries of Standard Webhooks are tested with.
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const MESSAGE = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timeMs: 1614265330000, body: '{"test": 2432232314}' };
const SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

Deno.test("webhookHeaders() gives the signature of the standard's example", () => {
  assert.deepEqual(webhookHeaders(MESSAGE, [SECRET]), {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": SIGNATURE,
  });
});

Deno.test("webhookHeaders() gives a signature for each secret, in their order, when there are several", () => {
  const other = `whsec_${btoa("another key of 29 random bytes")}`;

  const signature = (secrets: string[]) => webhookHeaders(MESSAGE, secrets)["webhook-signature"] ?? "";

  assert.equal(signature([other, SECRET]), `${signature([other])} ${SIGNATURE}`);
  assert.equal(signature([SECRET, other]), `${SIGNATURE} ${signature([other])}`);
});

Deno.test("webhookHeaders() drops parts of a second", () => {
  const headers = webhookHeaders({ ...MESSAGE, timeMs: 1614265330999 }, [SECRET]);
  assert.equal(headers["webhook-signature"], SIGNATURE);
});

Deno.test("webhookHeaders() lets no full stop of an id pass for the one that ends it", () => {
  const parts = { id: "a.1614265330", timeMs: 1614265330000, body: "" };
  const whole = { id: "a", timeMs: 1614265330000, body: "1614265330." };

  const [one, other] = [webhookHeaders(parts, [SECRET]), webhookHeaders(whole, [SECRET])];

  assert.equal(one["webhook-id"], "a%2E1614265330");
  assert.notEqual(one["webhook-signature"], other["webhook-signature"]);
});

for (
  const [what, secret, right] of [
    ["24 bytes", SECRET, true],
    ["64 bytes", `whsec_${btoa("x".repeat(64))}`, true],
    ["23 bytes", `whsec_${btoa("x".repeat(23))}`, false],
    ["65 bytes", `whsec_${btoa("x".repeat(65))}`, false],
    ["no prefix", SECRET.slice(6), false],
    ["another prefix", `whsk_${SECRET.slice(6)}`, false],
    ["URL-safe base64", `whsec_${"-_".repeat(16)}`, false],
    ["base64 that ends too early", `whsec_${"A".repeat(33)}`, false],
    ["no text", 7, false],
  ] as const
) {
  Deno.test(`isWebhookSecret() is ${right} for ${what}`, () => assert.equal(isWebhookSecret(secret), right));
}

Deno.test("webhookHeaders() throws, without the secret, when it is none", () => {
  for (const secrets of [[], ["whsec_s3cret"], [SECRET, "s3cret"]]) {
    assert.throws(
      () => webhookHeaders(MESSAGE, secrets),
      (error: unknown) => error instanceof TypeError && !error.message.includes("s3cret"),
    );
  }
});
