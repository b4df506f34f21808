import assert from "node:assert/strict";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";

for (
  const { args, err } of [
    {
      args: ["init", "file"],
      err: `Cannot write "file/config.ts": a part of its path is a file. Name another place\n`,
    },
    {
      args: ["init", "file/dir"],
      err: `Cannot write "file/dir/config.ts": a part of its path is a file. Name another place\n`,
    },
    {
      args: ["record", "/dev/full", "--seconds", "1"],
      err: `Cannot write "/dev/full": it is no ordinary file. Name one\n`,
    },
  ]
) {
  Deno.test(`${args.join(" ")} says in our words why it cannot be written`, async () => {
    using dir = new ProgramDirectory({
      "file": "mine",
      "config.ts": `export const events = { creation: ["instance.create.end"], deletion: [] };
        export const plugins = [{ name: "Mine", notify() {} }];
        export const rabbit = { host: "127.0.0.1", port: 1, queue: { name: "oss-watcher" } };`,
    });
    assert.deepEqual(await runProgram({ dir: dir.path(), args, permissions: READ_WRITE }), { code: 1, out: "", err });
    assert.equal(Deno.readTextFileSync(dir.path("file")), "mine");
  });
}
