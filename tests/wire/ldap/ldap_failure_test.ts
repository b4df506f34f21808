import assert from "node:assert/strict";
import { LdapFailures } from "../../../src/wire/ldap/ldap_failure.ts";

/** An answer as the library throws it. */
function answer(code: number, said: string): Error {
  return Object.assign(new Error(`${said} Code: 0x${code.toString(16)}`), { code });
}

for (
  const [code, said, reason, text] of [
    [49, "Invalid credentials", "unauthorized", /check bindDn and password/],
    [19, "Exceed password retry limit. Please try later.", "unauthorized", /wait until the server unlocks bindDn/],
    [53, "Account inactivated. Contact system administrator.", "unauthorized", /have bindDn activated/],
    [8, "Strong authentication required", "unauthorized", /use ldaps/],
    [32, "No such object", "unauthorized", /noSuchObject/],
    [52, "The server is shutting down", "server_error", /unavailable \(52\)/],
    [51, "Busy", "server_error", /busy \(51\)/],
  ] as const
) {
  Deno.test(`refused() reads the cause of a bind's ${code} "${said}"`, () => {
    const failure = new LdapFailures([]).refused("Cannot log in at ldap://host", answer(code, said));

    assert.equal(failure.reason, reason);
    assert.match(failure.message, text);
  });
}

for (
  const [code, reason, text] of [
    [4, "server_error", /sizeLimitExceeded \(4\).*; raise the server's limit for bindDn, as docs\/LDAP.md says$/],
    [12, "server_error", /unavailableCriticalExtension \(12\)/],
    [19, undefined, /constraintViolation \(19\): "said"$/],
    [53, "server_error", /unwillingToPerform \(53\): "said"$/],
    [68, "client_error", /entryAlreadyExists \(68\)/],
    [99, "server_error", /result code \(99\)/],
  ] as const
) {
  Deno.test(`failed() reads the cause of an operation's ${code}`, () => {
    const failure = new LdapFailures([]).failed("Cannot add", answer(code, "said"));

    assert.equal("reason" in failure ? failure.reason : undefined, reason);
    assert.match(failure.message, text);
  });
}
