import assert from "node:assert/strict";
import { eventChanges } from "../../src/wire/event_changes.ts";
import { eventHtml, eventRows, eventText, eventTitle } from "../../src/wire/event_text.ts";
import { HOSTILE_TEXTS } from "../../src/testing/mod.ts";
import { context, detail, updateContext } from "../plugins/notification.ts";

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

Deno.test("eventTitle() says that a server changed", () => {
  assert.equal(eventTitle(detail, true, updateContext()), "Server changed: fake.hostname.com");
});

for (
  const [what, before, after, shown] of [
    ["a text", "web-1", "web-2", ["web-1", "web-2"]],
    ["what was unknown", null, 5, ["", "5"]],
    ["items of an object", { a: "1", b: "2", c: "3" }, { a: "1", b: "4" }, ["b: 2, c: 3", "b: 4"]],
    ["items of a list", ["a", "b"], ["b"], ["a", ""]],
    ["the order of a list", ["a", "b"], ["b", "a"], ["a, b", "b, a"]],
    ["how often an item is there", ["a", "a"], ["a"], ["a, a", "a"]],
    ["objects in a list", [{ ip: "1", v: 4 }, { ip: "2", v: 4 }], [{ ip: "2", v: 4 }], ["ip: 1, v: 4", ""]],
    ["the type", { a: "1" }, ["1"], ["a: 1", "1"]],
    ["a key of a prototype", JSON.parse(`{"__proto__":"x"}`), {}, ["__proto__: x", ""]],
  ] as const
) {
  Deno.test(`eventChanges() shows ${what}, before and after`, () => {
    const facts = { before: { ...detail, Extra: before }, changed: ["Extra"] };
    const [change] = eventChanges({ ...detail, Extra: after }, facts);
    assert.deepEqual(change, { key: "Extra", before: shown[0], after: shown[1] });
  });
}

Deno.test("eventChanges() takes no member of a prototype for a value", () => {
  const changed = ["__proto__", "constructor", "toString"];
  for (const { before, after } of eventChanges(detail, { before: detail, changed })) {
    assert.deepEqual([before, after], ["", ""]);
  }
});

Deno.test("eventText() and eventHtml() of an update keep one line per value, whatever tenants write", () => {
  for (const text of Object.values(HOSTILE_TEXTS)) {
    const [before, after] = [{ ...detail, Owner: text, [text]: null }, {
      ...detail,
      Owner: "b",
      [text]: { [text]: text },
    }];
    const facts = updateContext({ before, changed: ["Owner", text] });
    const [, changes = ""] = eventText(after, true, facts).split("\n\n");
    const lines = changes.split("\n");
    assert.equal(lines.length, 6, text);
    for (const line of lines) assert.ok(line.length <= 1010 && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(line), line);
    const html = eventHtml(after, true, facts);
    assert.doesNotMatch(html, /<(?!\/?(?:!DOCTYPE|html|head|meta|title|body|p|hr|table|tr|th|td)[ >])/);
  }
});
