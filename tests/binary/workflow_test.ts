import assert from "node:assert/strict";
import { parse } from "yaml";
import project from "../../deno.json" with { type: "json" };

const WORKFLOW = new URL("../../.github/workflows/release.yml", import.meta.url);

interface Step {
  readonly run?: string;
}

Deno.test("the release workflow is YAML whose commands exist here, with the Deno that the gate uses", async () => {
  const { env, jobs } = parse(await Deno.readTextFile(WORKFLOW));
  assert.deepEqual(Object.keys(jobs), ["gate", "linux", "others", "publish"]);
  const gate = await Deno.readTextFile(new URL("../../.ci/run", import.meta.url));
  assert.ok(gate.includes(`${env.DENO} task test`));
  const commands = Object.values(jobs as Readonly<Record<string, { readonly steps: readonly Step[] }>>)
    .flatMap(({ steps }) => steps).flatMap(({ run }) => run ?? []);
  for (const command of commands) {
    const task = /\$DENO task (\S+)/.exec(command)?.[1];
    if (task !== undefined) assert.ok(task in project.tasks, command);
    for (const [file] of command.matchAll(/\btests\/\S+/g)) {
      assert.ok(await Deno.stat(new URL(`../../${file}`, import.meta.url)), command);
    }
  }
});

Deno.test("the release workflow runs on machines that GitHub has", async () => {
  const { jobs } = parse(await Deno.readTextFile(WORKFLOW));
  const runners = [jobs.linux, jobs.others].flatMap(({ strategy }) => strategy.matrix.include)
    .map(({ runner }: { readonly runner: string }) => runner);
  // As of November 2026. macos-13 went in December 2025: a job for it fails, and nothing is published. macos-15-intel goes in autumn 2027.
  const offered = ["ubuntu-latest", "ubuntu-24.04-arm", "macos-latest", "macos-15-intel", "windows-latest"];
  assert.deepEqual(runners.filter((runner) => !offered.includes(runner)), []);
});

Deno.test("the release workflow compiles for Linux, macOS and Windows", async () => {
  const { jobs } = parse(await Deno.readTextFile(WORKFLOW));
  const targets = [jobs.linux, jobs.others].flatMap(({ strategy }) => strategy.matrix.include)
    .map(({ target }: { readonly target: string }) => target);
  assert.deepEqual(targets.sort(), [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-gnu",
  ]);
});
