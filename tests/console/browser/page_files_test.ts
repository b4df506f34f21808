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

Deno.test("index.html names all modules of the page, so that none waits for the one that imports it", async () => {
  const page = fileURLToPath(new URL("../../../src/console/page/", import.meta.url));
  const modules = await modulesBelow(page, "");
  const html = await Deno.readTextFile(`${page}index.html`);
  const named = [...html.matchAll(/rel="modulepreload" href="([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(named.sort(), modules.filter((name) => !["app.js", "theme.js"].includes(name)).sort());
});

async function modulesBelow(top: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(top + folder)) {
    if (isDirectory) found.push(...await modulesBelow(top, `${folder}${name}/`));
    else if (name.endsWith(".js")) found.push(folder + name);
  }
  return found;
}
