import assert from "node:assert/strict";
import { bashReplacement, readBashLine } from "../../src/cli/bash_line.ts";

const BREAKS = " \t\n\"'><=;|&(:";

for (
  const [line, words, current, kept] of [
    ["oss-watcher ", [], "", 0],
    ["oss-watcher ev", [], "ev", 0],
    ["oss-watcher  events   sh", ["events"], "sh", 0],
    ["oss-watcher events --state=de", ["events"], "--state=de", 8],
    ["oss-watcher events show a:b", ["events", "show"], "a:b", 2],
    ["oss-watcher -c 'my file' ", ["-c", "my file"], "", 0],
    ["oss-watcher -c my\\ fi", ["-c"], "my fi", 0],
    ["oss-watcher -c 'my fi", ["-c"], "my fi", 0],
    ['oss-watcher -c a"my fi', ["-c"], "amy fi", 1],
    ['oss-watcher -c "a\\"b\\c" x', ["-c", 'a"b\\c'], "x", 0],
    ["oss-watcher -c '' $(touch x", ["-c", "", "$(touch"], "x", 0],
    ["oss-watcher a\\", [], "a", 0],
  ] as const
) {
  Deno.test(`readBashLine() reads ${line}`, () => {
    const { isQuoted: _, ...read } = readBashLine(line, BREAKS);
    assert.deepEqual(read, { words, current, kept });
  });
}

for (
  const [line, text, expected] of [
    ["oss-watcher a", "a b", "a\\ b"],
    ["oss-watcher a", "a$(b)`c`", "a\\$\\(b\\)\\`c\\`"],
    ["oss-watcher x=a", "x=a'b", "a\\'b"],
    ["oss-watcher 'a", "a/b-1", "a/b-1"],
    ["oss-watcher 'a", "a b", null],
    ['oss-watcher "a', "a$b", null],
    ["oss-watcher ", "~root", "\\~root"],
    ["oss-watcher ", "東京", "東京"],
  ] as const
) {
  Deno.test(`bashReplacement() completes ${line} to ${text} by ${expected}`, () => {
    assert.equal(bashReplacement(text, readBashLine(line, BREAKS)), expected);
  });
}

Deno.test("readBashLine() keeps nothing at characters that are no COMP_WORDBREAKS", () => {
  assert.equal(readBashLine("oss-watcher events --state=a:b", " ").kept, 0);
});
