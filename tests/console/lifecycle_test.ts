import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import type * as api from "../../src/console/api.ts";
import { freePorts } from "../../tools/free_ports.ts";
import { Service } from "../../tools/service.ts";
import { ProgramDirectory, runProgram } from "../support/program.ts";
import { until } from "../support/until.ts";
import { TestPki } from "../wire/pki.ts";
import { LONG_MS, RunningConsole } from "./consoles.ts";

Deno.test("sessions and open questions survive a restart and a reload", async () => {
  await using running = await RunningConsole.start();
  const session = await running.signIn();
  const { startedAt } = await session.get<api.SessionAnswer>("session");
  await running.restart();
  const restarted = await session.get<api.SessionAnswer>("session");
  assert.ok(restarted.startedAt > startedAt);
  assert.equal(restarted.csrf, session.csrf);
  Deno.kill(running.service.pid, "SIGHUP");
  await running.listening(2);
  const reloaded = await until(() => session.get<api.SessionAnswer>("session").catch(() => null), LONG_MS);
  assert.ok(reloaded.startedAt > restarted.startedAt);
  // The reloaded service is in an isolate of its own, and so is its worker.
  assert.equal((await session.get<api.EventsAnswer>("events")).rows.length, 0);
  assert.equal((await running.service.end("SIGTERM")).code, 0);
});

Deno.test("a reload takes the console away, and brings it back", async () => {
  await using running = await RunningConsole.start();
  const config = Deno.readTextFileSync(running.dir.path("config.ts"));
  running.dir.write("config.ts", config.replace(/console: \{.*\},/, "console: false,"));
  Deno.kill(running.service.pid, "SIGHUP");
  await until(() => running.service.log.includes("Stopped"), LONG_MS);
  await until(() => fetch(running.url).then(() => false, () => true), LONG_MS);
  running.dir.write("config.ts", config);
  await until(() => running.service.log.includes("Connecting to"), LONG_MS);
  Deno.kill(running.service.pid, "SIGHUP");
  await running.listening(2);
});

Deno.test("a port in use does not stop the service; the console comes when the port is free", async () => {
  await using first = await RunningConsole.start();
  using dir = new ProgramDirectory({ "config.ts": Deno.readTextFileSync(first.dir.path("config.ts")) });
  await using second = new Service(dir.path());
  await until(() => second.log.includes("(console) Cannot serve the console at 127.0.0.1"), LONG_MS);
  assert.match(second.log, /the port is in use\. The service goes on without; trying again every 10 s/);
  await first.service.end("SIGTERM");
  await until(() => second.log.includes("Console at"), LONG_MS);
  assert.equal((await second.end("SIGTERM")).code, 0);
});

Deno.test("beyond the loopback address it needs TLS or a proxy: check and start say so", async () => {
  await using running = await RunningConsole.start();
  running.configure({ console: `host: "0.0.0.0",` });
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--deny-net"];
  for (const args of [["check"], []]) {
    const { code, out, err } = await runProgram({ dir: running.dir.path(), args, permissions });
    assert.equal(code, 1);
    assert.match(
      `${out}${err}`.replace(/\s+/g, " "),
      /console\.host: "0\.0\.0\.0" can be reached by others: it needs tls/,
    );
  }
});

Deno.test("with port 0 it listens at a free port, which the command finds, also after a restart", async () => {
  using dir = new ProgramDirectory({
    "config.ts": `import { EventLog } from "oss-watcher/plugins";
export default {
  events: { creation: ["compute.instance.create.end"], deletion: [] },
  plugins: [new EventLog()], rabbit: { port: 9, queue: { name: "q" } }, console: { port: 0 }, metrics: false,
  ledger: { file: "ledger.db" },
};`,
  });
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-net"];
  const command = () => runProgram({ dir: dir.path(), args: ["console", "--print"], permissions });
  const early = await command();
  assert.equal(early.code, 1);
  assert.match(early.err, /^Cannot open the console: console\.port is 0, and the service has not listened/);
  for (let start = 0; start < 2; start++) {
    await using service = new Service(dir.path());
    const [, port] = await until(() => /Console at http:\/\/127\.0\.0\.1:([1-9]\d*)\//.exec(service.log), LONG_MS);
    const { code, out, err } = await until(async () => {
      const ended = await command();
      return ended.out.includes(`:${port}/`) ? ended : null;
    }, LONG_MS);
    assert.equal(code, 0, err);
    assert.equal((await fetch(out.trim())).status, 200);
    await service.end("SIGTERM");
  }
  assert.match((await command()).err, /^Cannot open the console: nothing listens at 127\.0\.0\.1:\d+/);
});

Deno.test("console: false listens nowhere, and the command says so", async () => {
  const [port = 0] = freePorts(1);
  using dir = new ProgramDirectory({
    "config.ts": `import { EventLog } from "oss-watcher/plugins";
export default {
  events: { creation: ["compute.instance.create.end"], deletion: [] },
  plugins: [new EventLog()], rabbit: { port: 9, queue: { name: "q" } }, console: false, metrics: { port: ${port} },
  ledger: { file: "ledger.db" },
};`,
  });
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-net"];
  const { code, err } = await runProgram({ dir: dir.path(), args: ["console"], permissions });
  assert.equal(code, 1);
  assert.match(err, /^Cannot open the console: config\.ts says console: false\./);
  await using service = new Service(dir.path());
  await until(() => service.log.includes("Metrics and health at"), LONG_MS);
  await service.end("SIGTERM");
  assert.ok(!service.log.includes("(console)"));
});

Deno.test("the command console says that no service runs", async () => {
  await using running = await RunningConsole.start();
  await running.service.end("SIGTERM");
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-net"];
  const { code, err } = await runProgram({ dir: running.dir.path(), args: ["console"], permissions });
  assert.equal(code, 1);
  assert.match(err, /^Cannot open the console: nothing listens at 127\.0\.0\.1:\d+\. Start the service/);
});

Deno.test("over TLS the cookie is for TLS alone", async () => {
  await using pki = await TestPki.make();
  const { certFile, keyFile } = await pki.issue("localhost");
  await using running = await RunningConsole.start({
    console: `tls: { certFile: "${certFile}", keyFile: "${keyFile}" },`,
  });
  using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(pki.caFile)] });
  const url = `https://localhost:${running.port}`;
  const response = await fetch(`${url}/sign-in?token=${await running.link()}`, { client });
  assert.equal(response.status, 200);
  await response.body?.cancel();
  const [cookie = "", ...attributes] = response.headers.get("set-cookie")!.split("; ");
  assert.match(cookie, /^__Host-oss-watcher-\d+=/);
  assert.deepEqual(attributes, ["Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=43200", "Secure"]);
  assert.match(response.headers.get("strict-transport-security")!, /^max-age=\d+$/);
  const session = await fetch(`${url}/api/v1/session`, { client, headers: { cookie } });
  assert.equal((await session.json()).user, "anna");
});

Deno.test("a proxy says who it is, by its address and the user's groups", async () => {
  await using running = await RunningConsole.start({
    console: `trustedProxy: { addresses: ["127.0.0.1/32"], userHeader: "X-User", groupsHeader: "X-Groups" },
      groups: { operator: ["cloud-admins"], viewer: ["staff"] }, url: "https://console.example.com",`,
  });
  const ask = (headers: Record<string, string>, path = "session", init: RequestInit = {}) =>
    fetch(`${running.url}/api/v1/${path}`, { ...init, headers });
  const session = async (groups: string) => {
    const response = await ask({ "x-user": "berta", "x-groups": groups });
    return response.status === 200 ? (await response.json()) as api.SessionAnswer : (await response.json()).error;
  };
  assert.deepEqual((await session("staff, cloud-admins")).role, "operator");
  const viewer = await session("staff,others");
  assert.deepEqual([viewer.user, viewer.role, viewer.expiresAt], ["berta", "viewer", null]);
  assert.equal(await session("others"), "Cannot sign in: the user is in no group of console.groups");
  assert.equal(await session(""), "Cannot sign in: the user is in no group of console.groups");
  const nobody = await ask({ "x-groups": "staff" });
  assert.deepEqual([nobody.status, await nobody.json()], [403, { error: "Cannot sign in: the proxy sends no X-User" }]);
  assert.equal((await fetch(`${running.url}/sign-in?token=${await running.link()}`)).status, 403);

  const operator = await session("cloud-admins");
  const headers = { "x-user": "berta", "x-groups": "cloud-admins", "content-type": "application/json" };
  const post = async (more: Record<string, string>) => {
    const init = { method: "POST", body: JSON.stringify({ text: "{}" }) };
    const response = await ask({ ...headers, ...more }, "try", init);
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await post({}), 403);
  const token = { "x-csrf-token": operator.csrf };
  assert.equal(await post(token), 200);
  assert.equal(await post({ ...token, origin: "https://console.example.com" }), 200);
  assert.equal(await post({ ...token, origin: "https://evil.example" }), 403);
  assert.equal(await post({ ...token, "x-user": "carla" }), 403);
});

Deno.test("a proxy that adds to a client's headers, and does not overwrite them, is not believed", async () => {
  await using running = await RunningConsole.start({
    console: `trustedProxy: { addresses: ["127.0.0.1"] }, groups: { operator: ["admins"] },`,
  });
  const ask = async (headers: Record<string, string | readonly string[]>) => {
    const sent = request({ host: "127.0.0.1", port: running.port, path: "/api/v1/session", agent: false });
    for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value);
    sent.end();
    const [response] = await once(sent, "response") as [IncomingMessage];
    return [response.statusCode, JSON.parse(await text(response))];
  };
  const [user, groups] = [{ "x-forwarded-user": "anna" }, { "x-forwarded-groups": "admins" }];
  assert.equal((await ask({ ...user, ...groups }))[0], 200);
  const error = (name: string) => ({ error: `Cannot sign in: ${name} is there twice. The proxy must overwrite it` });
  assert.deepEqual(await ask({ "x-forwarded-user": ["eve", "anna"], ...groups }), [403, error("X-Forwarded-User")]);
  const twice = { "x-forwarded-groups": ["admins", "staff"] };
  assert.deepEqual(await ask({ ...user, ...twice }), [403, error("X-Forwarded-Groups")]);
});

Deno.test("whoever is not the proxy is refused, whatever the headers say", async () => {
  await using running = await RunningConsole.start({
    console: `trustedProxy: { addresses: ["10.9.9.9"] }, groups: { operator: ["a"] },`,
  });
  const headers = { "x-forwarded-user": "eve", "x-forwarded-groups": "a" };
  for (const path of ["", "api/v1/session", "app.js"]) {
    const response = await fetch(`${running.url}/${path}`, { headers });
    const error = "Cannot sign in: it does not come from console.trustedProxy.addresses";
    assert.deepEqual([response.status, await response.json()], [403, { error }]);
  }
  await until(
    () => running.service.log.includes("from 127.0.0.1: it does not come from console.trustedProxy"),
    LONG_MS,
  );
});

Deno.test("a worker that fails is replaced, and the service does not notice", async () => {
  await using running = await RunningConsole.start({
    plugins: `{
      name: "Loose",
      notify() {},
      check() {
        setTimeout(() => { throw new Error("loose " + env("HUSH_TOKEN")); });
        return new Promise(() => {});
      },
    }`,
    env: { HUSH_TOKEN: "hush-4711-sesame" },
  });
  const session = await running.signIn();
  const failed = await session.fetch("POST", "plugins/check", { body: { name: "Loose" } });
  assert.deepEqual([failed.status, await failed.json()], [503, {
    error: "Cannot ask the console's worker: it has failed: loose ***",
  }]);
  assert.equal((await session.get<api.EventsAnswer>("events")).newest, 0);
  assert.match(running.service.log, /The console's worker has failed: loose \*\*\*/);
  assert.ok(!running.service.log.includes("4711"));
  assert.equal((await running.service.end("SIGTERM")).code, 0);
});
