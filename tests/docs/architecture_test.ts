import assert from "node:assert/strict";
import { ALLOWED } from "../../tools/check_deps.ts";

const TOP = new URL("../../", import.meta.url);
const ARCHITECTURE = await Deno.readTextFile(new URL("docs/ARCHITECTURE.md", TOP));

Deno.test("docs/ARCHITECTURE.md says who may import whom as tools/check_deps.ts does", () => {
  const [, section = ""] = /^## Who may import whom$([^]*?)^## /m.exec(ARCHITECTURE) ?? [];
  const said = new Map(
    [...section.matchAll(/^\| (`[^|]+) \| ([^|]+) \|$/gm)].flatMap(([, parts = "", allowed = ""]) =>
      namesIn(parts).map((part) => [part, allowed] as const)
    ),
  );
  for (const [part, allowed] of Object.entries(ALLOWED)) {
    const text = said.get(part.replace("src/", "")) ?? said.get(part);
    if (text === undefined) {
      assert.ok(UNSAID.includes(part), `nothing is said of ${part}`);
      continue;
    }
    if (/^all of these/.test(text)) continue;
    const missing = allowed.map((name) => name.replace("src/", "")).filter((name) => !text.includes(name));
    assert.deepEqual(missing, [], `of ${part}: "${text}"`);
  }
});

Deno.test("docs/ARCHITECTURE.md has the drawing of src/runtime/pipeline.ts, in more words", async () => {
  const pipeline = await Deno.readTextFile(new URL("src/runtime/pipeline.ts", TOP));
  const stages = (text: string) =>
    /RabbitMQ ─▶ 1 (\w+) ─+▶ 2 (\w+) ─+▶ 3 (\w+) ─+▶ 4 (\w+) ─+▶ (\S+)/.exec(text)?.slice(1);
  assert.deepEqual(stages(ARCHITECTURE), stages(pipeline));
  for (const stage of stages(ARCHITECTURE)!.slice(0, 4)) assert.ok(await Deno.stat(new URL(`src/${stage}`, TOP)));
});

Deno.test("docs name no file that is not there", async () => {
  for (const { name } of Deno.readDirSync(new URL("docs", TOP))) {
    const text = await Deno.readTextFile(new URL(`docs/${name}`, TOP));
    const paths = [...text.matchAll(/`((?:src|tests|tools|plugins|bench|samples|templates|packaging)\/[\w/.-]+)`/g)];
    for (const [, path = ""] of paths) {
      if (!OF_THE_READER.some((folder) => path.startsWith(folder) && name !== "ARCHITECTURE.md")) {
        assert.ok(await Deno.stat(new URL(path, TOP)).catch(() => false), `${name}: ${path}`);
      }
    }
  }
});

/** Told in other words: they stand outside of the house. */
const UNSAID = ["config.ts"];
/** Folders that readers have beside their config.ts, too. */
const OF_THE_READER = ["plugins/", "samples/"];

function namesIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, name = ""]) => [name, name.replace("src/", "")])
    .concat([...cell.matchAll(/(?<=, )(\w+)\b/g)].map(([, name = ""]) => name));
}
