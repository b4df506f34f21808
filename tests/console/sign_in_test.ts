import assert from "node:assert/strict";
import { type ClientRequest, request } from "node:http";
import { until } from "../support/until.ts";
import { READ_WRITE, runProgram } from "../support/program.ts";
import { LONG_MS, RunningConsole } from "./consoles.ts";

let shared: RunningConsole;

Deno.test.beforeAll(async () => void (shared = await RunningConsole.start()));
Deno.test.afterAll(() => shared[Symbol.asyncDispose]());

/** A request with headers that `fetch` does not let one set. */
function raw(
  { path = "/api/v1/session", method = "GET", headers = {}, port = shared.port }: {
    readonly path?: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly port?: number;
  },
): Promise<{ readonly status: number; readonly headers: Record<string, unknown>; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (part) => body += part);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function told(reason: RegExp): Promise<void> {
  await until(() => reason.test(shared.service.log), LONG_MS);
}

Deno.test("a link signs in once, with a cookie that scripts and other sites do not get", async () => {
  const token = await shared.link();
  const first = await raw({ path: `/sign-in?token=${token}` });
  assert.equal(first.status, 200);
  const [cookie] = first.headers["set-cookie"] as string[];
  assert.match(
    cookie!,
    new RegExp(`^oss-watcher-${shared.port}=[\\w.-]+; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200$`),
  );
  const second = await raw({ path: `/sign-in?token=${token}` });
  assert.equal(second.status, 403);
  assert.equal(second.headers["set-cookie"], undefined);
  await told(/Refused GET \/sign-in from 127\.0\.0\.1: a link does not sign in: it was used before/);
  assert.ok(!shared.service.log.includes(token.slice(0, 30)));
});

Deno.test("the command console prints a link that signs in", async () => {
  const permissions = [...READ_WRITE.filter((one) => one !== "--deny-net"), "--allow-net"];
  const { code, out, err } = await runProgram({ dir: shared.dir.path(), args: ["console", "--print"], permissions });
  assert.equal(code, 0, err);
  const response = await fetch(out.trim());
  assert.equal(response.status, 200);
  assert.match(await response.text(), /Open the console/);
});

Deno.test("without a session nothing is told: neither page nor API", async () => {
  const page = await raw({ path: "/" });
  assert.equal(page.status, 401);
  assert.match(page.body, /<code>oss-watcher console<\/code>/);
  for (const path of ["session", "overview", "events", "openapi.json", "stream", "nothing"]) {
    const { status, body } = await raw({ path: `/api/v1/${path}` });
    assert.equal(status, 401, path);
    assert.match(JSON.parse(body).error, /^Cannot answer without a session: run oss-watcher console/);
  }
});

Deno.test("a cookie that is not ours signs nobody in", async () => {
  const { cookie } = await shared.signIn();
  const [name, value = ""] = cookie.split("=");
  const [data = "", signature = ""] = value.split(".");
  const forged = JSON.parse(atob(data.replaceAll("-", "+").replaceAll("_", "/")));
  const other = btoa(JSON.stringify({ ...forged, role: "operator", user: "eve" })).replace(/=+$/, "");
  for (
    const bad of [
      "",
      "x",
      `${data}.`,
      `${data}.${signature}x`,
      `${other}.${signature}`,
      `${data}.${signature}.${signature}`,
    ]
  ) {
    const { status } = await raw({ headers: { cookie: `${name}=${bad}` } });
    assert.equal(status, 401, bad);
  }
  assert.equal((await raw({ headers: { cookie } })).status, 200);
});

Deno.test("what changes something needs the session's own token", async () => {
  const [mine, other] = [await shared.signIn(), await shared.signIn("operator", "eve")];
  assert.notEqual(mine.csrf, other.csrf);
  const body = { name: "EventLog" };
  for (const token of ["", "x", other.csrf]) {
    const response = await mine.fetch("POST", "plugins/pause", { body, headers: { "x-csrf-token": token } });
    assert.equal(response.status, 403, token);
    assert.match((await response.json()).error, /X-CSRF-Token/);
  }
  await told(/Refused POST \/api\/v1\/plugins\/pause from 127\.0\.0\.1: it lacks the session's X-CSRF-Token/);
});

Deno.test("pages of other sites are refused, whatever they send", async () => {
  const { cookie, csrf } = await shared.signIn();
  const host = `127.0.0.1:${shared.port}`;
  const sent = { cookie, "x-csrf-token": csrf, host };
  const cases: readonly Readonly<Record<string, string>>[] = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: `http://127.0.0.1.evil.example:${shared.port}` },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-dest": "iframe", "sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site" },
  ];
  for (const headers of cases) {
    for (const method of ["GET", "POST"]) {
      const { status } = await raw({ method, headers: { ...sent, ...headers } });
      assert.equal(status, 403, JSON.stringify(headers));
    }
  }
  const own = { origin: `http://${host}`, "sec-fetch-site": "same-origin" };
  assert.equal((await raw({ headers: { ...sent, ...own } })).status, 200);
  await told(/: another site's page sends it/);
  await told(/: another page shows it in a frame/);
});

Deno.test("another name that leads to our address is refused (DNS rebinding)", async () => {
  const { cookie } = await shared.signIn();
  for (
    const host of [
      "evil.example",
      `evil.example:${shared.port}`,
      "127.0.0.1.evil.example",
      "[::2]",
      "0.0.0.0",
      "a@127.0.0.1",
    ]
  ) {
    const { status, body } = await raw({ headers: { cookie, host } });
    assert.equal(status, 421, host);
    assert.match(JSON.parse(body).error, /console\.allowedHosts/);
  }
  for (const host of ["localhost", "localhost:8080", "127.0.0.1", "[::1]:1234"]) {
    assert.equal((await raw({ headers: { cookie, host } })).status, 200, host);
  }
  await told(/: it names another host than the console's/);
});

Deno.test("every answer forbids frames, foreign scripts and sniffing", async () => {
  const { cookie } = await shared.signIn();
  for (const path of ["/", "/api/v1/session", "/nothing", "/sign-in"]) {
    const { headers } = await raw({ path, headers: { cookie } });
    const policy = String(headers["content-security-policy"]);
    assert.match(policy, /^default-src 'none'; /);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.equal(headers["cross-origin-opener-policy"], "same-origin");
    assert.equal(headers["cross-origin-resource-policy"], "same-origin");
  }
});

Deno.test("nothing but the page's own files is served", async () => {
  const { cookie } = await shared.signIn();
  const paths = [
    "/../app.ts",
    "/%2e%2e/app.ts",
    "/..%2fapp.ts",
    "/.%2e/%2e%2e/%2e%2e/etc/passwd",
    "//etc/passwd",
    "/index.html/../../app.ts",
    "/console.key",
    "/index.html%00",
  ];
  for (const path of paths) {
    const { status, body } = await raw({ path, headers: { cookie } });
    assert.equal(status, 404, path);
    assert.match(body, /^\{"error":"Cannot find/);
  }
});

Deno.test("other methods are refused, with those that are allowed", async () => {
  const { cookie, csrf } = await shared.signIn();
  const headers = { cookie, "x-csrf-token": csrf };
  for (const method of ["OPTIONS", "PUT", "PATCH", "TRACE"]) {
    const refused = await raw({ method, headers });
    assert.deepEqual([refused.status, refused.headers["allow"]], [405, "GET, HEAD, POST, DELETE"], method);
  }
  const cases = [
    ["POST", "/api/v1/session", "GET, HEAD, DELETE"],
    ["POST", "/api/v1/actions/7", "GET, HEAD, DELETE"],
    ["GET", "/api/v1/plugins/pause", "POST"],
    ["DELETE", "/api/v1/stream", "GET, HEAD"],
    ["POST", "/api/v1/openapi.json", "GET, HEAD"],
    ["POST", "/", "GET, HEAD"],
    ["DELETE", "/app.js", "GET, HEAD"],
    ["POST", "/sign-in?token=x", "GET"],
  ] as const;
  for (const [method, path, allowed] of cases) {
    const refused = await raw({ method, path, headers });
    assert.deepEqual([refused.status, refused.headers["allow"]], [405, allowed], `${method} ${path}`);
  }
  const head = await raw({ method: "HEAD", headers: { cookie } });
  assert.deepEqual([head.status, head.body], [200, ""]);
});

Deno.test("a viewer looks, and does nothing", async () => {
  const viewer = await shared.signIn("viewer");
  assert.equal((await viewer.get<{ role: string }>("session")).role, "viewer");
  const requests: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ["POST", "plugins/pause", { name: "EventLog" }],
    ["POST", "plugins/resume", { name: "EventLog" }],
    ["POST", "plugins/try", { name: "EventLog" }],
    ["POST", "plugins/check", { name: "EventLog" }],
    ["POST", "actions/plan", { action: "drop", target: { plugin: "EventLog" } }],
    ["POST", "actions", { action: "drop", target: { plugin: "EventLog" } }],
    ["DELETE", "actions/1"],
    ["POST", "drift/compare", { apply: true }],
    ["DELETE", "drift/compare"],
  ];
  for (const [method, path, body] of requests) {
    const response = await viewer.fetch(method, path, { body });
    assert.equal(response.status, 403, path);
    assert.match((await response.json()).error, /^Cannot do this as viewer: it takes the role operator$/);
  }
  await told(/: a viewer may not/);
});

Deno.test("whoever signs out is out, also with the old cookie, and after a restart", async () => {
  await using own = await RunningConsole.start();
  const session = await own.signIn();
  const other = await own.signIn();
  assert.deepEqual(await session.json("DELETE", "session"), { signedOut: true });
  assert.equal((await session.fetch("GET", "session")).status, 401);
  await own.restart();
  assert.equal((await session.fetch("GET", "session")).status, 401);
  const { user, csrf } = await other.get<{ user: string; csrf: string }>("session");
  assert.deepEqual([user, csrf], ["anna", other.csrf]);
});

Deno.test("whoever signs out is told nothing more by an open stream", async () => {
  const session = await shared.signIn();
  const { body } = await session.fetch("GET", "stream");
  const reader = body!.getReader();
  await session.json("DELETE", "session");
  const ended = (async () => {
    while (!(await reader.read()).done);
  })();
  let hasEnded = false;
  void ended.then(() => hasEnded = true);
  await until(() => hasEnded, 10_000);
});

Deno.test("a key that others could read is replaced: new links sign in, and old sessions have ended", async () => {
  await using own = await RunningConsole.start();
  const session = await own.signIn();
  await Deno.chmod(own.dir.path("console.key"), 0o644);
  const token = await own.link();
  assert.equal((await Deno.stat(own.dir.path("console.key"))).mode! & 0o777, 0o600);
  assert.equal((await fetch(`${own.url}/sign-in?token=${token}`)).status, 200);
  assert.equal((await session.fetch("GET", "session")).status, 401);
  assert.match(own.service.log, /The console's key was replaced: its sessions have ended/);
});

Deno.test("who sends many bodies at once is refused, and nobody else", async () => {
  const [session, other] = [await shared.signIn("viewer"), await shared.signIn("viewer")];
  const headers = { cookie: session.cookie, "x-csrf-token": session.csrf, "content-type": "application/json" };
  const slow: ClientRequest[] = [];
  const body = { text: "{}" };
  await until(async () => {
    const sent = request(`${session.url}/api/v1/try`, { method: "POST", headers, agent: false });
    sent.on("error", () => {});
    sent.write("{");
    slow.push(sent);
    const { status, body: answer } = await session.fetch("POST", "try", { body });
    await answer?.cancel();
    return status === 503;
  }, LONG_MS);
  const { status, body: answer } = await other.fetch("POST", "try", { body });
  await answer?.cancel();
  assert.equal(status, 200);
  for (const sent of slow) sent.destroy();
  await until(async () => {
    const { status, body: answer } = await session.fetch("POST", "try", { body });
    await answer?.cancel();
    return status === 200;
  }, LONG_MS);
  // Nobody may fill the log by breaking off.
  assert.ok(!shared.service.log.includes("Cannot answer /api/v1/try"));
});

Deno.test("what only looks at an address changes nothing", async () => {
  const token = await shared.link();
  const { status, headers } = await raw({ method: "HEAD", path: `/sign-in?token=${token}` });
  assert.deepEqual([status, headers["allow"], headers["set-cookie"]], [405, "GET", undefined]);
  assert.equal((await raw({ path: `/sign-in?token=${token}` })).status, 200);
});

Deno.test("a link that was made before a restart signs nobody in", async () => {
  await using own = await RunningConsole.start();
  const token = await own.link();
  await own.restart();
  assert.equal((await fetch(`${own.url}/sign-in?token=${token}`)).status, 403);
  assert.match(own.service.log, /a link does not sign in: it is older than this process/);
});

Deno.test("who guesses is made to wait", async () => {
  await using own = await RunningConsole.start();
  const statuses: number[] = [];
  for (let guess = 0; guess < 12; guess++) {
    const response = await fetch(`${own.url}/sign-in?token=${"a".repeat(20)}.${guess}`);
    statuses.push(response.status);
    await response.body?.cancel();
  }
  assert.deepEqual(statuses, [...Array(10).fill(403), 429, 429]);
  // Who guesses locks nobody out.
  assert.equal((await fetch(`${own.url}/sign-in?token=${await own.link()}`)).status, 200);
  assert.equal(own.service.log.split("its signature is wrong").length - 1, 5);
});

Deno.test("the secret is the service's alone", async () => {
  await shared.signIn();
  const { mode } = await Deno.stat(shared.dir.path("console.key"));
  assert.equal((mode ?? 0) & 0o777, 0o600);
});
