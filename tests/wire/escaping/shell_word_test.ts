import fc from "fast-check";
import assert from "node:assert/strict";
import { shellWord } from "../../../src/wire/escaping/shell_word.ts";

Deno.test("shellWord() leaves words without special characters as they are", () => {
  for (const word of ["RestNotify", "/var/lib/ledger.db", "a@b:5432"]) assert.equal(shellWord(word), word);
  assert.equal(shellWord("my chat"), "'my chat'");
});

Deno.test("a shell reads any text that shellWord() has quoted as one word, unchanged", async () => {
  // No argument can have a NUL.
  const texts = fc.sample(fc.string({ unit: "binary", maxLength: 20 }).map((text) => text.replaceAll("\0", "")), 200);
  const words = [...texts, "", "'", "''", '$(id) `id` \\ " ! # ~ *', "-n", "a\nb"].map((text) => text.toWellFormed());
  const script = `printf '%s\\0' ${words.map(shellWord).join(" ")}`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();

  assert.deepEqual(new TextDecoder().decode(stdout).split("\0").slice(0, -1), words);
});
