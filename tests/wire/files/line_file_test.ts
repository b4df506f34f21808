import assert from "node:assert/strict";
import { LineFile } from "../../../src/wire/files/line_file.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";

Deno.test("append() repairs what it left half when the disk was full", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "whole\nhal");
  {
    await using file = new LineFile(path, "the log");
    await file.append("next\n");
  }

  assert.equal(await Deno.readTextFile(path), "whole\nhal\nnext\n");
  await Deno.remove(path);
});

Deno.test("append() loses and mixes no line while the file is rotated all the time", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/log`;
  const lines = Array.from({ length: 200 }, (_, index) => `${index}:${"x".repeat(2000)}\n`);
  {
    await using file = new LineFile(path, "the log");
    for (const [index, line] of lines.entries()) {
      const appended = file.append(line);
      if (index % 10 === 5) await Deno.rename(path, `${directory}/log.${1000 + index}`).catch(() => {});
      await appended;
    }
  }
  const files = [...Deno.readDirSync(directory)].map(({ name }) => Deno.readTextFileSync(`${directory}/${name}`));
  const found = files.flatMap((text) => text.match(/[^\n]*\n/g) ?? []);

  assert.deepEqual(new Set(found), new Set(lines));
  assert.equal(found.length, lines.length);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("open() makes the file, and rejects when its signal is aborted", async () => {
  const directory = await Deno.makeTempDir();
  {
    await using file = new LineFile(`${directory}/log`, "the log");
    await assert.rejects(file.open(AbortSignal.abort()), { name: "AbortError" });
    assert.deepEqual([...Deno.readDirSync(directory)], []);
    await file.open();
  }

  assert.equal(await Deno.readTextFile(`${directory}/log`), "");
  await Deno.remove(directory, { recursive: true });
});

Deno.test("check() leaves everything as it is: no file where none is, half a line half", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.path("journal");
  await using file = new LineFile(path, "the journal");

  await file.check();
  assert.deepEqual([...Deno.readDirSync(directory.path("."))], []);

  await Deno.writeTextFile(path, "half");
  await file.check();
  assert.equal(await Deno.readTextFile(path), "half");
});

Deno.test("check() rejects when no file could be there", async () => {
  using directory = new TemporaryDirectory();
  const at = (path: string) => new LineFile(directory.path(path), "the journal").check();

  await assert.rejects(at("absent/journal"), /^Error: Cannot open the journal ".*": .*\. Create its directory$/);
  await assert.rejects(at("."), /^Error: Cannot open the journal/);
});
