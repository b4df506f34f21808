import assert from "node:assert/strict";
import { Draft } from "../../src/facts/draft.ts";
import { RamMemory } from "../../src/ledger/ram/memory.ts";
import { floatingIpIs, portIs, Story } from "../support/stories.ts";

Deno.test("Draft reads what it has written, and writes nothing else", () => {
  const { memory } = told();
  const draft = new Draft(memory);
  const port = { ...memory.port("1")!, lastServerId: "b", serverId: "b" };
  draft.putPort(port);
  assert.deepEqual(draft.port("1"), port);
  assert.deepEqual(draft.portsOfServer("a"), []);
  assert.deepEqual(draft.portsOfServer("b"), [port]);
  assert.equal(memory.port("1")?.serverId, "a");
  assert.deepEqual(draft.changes(), { servers: [], ports: [port], floatingIps: [] });
});

Deno.test("Draft lists a floating IP under its new port and server, and no more under the old", () => {
  const { memory } = told();
  const draft = new Draft(memory);
  const former = memory.floatingIp("f")!;
  const moved = { ...former, portId: "2", association: { ...former.association!, serverId: "b" } };
  draft.putFloatingIp(moved);
  assert.deepEqual(draft.floatingIpsOnPort("1"), []);
  assert.deepEqual(draft.floatingIpsOnPort("2"), [moved]);
  assert.deepEqual(draft.floatingIpsOfServer("a"), []);
  assert.deepEqual(draft.floatingIpsOfServer("b"), [moved]);
});

Deno.test("Draft without a change reads what is stored", () => {
  const { memory } = told();
  const draft = new Draft(memory);
  assert.deepEqual(draft.portsOfServer("a"), memory.portsOfServer("a"));
  assert.deepEqual(draft.changes(), { servers: [], ports: [], floatingIps: [] });
  assert.equal(new Draft(new RamMemory()).server("a"), undefined);
});

function told(): Story {
  const story = new Story();
  story.tell(portIs("1", { server: "a" }));
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  return story;
}
