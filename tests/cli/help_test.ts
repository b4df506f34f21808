import assert from "node:assert/strict";
import { COMMANDS } from "../../src/cli/commands.ts";
import { ProgramDirectory, runProgram } from "../support/program.ts";
import { matchesSnapshot } from "../support/snapshot.ts";

const WIDTH = 80;

/** Every command, with those below it. */
const ALL = [
  [],
  ...COMMANDS.map(({ name }) => [name]),
  ["new", "plugin"],
  ["events", "show"],
  ["events", "replay"],
  ["events", "drop"],
  ["plugins", "try"],
  ["plugins", "pause"],
  ["plugins", "resume"],
  ["ledger", "copy"],
  ["queue", "remove"],
  ["config", "show"],
  ["config", "schema"],
];

for (const words of ALL) {
  const name = words.join(" ");

  Deno.test(`oss-watcher ${name} --help is what its snapshot says, within ${WIDTH} columns, with an example`, async () => {
    using dir = new ProgramDirectory({});
    const { code, out, err } = await runProgram({ dir: dir.path(), args: [...words, "--help"] });
    assert.deepEqual([code, err], [0, ""]);
    assert.deepEqual(out.split("\n").filter((line) => [...line].length > WIDTH), []);
    assert.match(out, /^Examples?:\n {2}/m);
    await matchesSnapshot(out, new URL(`snapshots/help/${words.join("_") || "oss-watcher"}.txt`, import.meta.url));
  });
}

Deno.test("every command says in its list what it is for, in one line each", async () => {
  using dir = new ProgramDirectory({});
  const { out } = await runProgram({ dir: dir.path(), args: ["--help"] });
  for (const { name, summary } of COMMANDS) assert.match(out, new RegExp(`^  ${name} +${summary}$`, "m"));
});

for (const { name } of COMMANDS) {
  Deno.test(`a misspelt ${name} gets a suggestion, with exit code 2`, async () => {
    using dir = new ProgramDirectory({});
    const misspelt = `${name.slice(0, 1)}${name.slice(2)}`;
    const { code, out, err } = await runProgram({ dir: dir.path(), args: [misspelt] });
    assert.deepEqual([code, out], [2, ""]);
    assert.match(
      err,
      /^Cannot run "[\w-]+": unknown command(; did you mean "[\w-]+"\?)? \(see oss-watcher --help\)\n$/,
    );
    if (name.length > 3) assert.match(err, /did you mean/);
  });
}

Deno.test("help of a misspelt command gets a suggestion, with exit code 2", async () => {
  using dir = new ProgramDirectory({});
  const { code, out, err } = await runProgram({ dir: dir.path(), args: ["help", "docter"] });
  assert.deepEqual([code, out], [2, ""]);
  assert.equal(
    err,
    'Cannot show the help of "docter": unknown command; did you mean "doctor"? (see oss-watcher --help)\n',
  );
});

Deno.test("help COMMAND and COMMAND --help are the same", async () => {
  using dir = new ProgramDirectory({});
  const [one, other] = await Promise.all([["help", "tail"], ["tail", "--help"]].map((args) => {
    return runProgram({ dir: dir.path(), args });
  }));
  assert.deepEqual(one, other);
});
