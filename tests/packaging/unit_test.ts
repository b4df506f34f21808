import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ProgramDirectory } from "../support/program.ts";

const PACKAGING = fileURLToPath(new URL("../../packaging/", import.meta.url));
const UNIT = Deno.readTextFileSync(join(PACKAGING, "oss-watcher.service"));

Deno.test("packaging/oss-watcher.service has nothing that systemd does not know", async () => {
  assert.deepEqual(await complaints(UNIT), []);
});

Deno.test("systemd complains of what it does not know", async () => {
  const [complaint, ...more] = await complaints(UNIT.replace("WatchdogSec=", "WatchdogSeconds="));
  assert.match(complaint ?? "", /Unknown key.* 'WatchdogSeconds'/);
  assert.deepEqual(more, []);
});

Deno.test("packaging/oss-watcher.service is open to little, by systemd's own measure", async () => {
  // From 0, open to nothing, to 100. An ordinary service has 96.
  const { code, said } = await analyze("security", "--offline=true", "--threshold=15", join(PACKAGING, UNIT_NAME));
  assert.equal(code, 0, said);
});

Deno.test("packaging/oss-watcher.sysusers makes the unit's user", async () => {
  const text = await Deno.readTextFile(join(PACKAGING, "oss-watcher.sysusers"));
  const [, user, home] = /^u (\S+) - "[^"]+" (\S+)$/m.exec(text) ?? [];
  assert.match(UNIT, new RegExp(`^User=${user}$`, "m"));
  assert.match(UNIT, new RegExp(`^StateDirectory=${home!.replace("/var/lib/", "")}$`, "m"));
});

const UNIT_NAME = "oss-watcher.service";

/** What systemd says of a unit; the program that it starts need not be there. */
async function complaints(unit: string): Promise<string[]> {
  using dir = new ProgramDirectory({ [UNIT_NAME]: unit.replace(/^ExecStart=\S+/m, "ExecStart=/bin/true") });
  const { said } = await analyze("verify", dir.path(UNIT_NAME));
  // Units of this machine may have faults of their own.
  return said.split("\n").filter((line) => line.includes("oss-watcher"));
}

async function analyze(...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  const command = new Deno.Command("systemd-analyze", { args: ["--no-pager", ...args], stdin: "null" });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, said: decoder.decode(stdout) + decoder.decode(stderr) };
}
