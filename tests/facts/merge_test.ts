import assert from "node:assert/strict";
import { mergeSnapshots } from "../../src/facts/merge.ts";
import { unknownServer } from "../../src/facts/server_payload.ts";
import type { Address } from "../../src/model/event.ts";

const NOTHING: Omit<Address, "address"> = { mac: null, type: null, network: null, version: null };

Deno.test("mergeSnapshots() takes what the first leaves open from the second", () => {
  const first = { ...unknownServer("a"), hostname: "alpha", vcpus: 0 };
  const second = { ...unknownServer("a"), hostname: "beta", vcpus: 2, description: "room 4" };
  assert.deepEqual(mergeSnapshots(first, second), {
    ...unknownServer("a"),
    hostname: "alpha",
    vcpus: 0,
    description: "room 4",
  });
});

Deno.test("mergeSnapshots() takes no metadata for said when it is empty, not for open", () => {
  const second = { ...unknownServer("a"), metadata: { owner: "alice" } };
  assert.deepEqual(mergeSnapshots({ ...unknownServer("a"), metadata: {} }, second).metadata, {});
  assert.deepEqual(mergeSnapshots(unknownServer("a"), second).metadata, { owner: "alice" });
});

Deno.test("mergeSnapshots() takes all addresses of the second if the first has none", () => {
  const addresses = [{ ...NOTHING, address: "10.0.0.5" }];
  assert.deepEqual(mergeSnapshots(unknownServer("a"), { ...unknownServer("a"), addresses }).addresses, addresses);
});

Deno.test("mergeSnapshots() adds to addresses of the first, and adds none", () => {
  const first = { ...unknownServer("a"), addresses: [{ ...NOTHING, address: "10.0.0.5", mac: "first" }] };
  const second = {
    ...unknownServer("a"),
    addresses: [
      { ...NOTHING, address: "10.0.0.6" },
      { address: "10.0.0.5", mac: "second", type: "fixed", network: "net", version: 4 },
    ],
  };
  assert.deepEqual(mergeSnapshots(first, second).addresses, [
    { address: "10.0.0.5", mac: "first", type: "fixed", network: "net", version: 4 },
  ]);
});
