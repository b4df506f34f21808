import assert from "node:assert/strict";
import { bounded } from "../../tools/bounded.ts";
import { until } from "../support/until.ts";

const MODULE = new URL("../../tools/bounded.ts", import.meta.url).href;

Deno.test("bounded: what a program says, or the end of it and why it failed", async () => {
  assert.equal(await bounded({ program: "sh", args: ["-c", "cat; echo said"] }, 1), "said\n");
  await assert.rejects(bounded({ program: "sh", args: ["-c", "echo why >&2; exit 3"] }, 1), /^Error: sh failed: why$/);
});

Deno.test("bounded: a program that takes too long is ended, with all that it started", async () => {
  const mark = String(1_000_000 + Math.floor(Math.random() * 1_000_000));
  const hanging = { program: "sh", args: ["-c", `sleep ${mark} & sleep ${mark}`] };
  await assert.rejects(bounded(hanging, 0.01), /^Error: sh took over 0\.01 min$/);
  await until(() => sleepers(mark) === 0);
});

Deno.test("bounded: what runs ends with us, even if we are killed", async () => {
  const mark = String(1_000_000 + Math.floor(Math.random() * 1_000_000));
  const script = `import { bounded } from "${MODULE}";
    await bounded({ program: "sh", args: ["-c", "sleep ${mark} & sleep ${mark}"] }, 60);`;
  const us = new Deno.Command(Deno.execPath(), { args: ["eval", script], stdout: "null", stderr: "null" }).spawn();
  await until(() => sleepers(mark) === 2);
  us.kill("SIGKILL");
  await us.status;
  await until(() => sleepers(mark) === 0);
});

/** How many processes sleep for so long. */
function sleepers(seconds: string): number {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name) && isSleeper(name, seconds)).length;
}

function isSleeper(pid: string, seconds: string): boolean {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`) === `sleep\0${seconds}\0`;
  } catch {
    return false;
  }
}
