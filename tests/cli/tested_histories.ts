import assert from "node:assert/strict";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";

export const LIFE = await Deno.readTextFile(new URL("../../samples/life.jsonl", import.meta.url));
export const NOTHING = await Deno.readTextFile(new URL("../../samples/port.delete.end.json", import.meta.url));

/** One plugin, which greets. */
export function config({ greeting = "hello", more = "" } = {}): string {
  return `export default {
  events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
  plugins: [{ name: "Hello", notify() {}, preview: (detail, created) => (created ? "${greeting} " : "goodbye ") + detail.FQDN }],
  ${more}
};`;
}

export const FILES = { "config.ts": config(), "tests/life.jsonl": LIFE, "tests/nothing.jsonl": NOTHING };

/** Runs `oss-watcher test`. */
export async function test(dir: ProgramDirectory, args: readonly string[] = [], permissions = READ_WRITE) {
  return await runProgram({ dir: dir.path(), args: ["test", ...args], permissions });
}

/** A directory whose histories have passed. */
export async function updated(files: Readonly<Record<string, string>> = FILES): Promise<ProgramDirectory> {
  const dir = new ProgramDirectory(files);
  const { code, out, err } = await test(dir, ["--update"]);
  assert.deepEqual([code, err], [0, ""], out);
  return dir;
}
