import assert from "node:assert/strict";
import { mailAddress, mailDomain } from "../../../src/wire/smtp/mail_address.ts";
import { cpuMs } from "../../support/cpu.ts";

Deno.test("mailAddress() gives the ASCII form of the domain", () => {
  assert.deepEqual(mailAddress("Anna.O'Hara+x=1@Müller.Example"), {
    address: "Anna.O'Hara+x=1@xn--mller-kva.example",
    domain: "xn--mller-kva.example",
  });
});

Deno.test("mailAddress() decides quickly on long texts", () => {
  for (const text of ["a".repeat(1e6), `${"a.".repeat(5e5)}@b.c`, `a@${"b.".repeat(5e5)}`, "@".repeat(1e6)]) {
    const startedAt = cpuMs();
    assert.equal(mailAddress(text), undefined);
    assert.ok(cpuMs() - startedAt < 1000);
  }
  assert.equal(mailAddress(`${"a".repeat(63)}!@example.com`), undefined);
});

for (
  const [text, domain] of [
    ["example.com", "example.com"],
    ["localhost", "localhost"],
    ["EXAMPLE.Com", "example.com"],
    ["xn--mller-kva.example", "xn--mller-kva.example"],
    ["ｅxample.com", "example.com"],
    ["еxample.com", "xn--xample-2of.com"],
    ["example.com.", undefined],
    ["example..com", undefined],
    ["-example.com", undefined],
    ["ex_ample.com", undefined],
    ["exam\u200dple.com", undefined],
    ["192.0.2.1", undefined],
    ["[192.0.2.1]", undefined],
    ["xn--a", undefined],
    [`${"a".repeat(64)}.com`, undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`mailDomain() of ${JSON.stringify(text)} is ${domain}`, () => assert.equal(mailDomain(text), domain));
}
