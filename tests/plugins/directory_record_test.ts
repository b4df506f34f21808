import assert from "node:assert/strict";
import { makeDetail } from "../../src/detail/make_detail.ts";
import { directoryRecord } from "../../plugins/directory_record.ts";
import { eventsOf, watched, withoutEnvelope } from "../support/captured_events.ts";
import { type CaptureLine, readCapture, readOperations } from "../support/captures.ts";

/** What nova_dirsvc_plugin's hooks collected, by its README. */
const KEYS = ["image_uuid", "instance_uuid", "mac_address", "project_name", "user_name", "user_remote_address"];

const STREAMS: Readonly<Record<string, { readonly capture: string; readonly operations: string }>> = {
  "Nova's older format": { capture: "unversioned.jsonl", operations: "operations.jsonl" },
  "Nova's newer format": { capture: "versioned.jsonl", operations: "operations.jsonl" },
  "the driver without envelope": { capture: "v1-no-envelope.jsonl", operations: "operations-v1.jsonl" },
};

const WITHOUT_NETWORK = ["lonely", "orphan-image"];

for (const [what, { capture, operations }] of Object.entries(STREAMS)) {
  Deno.test(`directoryRecord() has all that the hooks gave for every creation in ${what}`, () => {
    const records = recordsOf(readCapture(capture));
    assert.ok(records.length >= 3, `${records.length} creations`);
    const asked = readOperations(operations);
    for (const { instance_uuid, mac_address, ...record } of records) {
      const made = asked.find(({ op, id }) => op.startsWith("server create") && [id].flat().includes(instance_uuid));
      assert.deepEqual(Object.keys({ instance_uuid, mac_address, ...record }).toSorted(), KEYS);
      assert.match(record.image_uuid!, /^[0-9a-f-]{36}$/);
      assert.match(record.project_name!, /^(physics|webshop)-\d{6}$|^admin$/);
      if (made?.by !== undefined && made.by !== "robot") assert.equal(record.user_name, made.by, made.name?.toString());
      if (WITHOUT_NETWORK.includes(String(made?.name))) assert.equal(mac_address, null);
      else assert.match(mac_address!, /^fa:16:3e(:[0-9a-f]{2}){3}$/);
      // Nova of that release blanks it; who asks the APIs does not learn it either.
      assert.equal(record.user_remote_address, null);
    }
  });
}

Deno.test("directoryRecord() has the client's address where Nova says it", () => {
  const [creation] = readCapture("unversioned.jsonl").filter(({ body }) =>
    body.includes("compute.instance.create.end")
  );
  const message = JSON.parse(withoutEnvelope(creation!.body));
  const body = JSON.stringify({ ...message, _context_remote_address: "192.168.122.97" });
  assert.deepEqual(recordsOf([{ ...creation!, body }]), [{
    image_uuid: message.payload.image_meta.base_image_ref,
    instance_uuid: message.payload.instance_id,
    mac_address: message.payload.fixed_ips[0].vif_mac,
    project_name: message._context_project_name,
    user_name: message._context_user_name,
    user_remote_address: "192.168.122.97",
  }]);
});

function recordsOf(lines: readonly CaptureLine[]) {
  const creations = eventsOf(watched(lines)).filter(({ subject, created }) => subject === "server" && created);
  return creations.map((event) => directoryRecord(makeDetail(event).detail));
}
