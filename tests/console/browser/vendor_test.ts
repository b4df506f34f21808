import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { vendoredFiles } from "../../../tools/vendor_page.ts";

const VENDOR = fileURLToPath(new URL("../../../src/console/page/vendor/", import.meta.url));

Deno.test("src/console/page/vendor/ is what tools/vendor_page.ts makes of deno.json's packages", async () => {
  const made = await vendoredFiles();
  const there = (await Array.fromAsync(Deno.readDir(VENDOR), ({ name }) => name)).sort();
  assert.deepEqual(there, [...made.keys()].sort());
  for (const [file, text] of made) {
    assert.ok(await Deno.readTextFile(`${VENDOR}${file}`) === text, `${file} differs: run tools/vendor_page.ts`);
  }
});
