import assert from "node:assert/strict";
import { previewOf } from "./example.ts";

const ID = { openstack_id: "4818c5b1-ac0b-4458-9eed-faf8936ad379" };

Deno.test("docs/NETBOX.md's example writes what the document says", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/NETBOX.md", import.meta.url));
  const [, example = ""] = /^```ts\n([^]*?)^```$/m.exec(text) ?? [];
  const preview = await previewOf(example, { NETBOX_TOKEN: "t0ken-of-netbox" });
  assert.deepEqual(preview["virtual machine"].cluster, { name: "openstack-berlin" });
  assert.deepEqual(preview["virtual machine"].role, { slug: "server" });
  assert.deepEqual([preview["virtual machine"].name, preview["virtual machine"].custom_fields], ["beam-ctl-01", ID]);
  assert.deepEqual(preview.interfaces, [{ mac_address: "FA:16:3E:81:26:0E", custom_fields: ID }]);
  const [address] = preview["IP addresses"];
  assert.deepEqual([address.address, address.interface], ["10.11.0.21/32", "FA:16:3E:81:26:0E"]);
  assert.match(address.vrf.name, /^[0-9a-f]{32}$/);
});
