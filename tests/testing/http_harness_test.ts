import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { HttpHarness } from "oss-watcher/testing";

Deno.test("HttpHarness outlives a client that goes in the middle of its request", async () => {
  await using harness = await HttpHarness.open();
  const socket = connect(Number(new URL(harness.url).port), "127.0.0.1");
  await once(socket, "connect");
  const reached = harness.reached();
  socket.write("POST /new HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{");
  await reached;
  socket.resetAndDestroy();

  const { body, status } = await fetch(`${harness.url}/old`, { method: "POST", body: "{}" });
  await body?.cancel();

  assert.equal(status, 204);
  assert.deepEqual(harness.taken().map(({ path }) => path), ["/old"]);
});
