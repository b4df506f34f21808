import assert from "node:assert/strict";
import { COMMANDS } from "../../src/cli/commands.ts";
import { manPages } from "../../tools/man_pages.ts";
import { roffLiteral, roffText } from "../../tools/roff.ts";
import { ProgramDirectory, runProgram } from "../support/program.ts";

const pages = await manPages({ date: "2026-11-21" });

Deno.test("there is a manual page of the program and of each command", () => {
  assert.deepEqual([...pages.keys()], [
    "oss-watcher.1",
    ...COMMANDS.map(({ name }) => `oss-watcher-${name}.1`),
  ]);
});

for (const [name, text] of pages) {
  Deno.test(`${name} is right for mandoc and man`, async () => {
    using dir = new ProgramDirectory({ [name]: text });
    assert.deepEqual(await run(dir, "mandoc", "-T", "lint", "-W", "style", name), { code: 0, out: "", err: "" });
    const { code, err } = await run(dir, "man", "--warnings", "-l", name);
    assert.deepEqual([code, err], [0, ""]);
    const title = await run(dir, "lexgrog", name);
    assert.match(title.out, new RegExp(`"${name.slice(0, -2)} - [a-z][^\\n]*"$`, "m"));
  });

  Deno.test(`${name} says all that --help says`, async () => {
    using dir = new ProgramDirectory({ [name]: text });
    const words = name === "oss-watcher.1" ? [] : [name.replace(/^oss-watcher-(.*)\.1$/, "$1")];
    const { out: help } = await runProgram({ dir: dir.path(), args: [...words, "--help"] });
    const page = wordsOf((await run(dir, "man", "-l", name)).out);
    for (const text of textsOf(help)) assert.ok(page.includes(wordsOf(text)), text);
  });
}

Deno.test("oss-watcher-events.1 has the commands below it, with all of their own options", async () => {
  using dir = new ProgramDirectory({ "events.1": pages.get("oss-watcher-events.1")! });
  const { out } = await run(dir, "man", "-l", "events.1");
  const [, show = ""] = /^ {3}oss-watcher events show$(.*?)^ {3}oss-watcher events replay$/ms.exec(out) ?? [];
  assert.deepEqual([...show.matchAll(/^ {7}(--\w+)/gm)].map(([, option]) => option), ["--json", "--ledger"]);
});

Deno.test("roff shows every character as it is", async () => {
  const lines = [
    ".TH of a line",
    "'br of a line",
    "a\\fBb\\n \\\\",
    "--a-b - c",
    `"q" 'q' \`q\` ^ ~ # $ % & @`,
    "server/…/creation – é 東",
    "...",
    "\\&.",
  ];
  const source = [".TH X 1 2026-11-21", ".SH NAME", "x \\- y", ".SH DESCRIPTION", ...roffLiteral(lines)];
  using dir = new ProgramDirectory({
    "x.1": `${source.join("\n")}\n`,
    "y.1": `.TH X 1 2026-11-21\n.nh\n.ad l\n.SH NAME\nx \\- y\n.SH DESCRIPTION\n${
      roffText(lines.join(" ")).join("\n")
    }\n`,
  });
  for (const [program, ...options] of [["man", "-l"], ["mandoc", "-T", "utf8"]] as const) {
    const literal = (await run(dir, program, ...options, "x.1")).out;
    for (const line of lines) assert.ok(literal.split("\n").some((one) => one.trim() === line), `${line}\n${literal}`);
    const filled = (await run(dir, program, ...options, "y.1")).out;
    assert.ok(wordsOf(filled).includes(wordsOf(lines.join(" "))), filled);
  }
});

async function run(dir: ProgramDirectory, program: string, ...args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: dir.path(),
    env: { LC_ALL: "C.UTF-8", MANWIDTH: "100", MANROFFOPT: "", MAN_KEEP_FORMATTING: "" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll(/.[\b]/g, "");
  return { code, out: text(stdout), err: text(stderr) };
}

/** Each option, argument, meaning, example and paragraph of a help. */
function textsOf(help: string): readonly string[] {
  const joined = help.replaceAll(/\n {20,}(?=\S)/g, " ").replace(/^Usage:.*$/m, "");
  return joined.split(/\n\s*\n/).flatMap((block) => {
    if (block.startsWith("Exit codes:")) return block.replace("Exit codes:", "").split(/[;.]/).map((one) => one.trim());
    const isList = /^ {2}/m.test(block);
    const items = block.split("\n").slice(isList ? 1 : 0);
    if (!isList) return [items.join(" ")];
    const columns = items.map((line) => line.trim().split(/ {2,}/));
    // Commands below a command have their whole description instead of the summary.
    const isBelow = block.startsWith("Commands:") && !/^ {2}completion /m.test(block);
    return isBelow ? columns.map(([name = ""]) => name) : columns.flat();
  }).filter((text) => text !== "" && text !== "help" && text !== "show the help of a command");
}

/** Without breaks of lines, and without the brackets that a value has in the help alone. */
function wordsOf(text: string): string {
  return text.replaceAll(/[<>]/g, "").replaceAll(/\s+/g, " ").trim();
}
