import assert from "node:assert/strict";
import { serveStatus } from "../../src/observe/status_server.ts";
import { KeptLog } from "../support/loggers.ts";
import { until } from "../support/until.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

interface Given {
  readonly livenessProblems?: readonly string[];
  readonly readinessProblems?: readonly string[];
  readonly metrics?: () => Promise<string>;
  readonly port?: number;
}

async function serving(
  { livenessProblems = [], readinessProblems = [], metrics = () => Promise.resolve("a 1\n"), port = 0 }: Given = {},
) {
  const log = new KeptLog();
  const clock = new VirtualClock();
  const stop = new AbortController();
  const health = { livenessProblems: () => livenessProblems, readinessProblems: () => readinessProblems };
  const served = serveStatus({ host: "127.0.0.1", port, health, metrics, clock, log }, stop.signal);
  await until(() => log.lines.length > 0);
  const [, url = ""] = /at (http:\S+\/)$/.exec(log.lines[0]!) ?? [];
  const get = async (path: string, method = "GET") => {
    const response = await fetch(`${url}${path}`, { method });
    return { status: response.status, type: response.headers.get("content-type"), body: await response.text() };
  };
  const end = async () => {
    stop.abort();
    await served;
  };
  return { get, log, clock, end, [Symbol.asyncDispose]: end };
}

const TEXT = "text/plain; charset=utf-8";

Deno.test("serveStatus() answers 200 when all is well", async () => {
  await using server = await serving();
  assert.deepEqual(await server.get("healthz"), { status: 200, type: TEXT, body: "ok\n" });
  assert.deepEqual(await server.get("readyz"), { status: 200, type: TEXT, body: "ok\n" });
  const type = "text/plain; version=0.0.4; charset=utf-8";
  assert.deepEqual(await server.get("metrics"), { status: 200, type, body: "a 1\n" });
  assert.deepEqual(await server.get("metrics", "HEAD"), { status: 200, type, body: "" });
});

Deno.test("serveStatus() answers 503 at /readyz alone when it lives and cannot work", async () => {
  await using server = await serving({
    readinessProblems: ["source 0: not connected", "the ledger cannot be written"],
  });
  assert.equal((await server.get("healthz")).status, 200);
  const body = "source 0: not connected\nthe ledger cannot be written\n";
  assert.deepEqual(await server.get("readyz"), { status: 503, type: TEXT, body });
});

Deno.test("serveStatus() answers 503 at both when a stage is stuck", async () => {
  await using server = await serving({ livenessProblems: ["Cmdb has not moved for a minute"] });
  for (const path of ["healthz", "readyz"]) {
    assert.deepEqual(await server.get(path), { status: 503, type: TEXT, body: "Cmdb has not moved for a minute\n" });
  }
});

Deno.test("serveStatus() answers nothing else, and to no other method", async () => {
  await using server = await serving();
  for (const path of ["", "metrics/", "config.ts", "..%2fledger.db", "healthz/x"]) {
    assert.equal((await server.get(path)).status, 404, path);
  }
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    assert.equal((await server.get("metrics", method)).status, 405, method);
  }
});

Deno.test("serveStatus() tells a failure in the log and not to who asks, and goes on", async () => {
  let calls = 0;
  await using server = await serving({
    metrics: () => {
      if (calls++ === 0) return Promise.reject(new Error("secret of the house"));
      return Promise.resolve("a 1\n");
    },
  });
  const failed = await server.get("metrics");
  assert.deepEqual(failed, { status: 500, type: TEXT, body: "Cannot report the status: see the log\n" });
  assert.equal(server.log.lines.at(-1), "error Cannot report the status: secret of the house");
  assert.equal((await server.get("metrics")).status, 200);
});

Deno.test("serveStatus() waits for a port that is in use, and says so once", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = await serving({ port: taken.addr.port });
  await server.clock.advance(30_000);
  assert.deepEqual(server.log.lines, [
    `warn Cannot answer at 127.0.0.1:${taken.addr.port}: the port is in use. The service goes on without; trying again every 10 s. ` +
    "A second service on this machine needs another metrics.port",
  ]);
  const { port } = taken.addr;
  taken.close();
  await server.clock.advance(10_000);
  assert.equal(server.log.lines[1], `info Metrics and health at http://127.0.0.1:${port}/`);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/healthz`)).text(), "ok\n");
});

Deno.test("serveStatus() ends while a client keeps its connection", async () => {
  const server = await serving();
  const url = new URL(/http:\S+/.exec(server.log.lines[0]!)![0]);
  using client = await Deno.connect({ hostname: "127.0.0.1", port: Number(url.port) });
  await client.write(new TextEncoder().encode("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
  await client.read(new Uint8Array(1024));
  await server.end();
});
