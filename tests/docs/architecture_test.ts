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

Deno.test("docs/ARCHITECTURE.md draws every room, and no import that tools/check_deps.ts forbids", () => {
  const { names, arrows } = drawn("The rooms");
  assert.deepEqual(
    Object.keys(ALLOWED).filter((part) => !UNSAID.includes(part)).sort(),
    [...names.values()].map((label) => label.replace(/:.*/, "")).sort(),
  );
  const rooms = new Map([...names].map(([name, label]) => [name, label.replace(/:.*/, "")]));
  for (const [from, to] of arrows) {
    const [importer, imported] = [rooms.get(from) ?? from, rooms.get(to) ?? to];
    assert.ok(ALLOWED[importer]?.includes(imported), `${importer} --> ${imported}`);
  }
});

Deno.test("docs/ARCHITECTURE.md draws the stages of src/runtime/pipeline.ts in their order", async () => {
  const pipeline = await Deno.readTextFile(new URL("src/runtime/pipeline.ts", TOP));
  const stages = /RabbitMQ ─▶ 1 (\w+) ─+▶ 2 (\w+) ─+▶ 3 (\w+) ─+▶ 4 (\w+) ─+▶ (\S+)/.exec(pipeline)?.slice(1) ?? [];
  assert.equal(stages.length, 5);
  const { names, arrows } = drawn("The flow");
  stages.slice(0, 4).forEach((stage, index) =>
    assert.match(names.get(stage) ?? "", new RegExp(`^${index + 1} ${stage}:`))
  );
  for (const arrow of ["rabbit", ...stages.slice(0, 4)].map((stage, index) => [stage, stages[index] ?? ""])) {
    const [from, to] = arrow.map((name) => name.startsWith("plugin.notify") ? "notify" : name);
    assert.ok(arrows.some((drawn) => drawn[0] === from && drawn[1] === to), `${from} --> ${to}`);
  }
  for (const stage of stages.slice(0, 4)) assert.ok(await Deno.stat(new URL(`src/${stage}`, TOP)));
});

/** The boxes (name and label) and arrows of the Mermaid diagram of a section. */
function drawn(section: string): {
  readonly names: ReadonlyMap<string, string>;
  readonly arrows: readonly (readonly [from: string, to: string])[];
} {
  const [, diagram = ""] = new RegExp(`^## ${section}$[^]*?\`\`\`mermaid\\n([^]*?)\`\`\``, "m").exec(ARCHITECTURE) ??
    [];
  assert.notEqual(diagram, "", section);
  const names = new Map<string, string>();
  const arrows: (readonly [string, string])[] = [];
  for (const line of diagram.split("\n").filter((line) => !/^\s*subgraph\b/.test(line))) {
    for (const [, name = "", label = ""] of line.matchAll(/(\w+)\["?(.*?)"?\](?=\s|$)/g)) names.set(name, label);
    const chain = line.replaceAll(/\[.*?\](?=\s|$)/g, "").trim().split(/\s*-->\s*/);
    chain.slice(1).forEach((to, index) => arrows.push([chain[index] ?? "", to]));
  }
  return { names, arrows };
}

/** Told in other words: they stand outside of the house. */
const UNSAID = ["config.ts"];

function namesIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, name = ""]) => [name, name.replace("src/", "")])
    .concat([...cell.matchAll(/(?<=, )(\w+)\b/g)].map(([, name = ""]) => name));
}
