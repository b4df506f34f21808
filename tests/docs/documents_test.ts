import assert from "node:assert/strict";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const TOP = fileURLToPath(new URL("../..", import.meta.url));
/** Folders that readers have beside their config.ts, too. */
const OF_THE_READER = ["plugins/", "samples/"];
const RECORDS = "docs/decisions";

const documents = new Map(
  await Promise.all(
    [
      ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "samples/README.md"],
      ...filesOf("docs").filter((name) => name.endsWith(".md")),
      ...filesOf(RECORDS),
    ].map(async (path) => [path, await Deno.readTextFile(join(TOP, path))] as const),
  ),
);

for (const [path, most] of [["README.md", 200], ["docs/ARCHITECTURE.md", 150]] as const) {
  Deno.test(`${path} has at most ${most} lines`, () => {
    assert.ok(textOf(path).trimEnd().split("\n").length <= most);
  });
}

for (const [path, text] of documents) {
  // Written over years, and read by version: its lines stay as they were.
  if (path === "CHANGELOG.md") continue;
  Deno.test(`${path} has no line over 100 characters, but for tables, code and links`, () => {
    assert.deepEqual(proseOf(text).filter((line) => [...line].length > 100), []);
  });
}

Deno.test("documents name no file that is not there", async () => {
  for (const [path, text] of documents) {
    if (!path.startsWith("docs/")) continue;
    const named = text.matchAll(/`((?:src|tests|tools|plugins|bench|samples|templates|packaging)\/[\w/.-]+)`/g);
    for (const [, file = ""] of named) {
      const isReaders = OF_THE_READER.some((folder) => file.startsWith(folder)) && path !== "docs/ARCHITECTURE.md";
      assert.ok(isReaders || await exists(join(TOP, file)), `${path}: ${file}`);
    }
  }
});

Deno.test("documents link to files and headings that are there", async () => {
  for (const [path, text] of documents) {
    for (const [, target = ""] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = "", heading] = target.split("#");
      const linked = file === "" ? path : normalize(join(dirname(path), file));
      assert.ok(await exists(join(TOP, linked)), `${path}: ${target}`);
      if (heading !== undefined) assert.ok(headingsOf(textOf(linked)).includes(heading), `${path}: ${target}`);
    }
  }
});

Deno.test("every record has a number of its own, a context, a decision and consequences", () => {
  const records = filesOf(RECORDS).filter((path) => !path.endsWith("README.md"));
  const numbers = records.map((path) => /\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1]);
  assert.equal(new Set(numbers).size, records.length);
  for (const [index, path] of records.entries()) {
    const headings = [...textOf(path).matchAll(/^##? (.*)$/gm)].map(([, heading = ""]) => heading);
    assert.ok(headings[0]?.startsWith(`${numbers[index]}`), path);
    assert.deepEqual(headings.slice(1), ["Context", "Decision", "Consequences"], path);
    assert.ok(textOf(`${RECORDS}/README.md`).includes(`(${path.slice(RECORDS.length + 1)})`), `${path} is not listed`);
  }
});

function textOf(path: string): string {
  const text = documents.get(path);
  assert.ok(text !== undefined, path);
  return text;
}

function filesOf(folder: string): readonly string[] {
  return [...Deno.readDirSync(join(TOP, folder))].filter(({ isFile }) => isFile).map(({ name }) => `${folder}/${name}`)
    .sort();
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

/** Without blocks of code, fenced or indented, and without code within a line. */
function withoutCode(text: string): string {
  return text.replaceAll(/^```[^]*?^```$/gm, "").replaceAll(/^ {4}.*$/gm, "").replaceAll(/`[^`\n]*`/g, "");
}

/**
 * Lines that somebody could have broken: a link's address and a span of code count as one
 * character.
 */
function proseOf(text: string): readonly string[] {
  return text.replaceAll(/^```[^]*?^```$/gm, "").split("\n")
    .filter((line) => !/^(\|| {4}|- Cannot )/.test(line))
    .map((line) => line.replaceAll(/\]\([^)]*\)/g, "]").replaceAll(/`[^`]*`/g, "`"));
}

/** The anchors of headings, as GitHub makes them. */
function headingsOf(text: string): readonly string[] {
  return [...text.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")
  );
}
