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

for (
  const [said, shape, reason, advice] of [
    [
      "Invalid login: 530 5.7.0 Must issue a STARTTLS command first",
      { code: "EAUTH", responseCode: 530 },
      "unauthorized",
      /set security to "starttls"/,
    ],
    [
      "Mail command failed: 530 5.7.0 Authentication required",
      { code: "EENVELOPE", responseCode: 530, command: "MAIL FROM" },
      "unauthorized",
      /; check user and password$/,
    ],
    [
      "Invalid login: 538 5.7.11 Encryption required for requested authentication mechanism",
      { code: "EAUTH", responseCode: 538 },
      "unauthorized",
      /set security/,
    ],
    [
      "Invalid login: 534 5.7.9 Application-specific password required",
      { code: "EAUTH", responseCode: 534 },
      "unauthorized",
      /another way to log in/,
    ],
    [
      "Can't send mail - all recipients were rejected: 554 5.7.1 <a@b.example>: Relay access denied",
      { code: "EENVELOPE", responseCode: 554, command: "RCPT TO" },
      "unauthorized",
      /let the server relay for us/,
    ],
    [
      "Can't send mail - all recipients were rejected: 550 relay not permitted",
      { code: "EENVELOPE", responseCode: 550, command: "RCPT TO" },
      "unauthorized",
      /relay for us/,
    ],
    [
      "Can't send mail - all recipients were rejected: 554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied",
      { code: "EENVELOPE", responseCode: 554, command: "RCPT TO" },
      "unauthorized",
      /have this machine allowed/,
    ],
    [
      "Can't send mail - all recipients were rejected: 450 4.7.1 Client host rejected: cannot find your hostname",
      { code: "EENVELOPE", responseCode: 450, command: "RCPT TO" },
      "server_error",
      /hostname$/,
    ],
    [
      "Can't send mail - all recipients were rejected: 550 5.1.1 <a@b.example>: User unknown",
      { code: "EENVELOPE", responseCode: 550, command: "RCPT TO" },
      undefined,
      /User unknown$/,
    ],
    [
      "Message failed: 552 5.3.4 Message too big",
      { code: "EMESSAGE", responseCode: 552, command: "DATA" },
      undefined,
      /too big$/,
    ],
  ] as const
) {
  Deno.test(`failed() reads the cause of ${said}`, () => {
    const failure = new SmtpFailures([]).failed("Cannot send", Object.assign(new Error(said), shape));

    assert.equal("reason" in failure ? failure.reason : undefined, reason, failure.message);
    assert.match(failure.message, advice);
  });
}
