import assert from "node:assert/strict";
import { ProgressLine } from "../../src/cli/progress_line.ts";
import { until } from "../support/until.ts";

Deno.test("ProgressLine shows the last state, also if it came at once after another one", async () => {
  const written: string[] = [];
  const terminal = {
    print() {},
    error() {},
    readInput: () => Promise.reject(),
    status: (text: string) => written.push(text),
  };
  using line = new ProgressLine(terminal);
  for (const text of ["Reading servers", "Asking", "Waiting"]) line.show(text);
  assert.deepEqual(written, ["Reading servers"]);
  await until(() => written.length === 2);
  line.show("Asking again");
  line.clear();
  assert.deepEqual(written, ["Reading servers", "Waiting", ""]);
});
