/**
 * Time and peak memory of `events --limit 1000000 --json` on a ledger of a million events.
 * `deno run -A bench/listing.ts [EVENTS [FILE]]`; a FILE that does not exist is made, in some
 * minutes, and kept.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- figures on the terminal are what it is for

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PERMISSIONS } from "../tools/permissions.ts";
import { growLedger } from "./grow_ledger.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const LOOK_MS = 5;

const events = Number(Deno.args[0] ?? 1_000_000);
const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
try {
  const file = Deno.args[1] ?? join(dir, "ledger.db");
  if (!await isThere(file)) await growLedger(file, { events, plugin: "Idle0" });
  for (const form of [["--json"], []]) {
    const { lines, seconds, mib } = await list(file, ["--limit", String(events), ...form]);
    const name = `events --limit ${events} ${form.join(" ")}`.trim();
    console.log(`${name}: ${lines} lines, ${seconds.toFixed(1)} s, at most ${Math.round(mib)} MiB`);
  }
} finally {
  await Deno.remove(dir, { recursive: true });
}

async function list(file: string, options: readonly string[]) {
  const args = ["run", "--quiet", "--no-prompt", ...PERMISSIONS, MAIN, "events", "--ledger", file, ...options];
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), { args, cwd: dir, stdout: "piped", stderr: "inherit" }).spawn();
  let mib = 0;
  const looking = setInterval(() => mib = Math.max(mib, peakMib(child.pid)), LOOK_MS);
  let lines = 0;
  for await (const bytes of child.stdout) for (const byte of bytes) if (byte === 10) lines++;
  const { success } = await child.status;
  clearInterval(looking);
  if (!success) throw new Error("Cannot list the ledger");
  return { lines, seconds: (performance.now() - start) / 1000, mib };
}

/** The peak memory of a process so far. */
function peakMib(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

async function isThere(file: string): Promise<boolean> {
  return await Deno.stat(file).then(() => true, () => false);
}
