import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { loadedWith } from "../support/loaded_with.ts";

Deno.test("the service loads nothing of src/reconcile until it knows that there is an `openstack` section", async () => {
  const loaded = await loadedWith(fileURLToPath(new URL("../../src/cli/serve.ts", import.meta.url)));
  assert.ok([...loaded].some((specifier) => specifier.endsWith("/src/runtime/app.ts")));
  assert.deepEqual([...loaded].filter((specifier) => specifier.includes("/src/reconcile/")), []);
});

/** The socket, the bounds of its connections, and what answers until the app is there. */
const LISTENING = ["headers.ts", "http_server.ts", "lazy_app.ts", "listen.ts", "noted_port.ts", "state_directory.ts"];

Deno.test("the service loads nothing of the console but what listens, until somebody asks for a page", async () => {
  const path = (file: string) => fileURLToPath(new URL(`../../src/${file}`, import.meta.url));
  const ofConsole = (loaded: ReadonlySet<string>) =>
    [...loaded].filter((specifier) => /\/src\/console\/|\bhono\b/.test(specifier)).map((one) =>
      one.replace(/^.*\//, "")
    );
  const service = await loadedWith(path("cli/serve.ts"));
  assert.ok([...service].some((specifier) => specifier.endsWith("/src/cli/show_console.ts")));
  assert.deepEqual(ofConsole(service), []);
  assert.deepEqual(ofConsole(await loadedWith(path("console/listen.ts"))).sort(), LISTENING);
  // What a dry run takes, and each command.
  assert.deepEqual(ofConsole(await loadedWith(path("cli/run.ts"))), []);
  assert.deepEqual(ofConsole(await loadedWith(path("cli/program.ts"))), []);
});
