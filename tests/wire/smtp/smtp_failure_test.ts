import assert from "node:assert/strict";
import { SmtpFailures } from "../../../src/wire/smtp/smtp_failure.ts";

Deno.test("shown() hides a secret with several blanks, and shows an answer of several lines as one", () => {
  const failures = new SmtpFailures(["hush  4711 of us"]);
  assert.equal(failures.shown("535-who is that\r\n535 with hush  4711 of us?\r\n"), "535-who is that 535 with ***?");
});

Deno.test("failed() says of a name with several addresses why each of them fails", () => {
  const errors = ["::1", "127.0.0.1"].map((address) => new Error(`connect ECONNREFUSED ${address}:25`));
  const error = Object.assign(new AggregateError(errors), { code: "ESOCKET", command: "CONN" });

  const failure = new SmtpFailures([]).failed("Cannot log in at localhost:25", error);

  assert.equal(
    failure.message,
    "Cannot log in at localhost:25: connect ECONNREFUSED ::1:25, connect ECONNREFUSED 127.0.0.1:25",
  );
});

Deno.test("failed() says what to do when the server does not know us", () => {
  const error = Object.assign(new Error("Invalid login: 535 5.7.8 bad"), { code: "EAUTH", responseCode: 535 });

  const { message } = new SmtpFailures([]).failed("Cannot log in at localhost:25", error);

  assert.equal(message, "Cannot log in at localhost:25: Invalid login: 535 5.7.8 bad; check user and password");
});
