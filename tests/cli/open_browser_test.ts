import assert from "node:assert/strict";
import { PERMISSIONS } from "../../tools/permissions.ts";
import { ProgramDirectory } from "../support/program.ts";

const MODULE = new URL("../../src/cli/open_browser.ts", import.meta.url).href;
const URL_WITH_TOKEN = "http://127.0.0.1:17673/sign-in?token=abc.def";

/** Opens an address with a desktop's program that keeps its arguments and the file that they name. */
async function open(env: Readonly<Record<string, string>>) {
  using dir = new ProgramDirectory({
    "bin/xdg-open": `#!/bin/sh\necho "$@" >arguments\ncat "$1" >page\nls -l "$1" >mode\nexit 3\n`,
    "open.ts": `import { openBrowser } from ${JSON.stringify(MODULE)}; await openBrowser("${URL_WITH_TOKEN}");`,
  });
  Deno.chmodSync(dir.path("bin/xdg-open"), 0o755);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...PERMISSIONS, dir.path("open.ts")],
    cwd: dir.path(),
    env: { PATH: `${dir.path("bin")}:${Deno.env.get("PATH")}`, DISPLAY: "", WAYLAND_DISPLAY: "", ...env },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const read = (name: string) => {
    try {
      return Deno.readTextFileSync(dir.path(name));
    } catch {
      return null;
    }
  };
  return { arguments: read("arguments"), page: read("page"), mode: read("mode") };
}

Deno.test("openBrowser() gives the desktop a file of this user's alone that leads to the address, and removes it", async () => {
  for (const variable of ["DISPLAY", "WAYLAND_DISPLAY"]) {
    const opened = await open({ [variable]: ":9" });
    assert.ok(!opened.arguments!.includes("token"), "others can read a command line");
    assert.match(
      opened.page!,
      /http-equiv="refresh" content="0;url=http:\/\/127\.0\.0\.1:17673\/sign-in\?token=abc\.def"/,
    );
    assert.match(opened.mode!, /^-rw------- /);
    await assert.rejects(Deno.stat(opened.arguments!.trim()), Deno.errors.NotFound);
  }
});

Deno.test("openBrowser() does nothing where there is no desktop", async () => {
  assert.deepEqual(await open({}), { arguments: null, page: null, mode: null });
});
