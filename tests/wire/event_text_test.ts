import assert from "node:assert/strict";
import { eventRows, eventTitle } from "../../src/wire/event_text.ts";
import { context, detail } from "../plugins/notification.ts";

for (
  const [created, subject, title] of [
    [true, "server", "Server created: fake.hostname.com"],
    [false, "server", "Server deleted: fake.hostname.com"],
    [true, "floatingip", "Floating IP associated: 172.18.66.54 with fake.hostname.com"],
    [false, "floatingip", "Floating IP released: 172.18.66.54 from fake.hostname.com"],
  ] as const
) {
  Deno.test(`eventTitle() is "${title}"`, () => {
    assert.equal(eventTitle(detail, created, context({ subject })), title);
  });
}

Deno.test("eventTitle() names a server by its id when it has no hostname, and says when it has neither", () => {
  assert.equal(eventTitle({ ...detail, FQDN: null }, true, context()), `Server created: ${detail.ID}`);
  assert.equal(
    eventTitle({ ...detail, FQDN: null, ID: "" }, true, context()),
    "Server created: a server without a name",
  );
});

Deno.test("eventTitle() and eventRows() are short lines, whatever tenants write", () => {
  const text = "a\r\n\0\x1b[2J\u202e\u2028\ud800".repeat(8_000);
  const hostile = {
    ...detail,
    FQDN: text,
    Metadata: JSON.parse(`{"__proto__": "x", "k\\n": ${JSON.stringify(text)}}`),
  };
  const rows = eventRows({ ...hostile, [text]: text }, context({ key: text }));
  for (const line of [eventTitle(hostile, true, context()), ...rows.flat()]) {
    assert.ok(line.length <= 1000);
    assert.doesNotMatch(line, /\p{C}|\p{Zl}/u);
  }
  assert.match(new Map(rows).get("Metadata") ?? "", /^__proto__: x, k\\u\{a\}: a/);
});

Deno.test("eventRows() show what is known, also of what lacks", () => {
  const addresses = [{ address: "10.0.0.1", mac: null, type: "fixed", network: "private", version: 4 }];
  const facts = context({ creationSeen: false, missing: ["UserName", "ImageID"] });
  const rows = new Map(eventRows({ ...detail, Addresses: [...addresses, ...addresses], Extra: { a: [1, 2] } }, facts));
  const shown = "address: 10.0.0.1, type: fixed, network: private, version: 4";
  assert.equal(rows.get("Addresses"), `${shown}; ${shown}`);
  assert.equal(rows.get("Extra"), "a: 1, 2");
  assert.equal(rows.get("Could not be had"), "UserName, ImageID");
  assert.equal(
    rows.get("Event"),
    "compute.instance.create.end at 2026-11-21T18:59:38.385Z; its beginning was not seen",
  );
  assert.equal(rows.has("ImageID"), false);
});
