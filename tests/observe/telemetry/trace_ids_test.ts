import assert from "node:assert/strict";
import { childOf, TraceIds, traceparentOf } from "../../../src/observe/telemetry/trace_ids.ts";

function ids(service: string, sampledShare = 1): TraceIds {
  return new TraceIds({ service, sampledShare });
}

Deno.test("TraceIds.root() is the same for a message in every process, and another for another deployment", () => {
  const root = ids("watcher").root("message-1");
  assert.match(root.traceId, /^[0-9a-f]{32}$/);
  assert.match(root.spanId, /^[0-9a-f]{16}$/);
  assert.deepEqual(ids("watcher").root("message-1"), root);
  // By hand: sha256 of ["watcher","message-1"].
  assert.equal(root.traceId + root.spanId, "14b93bdcef50a513befdb5b97ed2cde9058567bb2d03f406");
  for (const other of [ids("watcher").root("message-2"), ids("watcher 2").root("message-1")]) {
    assert.notEqual(other.traceId, root.traceId);
    assert.notEqual(other.spanId, root.spanId);
  }
});

Deno.test("TraceIds samples a share of all traces, by their ids alone, and what a smaller share has", () => {
  const messages = Array.from({ length: 10_000 }, (_, index) => `message-${index}`);
  const sampled = (share: number) => {
    const some = ids("watcher", share);
    return new Set(messages.filter((message) => some.root(message).isSampled));
  };
  assert.equal(sampled(0).size, 0);
  assert.equal(sampled(1).size, messages.length);
  const [tenth, quarter] = [sampled(0.1), sampled(0.25)];
  assert.ok(Math.abs(tenth.size - 1000) < 150 && Math.abs(quarter.size - 2500) < 200, `${tenth.size} ${quarter.size}`);
  assert.ok(tenth.isSubsetOf(quarter));
});

Deno.test("traceparentOf() writes W3C's header; whether a trace is sampled goes with it", () => {
  const [traceId, spanId] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"];
  assert.equal(
    traceparentOf({ traceId, spanId, isSampled: true }),
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  );
  const child = childOf({ traceId, spanId, isSampled: false });
  assert.match(traceparentOf(child), /^00-4bf92f3577b34da6a3ce929d0e0e4736-(?!00f067aa0ba902b7)[0-9a-f]{16}-00$/);
});
