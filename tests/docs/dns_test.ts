import assert from "node:assert/strict";
import { tool } from "../support/tool.ts";

const TEXT = await Deno.readTextFile(new URL("../../docs/DNS.md", import.meta.url));
const SECRET = "czNjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXMzYw==";

/** The first block of code that holds a text, with a secret in the place of the dots. */
function blockWith(text: string): string {
  const blocks = [...TEXT.matchAll(/^```\w*\n([^]*?)^```$/gm)].map(([, block = ""]) => block);
  return (blocks.find((block) => block.includes(text)) ?? "").replaceAll("…", SECRET);
}

for (
  const [name, program, text] of [["BIND", "named-checkconf", "update-policy"], ["Knot DNS", "knotc", "acl:"]] as const
) {
  Deno.test(`docs/DNS.md has a configuration that ${name} takes`, async () => {
    const file = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(file, blockWith(text));
      const args = program === "knotc" ? ["-c", file, "conf-check"] : [file];
      const { success, output } = await tool(program, args);
      assert.ok(success, output);
    } finally {
      await Deno.remove(file);
    }
  });
}

for (const file of ["dns_options", "powerdns_options", "designate_options"]) {
  Deno.test(`docs/DNS.md names every option of plugins/${file}.ts`, async () => {
    const options = await Deno.readTextFile(new URL(`../../plugins/${file}.ts`, import.meta.url));
    const names = [...options.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = ""]) => name);
    assert.ok(names.length >= 2);
    assert.deepEqual(names.filter((name) => name !== "name" && !new RegExp(`\\b${name}\\b`).test(TEXT)), []);
  });
}
