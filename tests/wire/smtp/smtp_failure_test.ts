import assert from "node:assert/strict";
import { SmtpFailures } from "../../../src/wire/smtp/smtp_failure.ts";

Deno.test("shown() hides a secret with several blanks, and shows an answer of several lines as one", () => {
  const failures = new SmtpFailures(["hush  4711 of us"]);
  assert.equal(failures.shown("535-who is that\r\n535 with hush  4711 of us?\r\n"), "535-who is that 535 with ***?");
});
