import assert from "node:assert/strict";
import { FromFiles } from "../../../src/wire/files/from_files.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";

/** A value that is the text of its file, and what was done about it. */
function textOf(file: string) {
  const opened: string[] = [];
  const closed: string[] = [];
  const open = async () => {
    const text = await Deno.readTextFile(file);
    if (text.startsWith("bad")) throw new Error(`Cannot use "${text}"`);
    opened.push(text);
    return text;
  };
  const value = new FromFiles({ files: [undefined, file], open, close: (text) => void closed.push(text) });
  return { value, opened, closed, now: () => value.use((text) => Promise.resolve(text)) };
}

Deno.test("use() opens once while the file stays as it is, however many come at once", async () => {
  using dir = new TemporaryDirectory();
  const file = dir.path("a");
  await Deno.writeTextFile(file, "first");
  const { opened, closed, now, value } = textOf(file);

  assert.deepEqual(await Promise.all(Array.from({ length: 20 }, now)), Array(20).fill("first"));
  assert.equal(await now(), "first");
  assert.deepEqual([opened, closed], [["first"], []]);
  await value[Symbol.asyncDispose]();
  await value[Symbol.asyncDispose]();
  assert.deepEqual(closed, ["first"]);
  assert.equal(await now(), "first");
});

for (
  const [what, replace] of [
    ["written", (path: string, text: string) => Deno.writeTextFile(path, text)],
    ["replaced", async (path: string, text: string) => {
      await Deno.writeTextFile(`${path}.new`, text);
      await Deno.rename(`${path}.new`, path);
    }],
  ] as const
) {
  Deno.test(`use() opens again when the file was ${what}, and closes the old value when nobody uses it any more`, async () => {
    using dir = new TemporaryDirectory();
    const file = dir.path("a");
    await Deno.writeTextFile(file, "first");
    const { value, opened, closed, now } = textOf(file);
    const done = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const first = value.use(async (text) => {
      begun.resolve();
      await done.promise;
      return text;
    });
    await begun.promise;

    await replace(file, "second");

    assert.equal(await now(), "second");
    assert.deepEqual(closed, []);
    done.resolve();
    assert.equal(await first, "first");
    assert.deepEqual([opened, closed], [["first", "second"], ["first"]]);
  });
}

Deno.test("use() opens again when a link leads to another directory, as Kubernetes renews secrets", async () => {
  using dir = new TemporaryDirectory();
  for (const name of ["first", "other"]) {
    await Deno.mkdir(dir.path(name));
    await Deno.writeTextFile(`${dir.path(name)}/a`, name);
  }
  await Deno.symlink(dir.path("first"), dir.path("data"));
  const { now } = textOf(`${dir.path("data")}/a`);
  assert.equal(await now(), "first");

  await Deno.symlink(dir.path("other"), dir.path("data.new"));
  await Deno.rename(dir.path("data.new"), dir.path("data"));

  assert.equal(await now(), "other");
});

Deno.test("use() goes on with the old value, reading nothing again, while the file cannot be used", async () => {
  using dir = new TemporaryDirectory();
  const file = dir.path("a");
  await Deno.writeTextFile(file, "first");
  const { value, opened, closed, now } = textOf(file);
  assert.equal(await now(), "first");

  await Deno.writeTextFile(file, "bad for now");
  assert.equal(await now(), "first");
  assert.match(String(value.refusal), /Cannot use "bad for now"/);
  await Deno.remove(file);
  assert.equal(await now(), "first");
  await Deno.writeTextFile(file, "second");

  assert.equal(await now(), "second");
  assert.deepEqual([opened, closed, value.refusal], [["first", "second"], ["first"], undefined]);
});

Deno.test("use() rejects while there is nothing to use, and works once there is", async () => {
  using dir = new TemporaryDirectory();
  const { now } = textOf(dir.path("a"));
  await assert.rejects(now(), Deno.errors.NotFound);

  await Deno.writeTextFile(dir.path("a"), "first");

  assert.equal(await now(), "first");
});
