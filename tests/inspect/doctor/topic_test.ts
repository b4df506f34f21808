import assert from "node:assert/strict";
import fc from "fast-check";
import { topicMatches } from "../../../src/inspect/doctor/topic.ts";

Deno.test("topicMatches() reads * as one word and # as any number", () => {
  const matching = [
    ["notifications.info", "notifications.info"],
    ["*.info", "notifications.info"],
    ["#.info", "info"],
    ["#.info", "a.b.info"],
    ["#", ""],
    ["a.#.b.*", "a.b.b.c"],
  ] as const;
  for (const [pattern, key] of matching) assert.ok(topicMatches(pattern, key), `${pattern} ${key}`);
  const others = [["*.info", "info"], ["*.info", "a.b.info"], ["notifications.*", "notifications"], ["", "a"]] as const;
  for (const [pattern, key] of others) assert.ok(!topicMatches(pattern, key), `${pattern} ${key}`);
});

Deno.test("topicMatches() agrees with a regular expression", () => {
  const words = (word: fc.Arbitrary<string>) => fc.array(word, { minLength: 1, maxLength: 5 });
  const word = fc.constantFrom("a", "b", "");
  fc.assert(fc.property(words(fc.oneof(word, fc.constantFrom("*", "#"))), words(word), (pattern, key) => {
    // Each word with a dot before it, so that none at all is nothing at all.
    const source = pattern.map((part) => part === "#" ? "(?:\\.[^.]*)*" : part === "*" ? "\\.[^.]*" : `\\.${part}`);
    const expected = new RegExp(`^${source.join("")}$`).test(key.map((part) => `.${part}`).join(""));
    assert.equal(topicMatches(pattern.join("."), key.join(".")), expected);
  }));
});
