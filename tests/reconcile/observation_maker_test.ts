import assert from "node:assert/strict";
import { RamMemory } from "../../src/ledger/ram/memory.ts";
import type { Memory } from "../../src/model/memory.ts";
import type { CloudView } from "../../src/reconcile/cloud_view.ts";
import { ObservationMaker, projectOf } from "../../src/reconcile/observation_maker.ts";
import { came, floatingIpGone, floatingIpIs, portIs, Story } from "../support/stories.ts";
import { VirtualClock } from "../support/virtual_clock.ts";
import { floatingIpsPage, portsPage, seenFloatingIp, seenPort, seenServer, serversPage } from "./made.ts";

const NOW = Date.UTC(2026, 10, 21, 20);
const BEGAN_AT = Date.UTC(2026, 10, 21);
const NEVER = new AbortController().signal;

/** Every question has this answer. */
function maker(answer: object | "absent" | "forbidden" = "absent"): ObservationMaker {
  const ask = () => Promise.resolve(answer as never);
  const cloud: Pick<CloudView, "server" | "port" | "floatingIp"> = { server: ask, port: ask, floatingIp: ask };
  return new ObservationMaker({ cloud, clock: new VirtualClock({ now: NOW }), beganAt: BEGAN_AT });
}

function observed(page: Parameters<ObservationMaker["observationsOf"]>[0], memory: Memory = new RamMemory()) {
  return maker().observationsOf(page, { memory, readAtMs: NOW });
}

Deno.test("ObservationMaker sees a built server, with what Nova showed", () => {
  const [made, ...others] = observed(serversPage([seenServer("a")]));
  assert.deepEqual(others, []);
  assert.equal(made?.observation.what, "server");
  assert.deepEqual(made?.evidence, [
    "Nova showed it at 2026-11-21T20:00:00.000Z: ACTIVE, built at 2026-11-21T10:00:30.000Z",
  ]);
});

Deno.test("ObservationMaker concludes nothing of servers that are not built, not known, or about to go", () => {
  const records = [
    seenServer("building", { status: "BUILD", launchedAt: null }),
    seenServer("cell down", { status: "UNKNOWN" }),
    seenServer("gone", { status: "DELETED" }),
    seenServer("soft", { status: "SOFT_DELETED" }),
  ];
  assert.deepEqual(observed(serversPage(records)), []);
});

Deno.test("ObservationMaker takes a server for new that was created after the ledger began", () => {
  const before = seenServer("a");
  const old = { ...before, state: { ...before.state, createdAt: "2026-11-20T23:59:59.999Z" } };
  const isNew = observed(serversPage([before, old])).map(({ observation }) =>
    "isNew" in observation && observation.isNew
  );
  assert.deepEqual(isNew, [true, false]);
});

Deno.test("ObservationMaker takes a floating IP for new that has changed after the ledger began, or does not say", () => {
  const isNew = observed(floatingIpsPage([
    seenFloatingIp("a", { updatedAt: "2026-11-21T00:00:00.000Z" }),
    seenFloatingIp("b", { updatedAt: "2026-11-20T23:59:59.999Z" }),
    seenFloatingIp("c"),
  ])).map(({ observation }) => "isNew" in observation && observation.isNew);
  assert.deepEqual(isNew, [true, false, true]);
});

Deno.test("ObservationMaker notes the row of memory where revisions do not tell what is newer", () => {
  const story = new Story();
  story.tell(portIs("1", { server: "a", revision: 3 }));
  story.tell(portIs("2", { server: "a", revision: 3 }));
  story.tell(portIs("3", { server: "a" }));
  const ports = [seenPort("1", { revision: 3 }), seenPort("2", { revision: 2 }), seenPort("3", { revision: null })];
  const noted = observed(portsPage([...ports, seenPort("4")]), story.memory).map(({ observation }) =>
    "comparedWith" in observation ? JSON.parse(observation.comparedWith as string)?.id : "nothing"
  );
  assert.deepEqual(noted, ["nothing", "2", "3", "nothing"]);
});

Deno.test("ObservationMaker notes the row of a resource that memory has as deleted", () => {
  const story = new Story();
  story.tell(floatingIpGone("f", { revision: 3 }));
  const [made] = observed(floatingIpsPage([seenFloatingIp("f", { revision: 4 })]), story.memory);
  assert.equal(JSON.parse((made?.observation as { comparedWith: string }).comparedWith).deleted, true);
});

Deno.test("ObservationMaker.ask() takes a 404 for an absence, and says when it came", async () => {
  const answer = await maker().ask({ listing: "servers", id: "a" }, NEVER);
  assert.equal(answer.problem, null);
  assert.deepEqual(answer.observe(new RamMemory()), [{
    observation: { what: "serverAbsent", id: "a" },
    evidence: ["Nova answered 404 for its id at 2026-11-21T20:00:00.000Z"],
  }]);
});

Deno.test("ObservationMaker.ask() concludes nothing of what may not be seen", async () => {
  for (const listing of ["servers", "ports", "floatingIps"] as const) {
    const answer = await maker("forbidden").ask({ listing, id: "a" }, NEVER);
    assert.match(answer.problem ?? "", /may not see it/);
    assert.deepEqual(answer.observe(new RamMemory()), []);
  }
});

Deno.test("ObservationMaker.ask() concludes nothing of a server whose cell is down", async () => {
  const answer = await maker(seenServer("a", { status: "UNKNOWN", launchedAt: null }))
    .ask({ listing: "servers", id: "a" }, NEVER);
  assert.deepEqual(answer.observe(new RamMemory()), []);
});

Deno.test("ObservationMaker.ask() rejects when there is no answer", async () => {
  const fail = () => Promise.reject(new Error("503"));
  const cloud = { server: fail, port: fail, floatingIp: fail };
  const failing = new ObservationMaker({ cloud, clock: new VirtualClock({ now: NOW }), beganAt: BEGAN_AT });
  await assert.rejects(failing.ask({ listing: "servers", id: "a" }, NEVER), { message: "503" });
});

Deno.test("projectOf() is that of the server or floating IP, and of no port", () => {
  const story = new Story();
  story.tell(came("a", { tenant_id: "own" }));
  story.tell(portIs("1", { server: "a" }));
  story.tell(floatingIpIs("f", { more: { project_id: "other" } }));
  assert.equal(projectOf({ listing: "servers", id: "a" }, story.memory), "own");
  assert.equal(projectOf({ listing: "floatingIps", id: "f" }, story.memory), "other");
  assert.equal(projectOf({ listing: "ports", id: "1" }, story.memory), null);
  assert.equal(projectOf({ listing: "servers", id: "unknown" }, story.memory), null);
});

Deno.test("ObservationMaker does not claim an answer about an id that no service gives: it is not asked for", async () => {
  const answer = await maker().ask({ listing: "servers", id: "e\x1b[31mvil/../x" }, new AbortController().signal);
  const [made] = answer.observe(new RamMemory());
  assert.deepEqual(made?.evidence, ["Nova gives no such id, and was not asked"]);
});
