import assert from "node:assert/strict";
import type { Address } from "../../src/model/event.ts";
import { mergeSnapshots, unknownServer } from "../../src/model/snapshot.ts";

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

Deno.test("mergeSnapshots() takes nothing of an image from a server that has another one", () => {
  const second = { ...unknownServer("a"), imageId: "old", imageOsDistro: "debian", imageName: "debian-12", vcpus: 2 };
  const rebuilt = { ...unknownServer("a"), imageId: "new" };
  assert.deepEqual(mergeSnapshots(rebuilt, second), { ...rebuilt, vcpus: 2 });
  assert.deepEqual(mergeSnapshots(unknownServer("a"), second), second);
  assert.deepEqual(mergeSnapshots({ ...unknownServer("a"), imageId: "old" }, second), second);
});
