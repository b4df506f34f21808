import assert from "node:assert/strict";
import { EXIT_CODES } from "../../src/cli/exit_codes.ts";

Deno.test("docs/OPERATIONS.md has the exit codes of all commands", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/OPERATIONS.md", import.meta.url));
  const [, table = ""] = /\n## Exit codes\n[^|]*\| code \| \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(text) ?? [];
  const rows = table.trim().split("\n").map((row) =>
    row.replace(/^\| (.*) \|$/, "$1").replaceAll("\\|", "¦").split(" | ")
  );
  assert.deepEqual(rows, EXIT_CODES.map(([code, meaning]) => [String(code), meaning.replaceAll("|", "¦")]));
});
