import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ProgramDirectory, runProgram } from "../support/program.ts";

const SAMPLE = fileURLToPath(new URL("../../samples/compute.instance.create.end.json", import.meta.url));

/**
 * What `--dry-run` of a server's creation shows for a document's example: imports, then one plugin.
 *
 * @param env The variables that the example reads. Their values are secrets, and must not be shown.
 */
export async function previewOf(example: string, env: Readonly<Record<string, string>>) {
  const plugin = example.replace(/^import .*\n/gm, "").trim().replace(/;$/, "");
  using dir = new ProgramDirectory({
    "config.ts": `${example.match(/^import .*\n/gm)?.join("")}
      export default {
        events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
        plugins: [${plugin}],
        rabbit: { url: "amqp://localhost", queue: { name: "oss-watcher" } },
      };`,
  });
  const args = ["--dry-run", SAMPLE, "--json"];
  const { code, out, err } = await runProgram({ dir: dir.path(), args, env });
  assert.equal(code, 0, err);
  for (const secret of Object.values(env)) assert.ok(!(out + err).includes(secret));
  return JSON.parse(out.split("\n")[0] ?? "").plugins[0].preview;
}
