import assert from "node:assert/strict";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { absolutePath, fileUrl } from "../../src/config/file_path.ts";

/** Names, and what has a meaning in a path or a URL. */
const parts = fc.constantFrom("etc", "config.ts", ".", "..", ".d", "...", "a b", "%41", "#", "?", "\\", "é", "", "c:");
const path = fc.tuple(fc.constantFrom("", "/"), fc.array(parts, { maxLength: 5 })).map(([root, names]) =>
  root + names.join("/")
);

Deno.test("absolutePath() and fileUrl() are those of Node", async () => {
  await fc.assert(
    fc.asyncProperty(path, path, async (cwd, path) => {
      const absolute = await absolutePath(path, `/${cwd}`);
      assert.equal(absolute, resolve(`/${cwd}`, path));
      assert.equal(await fileUrl(absolute), pathToFileURL(absolute).href);
    }),
    { numRuns: 2000 },
  );
});
