import assert from "node:assert/strict";
import type { Received } from "../../tools/receiver.ts";
import { believed, type State, stateDifferences } from "./receiver_state.ts";

const BEFORE: State = { servers: new Set(["one", "two"]), associations: new Set(["ip on one"]) };

function call(path: "/created" | "/deleted", key: string, server: string): Received {
  return { path, key, detail: { ID: server }, authorization: null, at: 0 };
}

Deno.test("believed() follows the calls in their order", () => {
  const after = believed(BEFORE, [
    call("/deleted", "floatingip/ip/3/deletion", "one"),
    call("/created", "floatingip/ip/4/creation", "two"),
    call("/deleted", "server/one/deletion", "one"),
    call("/created", "server/three/creation", "three"),
    call("/created", "server/three/creation", "three"),
  ]);
  assert.deepEqual(after, { servers: new Set(["two", "three"]), associations: new Set(["ip on two"]) });
  assert.equal(BEFORE.servers.size, 2);
});

Deno.test("stateDifferences() names what a receiver lacks, and what it has too much", () => {
  assert.deepEqual(stateDifferences(BEFORE, BEFORE), []);
  const cloud = { servers: new Set(["two", "three"]), associations: new Set(["ip on two"]) };
  assert.deepEqual(stateDifferences(BEFORE, cloud), [
    "The receiver lacks, of the servers: three",
    "The receiver has too much, of the servers: one",
    "The receiver lacks, of the associations: ip on two",
    "The receiver has too much, of the associations: ip on one",
  ]);
});
