import assert from "node:assert/strict";
import { deletions } from "./history_texts.ts";
import { casesOf } from "./junit_reader.ts";
import { config, FILES, test, updated } from "./tested_histories.ts";

Deno.test("test --junit writes a report that a parser of XML reads, whatever the names", async () => {
  const evil = `a<&"'\u0001\u001b[2J]]>\u202e b`;
  using dir = await updated({ ...FILES, [`tests/${evil}.jsonl`]: deletions([`\u0000<x>\u0007`]) });
  dir.write("config.ts", config().replace(`"goodbye "`, `"so long \\u0000 ]]> <b> "`));
  dir.write("tests/broken.jsonl", "{");
  const { code, out } = await test(dir, ["--junit", "report.xml"]);
  assert.equal(code, 1);
  assert.doesNotMatch(out.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
  const cases = await casesOf(dir.path("report.xml"));
  assert.deepEqual(
    cases.map(({ classname, name, problem }) => [classname, name, problem?.kind ?? null]),
    [
      ["tests", `a<&"'\ufffd\ufffd[2J]]>\u202e b`, "failure"],
      ["tests", "broken", "error"],
      ["tests", "life", "failure"],
      ["tests", "nothing", null],
    ],
  );
  assert.match(cases[2]?.problem?.text ?? "", /- goodbye beam-ctl-01\n +\+ so long \\u\{0\} \]\]> <b> beam-ctl-01\n/);
  assert.equal(cases[2]?.problem?.message, "3 events, 1 changed");
  assert.match(cases[1]?.problem?.text ?? "", /line 1: JSON that is cut off/);
});
