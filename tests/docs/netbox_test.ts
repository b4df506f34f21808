import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ProgramDirectory, runProgram } from "../support/program.ts";

const SAMPLE = fileURLToPath(new URL("../../samples/compute.instance.create.end.json", import.meta.url));
const ID = { openstack_id: "4818c5b1-ac0b-4458-9eed-faf8936ad379" };

Deno.test("docs/NETBOX.md's example writes what the document says", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/NETBOX.md", import.meta.url));
  const [, example = ""] = /^```ts\n([^]*?)^```$/m.exec(text) ?? [];
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
  const env = { NETBOX_TOKEN: "t0ken-of-netbox" };
  const { code, out, err } = await runProgram({ dir: dir.path(), args, env });
  assert.equal(code, 0, err);
  assert.doesNotMatch(out + err, /t0ken/);
  const { preview } = JSON.parse(out.split("\n")[0] ?? "").plugins[0];
  assert.deepEqual(preview["virtual machine"].cluster, { name: "openstack-berlin" });
  assert.deepEqual(preview["virtual machine"].role, { slug: "server" });
  assert.deepEqual([preview["virtual machine"].name, preview["virtual machine"].custom_fields], ["beam-ctl-01", ID]);
  assert.deepEqual(preview.interfaces, [{ mac_address: "FA:16:3E:81:26:0E", custom_fields: ID }]);
  const [address] = preview["IP addresses"];
  assert.deepEqual([address.address, address.interface], ["10.11.0.21/32", "FA:16:3E:81:26:0E"]);
  assert.match(address.vrf.name, /^[0-9a-f]{32}$/);
});
