/** Small histories of what operators reported, each with the answer that is right: `tests/data/cases/`. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ProgramDirectory, runProgram } from "../support/program.ts";

const CONFIG = Deno.readTextFileSync(new URL("../../config.ts", import.meta.url));
const DOMAIN_CONFIG = CONFIG.replace("} satisfies", `detail: { domain: "cloud.example.com" },\n} satisfies`);

interface Line {
  readonly events: readonly { readonly key: string; readonly detail: Readonly<Record<string, unknown>> }[];
  readonly reason: string | null;
}

Deno.test("a server that is force-deleted while its host is down goes, with what its creation carried", async () => {
  const lines = await dryRun("force-delete-host-down.jsonl");
  const [creation, end] = [lines[0]?.events[0], lines.at(-1)?.events[0]];
  assert.equal(end?.key, "server/11111111-1111-4111-8111-111111111111/deletion");
  assert.deepEqual(end.detail, creation?.detail);
  assert.equal(end.detail["IP"], "10.0.0.5");
});

Deno.test("a hostname that has a domain keeps it", async () => {
  const [line] = await dryRun("fqdn-hostname.jsonl", DOMAIN_CONFIG);
  assert.equal(line?.events[0]?.detail["FQDN"], "web-1.example.org");
});

Deno.test("a port that port.create.end alone tells of links a floating IP without port_details to its server", async () => {
  const lines = await dryRun("mitaka-port-create.jsonl");
  const id = "ffffffff-ffff-4fff-8fff-ffffffffffff";
  assert.deepEqual(keys(lines[3]), [`floatingip/${id}/1/creation`]);
  assert.deepEqual(keys(lines[4]), [
    `floatingip/${id}/2/deletion`,
    "server/11111111-1111-4111-8111-111111111111/deletion",
  ]);
  assert.deepEqual(keys(lines[5]), []);
});

Deno.test("a revision that went back and whose time does not show why is told, with the command that mends it", async () => {
  const lines = await dryRun("neutron-db-restored.jsonl");
  assert.match(lines[2]?.reason ?? "", /its revision 7 was recorded after revision 12.*"oss-watcher prime"/);
});

Deno.test("a create.end that carries a fault is no creation", async () => {
  const [line] = await dryRun("create-end-with-fault.jsonl");
  assert.deepEqual([line?.events, line?.reason], [[], "the build of the server failed"]);
});

Deno.test("an image reference that ends in None is no image", async () => {
  const [line] = await dryRun("image-none.json");
  assert.equal(line?.events[0]?.detail["ImageID"], null);
});

async function dryRun(file: string, config = CONFIG): Promise<readonly Line[]> {
  using dir = new ProgramDirectory({ "config.ts": config });
  const path = fileURLToPath(new URL(`../data/cases/${file}`, import.meta.url));
  const { out, err } = await runProgram({ dir: dir.path(), args: ["--dry-run", path, "--json"] });
  assert.equal(err, "");
  return out.trimEnd().split("\n").map((line) => JSON.parse(line));
}

function keys(line: Line | undefined): readonly string[] | undefined {
  return line?.events.map(({ key }) => key);
}
