import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileArguments } from "../../tools/compile.ts";
import { PERMISSIONS } from "../../tools/permissions.ts";

const TOP = fileURLToPath(new URL("../..", import.meta.url));

Deno.test("the program compiles, with all that it needs, nothing that tests need, and few permissions", async () => {
  const dir = await Deno.makeTempDir({ prefix: "oss-watcher-compile-" });
  try {
    const output = join(dir, "oss-watcher");
    const said = await compile(output);
    for (const part of ["main.ts", "config.ts", "mod.ts", "deno.json", "plugins", "samples", "src", "templates"]) {
      assert.match(said, new RegExp(`[├└]── ${part.replace(".", "\\.")}\\b`), said);
    }
    for (
      const name of [
        "commander",
        "hono",
        "jetstream",
        "kafkajs",
        "ldapts",
        "nats-core",
        "nodemailer",
        "p-limit",
        "postgres",
        "rabbitmq-client",
        "seek-bzip",
        "valibot",
        "yaml",
      ]
    ) {
      assert.match(said, new RegExp(`[├└][─┬ ]+ ${name}\\b`), said);
    }
    assert.doesNotMatch(said, /fast-check|smtp-server|transport-node|typescript|tests/);
    const settings = bakedSettings(await Deno.readFile(output));
    assert.deepEqual(settings.features, ["net"]);
    assert.deepEqual(settings.permissions, {
      allow_net: [],
      allow_env: [],
      allow_read: [],
      allow_write: [],
      allow_run: ["xdg-open", "open"],
      allow_ffi: null,
      allow_sys: null,
      prompt: false,
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

for (const file of ["bin/oss-watcher", "deno.json"]) {
  Deno.test(`${file} runs the program with the permissions that are compiled in`, async () => {
    const text = await Deno.readTextFile(join(TOP, file));
    const runs = text.split("\n").filter((line) => /deno run [^&]*(?<![\w/])main\.ts|\$deno run .*\$main/.test(line));
    assert.ok(runs.length > 0);
    for (const line of runs) {
      assert.deepEqual(line.match(/--(?:no-prompt|allow-[\w-]+(?:=\S+)?)/g), [...PERMISSIONS], line);
    }
  });
}

/** The base runtime cannot be had everywhere. Deno itself takes its place: what it makes holds all, and does not run. */
async function compile(output: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...compileArguments({ output })],
    cwd: TOP,
    env: { DENORT_BIN: await Deno.realPath(Deno.execPath()), NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.ok(success, said);
  return said;
}

/** Deno keeps a program's settings as JSON at its end. */
function bakedSettings(binary: Uint8Array) {
  const text = new TextDecoder("latin1").decode(binary.subarray(-64 * 1024 * 1024));
  const permissions = /"permissions":(\{"allow_env":[^}]*\})/.exec(text)?.[1];
  const features = /"unstable_config":\{[^}]*"features":(\[[^\]]*\])/.exec(text)?.[1];
  assert.ok(permissions !== undefined && features !== undefined);
  const { allow_net, allow_env, allow_read, allow_write, allow_run, allow_ffi, allow_sys, prompt } = JSON.parse(
    permissions,
  );
  return {
    features: JSON.parse(features),
    permissions: { allow_net, allow_env, allow_read, allow_write, allow_run, allow_ffi, allow_sys, prompt },
  };
}
