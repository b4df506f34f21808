import assert from "node:assert/strict";
import * as main from "oss-watcher";
import * as kit from "oss-watcher/kit";
import * as plugins from "oss-watcher/plugins";
import project from "../../deno.json" with { type: "json" };

const TOP = new URL("../../", import.meta.url);
const DOORS = Object.entries(project.imports).filter(([name]) => name.startsWith("oss-watcher"));

Deno.test("oss-watcher exports what config.ts and every plugin need, and no tools", () => {
  assert.deepEqual(Object.keys(main).sort(), [
    "DeliveryError",
    "PermanentError",
    "credential",
    "env",
    "file",
    "vault",
    "when",
  ]);
});

Deno.test("docs/WRITING_PLUGINS.md names all that oss-watcher/kit exports, and nothing that is not there", async () => {
  const text = await Deno.readTextFile(new URL("docs/WRITING_PLUGINS.md", TOP));
  const [, table = ""] = /^The built-in plugins are made with[^]*?(^\|[^]*?)\n\n/m.exec(text) ?? [];
  const named = [...table.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  const more = ["RETURNS_TEXT", "WEBHOOK_HEADERS", "isBodyFormat", "isWebhookSecret"];
  assert.deepEqual([...named, ...more].sort(), Object.keys(kit).sort());
});

Deno.test("no name is exported by two doors", () => {
  const names = [main, kit, plugins].flatMap((door) => Object.keys(door));
  assert.deepEqual(names, [...new Set(names)]);
});

for (const task of ["check", "docs"] as const) {
  Deno.test(`deno task ${task} reads the documentation of each door`, () => {
    const { command } = project.tasks[task];
    for (const [name, file] of DOORS) assert.ok(command.includes(` ${file.slice(2)}`), name);
  });
}
