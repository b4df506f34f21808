import assert from "node:assert/strict";
import { sampleEvent, sampleUpdate } from "oss-watcher/testing";

Deno.test("sampleUpdate() changes the server that sampleEvent() creates", () => {
  const { detail, context } = sampleUpdate({ server: 7, number: 2 });

  assert.deepEqual(context.before, sampleEvent({ server: 7 }).detail);
  assert.equal(context.key, `server/${detail.ID}/update/2`);
  assert.deepEqual(context.changed, ["Addresses", "FQDN", "IP", "MAC", "Metadata", "Owner", "UserName"]);
  for (const key of context.changed) assert.notDeepEqual(detail[key], context.before[key]);
  assert.deepEqual(sampleUpdate({ server: 7, number: 2 }).detail, detail);
});

Deno.test("sampleUpdate() lists the keys that differ, in their order, whatever their names", () => {
  const changes = { Zone: "b", ["__proto__"]: "x", Owner: "anna" };
  const { detail, context } = sampleUpdate({ before: { Zone: "a" }, detail: changes });

  assert.deepEqual(context.changed, ["Zone", "__proto__"]);
  assert.ok(Object.hasOwn(detail, "__proto__"));
  assert.throws(() => Object.assign(detail, { Zone: "c" }), TypeError);
  assert.throws(() => Object.assign(context.before, { Zone: "c" }), TypeError);
});
