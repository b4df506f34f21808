import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { createServer } from "node:https";
import { DeliveryError } from "../../../src/model/errors.ts";
import { env } from "../../../src/wire/secrets/env.ts";
import { HttpTarget, type HttpTargetOptions } from "../../../src/wire/http/http.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";
import { MutualServer } from "../mutual_server.ts";
import { TestPki } from "../pki.ts";
import { closedPort, endlessBody, TestServer } from "../server.ts";

/** What a request that must fail is rejected with. */
async function failure(request: Promise<unknown>): Promise<DeliveryError> {
  const error = await request.then(() => assert.fail("it succeeded"), (error: unknown) => error);
  assert(error instanceof DeliveryError, String(error));
  return error;
}

Deno.test("request() returns status, headers and text when the answer is a success", async () => {
  await using server = new TestServer(() => new Response("grüß", { status: 201, headers: { "X-Id": "7" } }));
  await using target = new HttpTarget();

  const answer = await target.request({ method: "POST", url: `${server.url}/a?b=c`, body: "{}" });

  assert.deepEqual([answer.status, answer.headers.get("x-id"), answer.text], [201, "7", "grüß"]);
  assert.deepEqual(server.requests.map(({ method, path, body }) => [method, path, body]), [["POST", "/a?b=c", "{}"]]);
});

Deno.test("request() sends Basic authentication as UTF-8 when a user is given", async () => {
  await using server = new TestServer();
  await using target = new HttpTarget({ user: "jürgen", password: "pä:ß€" });

  await target.request({ method: "GET", url: server.url });

  // printf 'jürgen:pä:ß€' | base64
  assert.equal(server.requests[0]?.headers.get("authorization"), "Basic asO8cmdlbjpww6Q6w5/igqw=");
});

Deno.test("request() sends bearer, configured headers, and the request's own over them", async () => {
  await using server = new TestServer();
  await using target = new HttpTarget({ bearer: "t0ken", headers: { "X-A": "configured", "X-B": "configured" } });

  await target.request({ method: "GET", url: server.url, headers: { "x-b": "own" } });

  const headers = server.requests[0]?.headers;
  assert.deepEqual(["authorization", "x-a", "x-b"].map((name) => headers?.get(name)), [
    "Bearer t0ken",
    "configured",
    "own",
  ]);
});

for (
  const [status, reason] of [
    [304, "client_error"],
    [400, "client_error"],
    [401, "unauthorized"],
    [403, "client_error"],
    [404, "client_error"],
    [429, "rate_limited"],
    [500, "server_error"],
    [503, "server_error"],
  ] as const
) {
  Deno.test(`request() throws ${reason} when the answer is ${status}`, async () => {
    await using server = new TestServer(() => new Response(null, { status }));
    await using target = new HttpTarget();

    const error = await failure(target.request({ method: "POST", url: server.url }));

    assert.deepEqual([error.reason, error.status, error.retryAfterMs], [reason, status, undefined]);
  });
}

Deno.test("request() quotes the beginning of an answer, made printable, when it is a failure", async () => {
  await using server = new TestServer(() => new Response(`bad\r\n\x1b[2J${"x".repeat(1000)}`, { status: 503 }));
  await using target = new HttpTarget();

  const error = await failure(target.request({ method: "POST", url: `${server.url}/path` }));

  const quoted = `bad\\u{d}\\u{a}\\u{1b}[2J${"x".repeat(177)}…`;
  assert.equal(error.message, `Cannot POST ${server.url}/path: 503 Service Unavailable: "${quoted}"`);
});

Deno.test("request() hides credentials, configured headers and query values when an answer repeats them", async () => {
  await using server = new TestServer((request) => {
    const { authorization, "x-key": key } = Object.fromEntries(request.headers);
    return new Response(`${authorization} ${key} s3cret "s3cret" ${request.url}`, { status: 500 });
  });
  const secrets = ["s3cret", "Z3Vlc3Q", "k3y", "t0ken"];
  for (const options of [{ user: "guest", password: "s3cret" }, { bearer: "s3cret" }]) {
    await using target = new HttpTarget({ ...options, headers: { "X-Key": "k3y" } });

    const { message } = await failure(target.request({ method: "POST", url: `${server.url}/?sig=t0ken` }));

    assert.deepEqual(secrets.filter((secret) => message.includes(secret)), [], message);
    assert.match(message, /\?sig=\*\*\*: 500/);
  }
});

Deno.test("request() shows no part of a secret that an answer repeats until it is cut", async () => {
  const password = 's3cret&"<value>';
  const forms = [
    password,
    "s3cret&amp;&quot;&lt;value&gt;",
    "s3cret%26%22%3Cvalue%3E",
    encodeURIComponent(btoa(`watcher:${password}`)),
  ];
  for (const form of forms) {
    await using server = new TestServer(() => new Response(form.repeat(64 * 1024 / form.length + 2), { status: 500 }));
    await using target = new HttpTarget({ user: "watcher", password });

    const { message } = await failure(target.request({ method: "POST", url: server.url }));

    assert.match(message, /: 500 Internal Server Error: "\*{199}…"$/);
  }
});

Deno.test("request() hides what came through env() in its URL's path, and in what an answer says of it", async () => {
  Deno.env.set("OSS_WATCHER_TEST_HOOK_TOKEN", "T0KEN/of-hook");
  const token = env("OSS_WATCHER_TEST_HOOK_TOKEN");
  Deno.env.delete("OSS_WATCHER_TEST_HOOK_TOKEN");
  // As Express says it.
  await using server = new TestServer(({ url }) =>
    new Response(`<pre>Cannot POST ${new URL(url).pathname}</pre>`, { status: 404 })
  );
  await using target = new HttpTarget();
  const request = { method: "POST", url: `${server.url}/hooks/${token}` };

  const { message } = await failure(target.request(request));

  assert.equal(message, `Cannot POST ${server.url}/hooks/***: 404 Not Found: "<pre>Cannot POST /hooks/***</pre>"`);
  assert.equal(target.preview(request).url, `${server.url}/hooks/***`);
});

Deno.test("request() does not follow a redirect, and says where it leads", async () => {
  await using server = new TestServer(() =>
    new Response("moved", { status: 307, headers: { location: "/next?token=t0ken" } })
  );
  await using target = new HttpTarget();

  const error = await failure(target.request({ method: "POST", url: `${server.url}/first` }));

  assert.equal(server.requests.length, 1);
  assert.match(
    error.message,
    /307 Temporary Redirect \(redirects are not followed; .*\/next\?token=\*\*\*\): "moved"$/,
  );
});

Deno.test("request() tells how long to wait when Retry-After is in seconds", async () => {
  await using server = new TestServer(() => new Response("", { status: 503, headers: { "retry-after": "120" } }));
  await using target = new HttpTarget();

  assert.equal((await failure(target.request({ method: "POST", url: server.url }))).retryAfterMs, 120_000);
});

Deno.test("request() measures Retry-After by the server's clock when it is a date", async () => {
  const headers = { "date": "Sat, 21 Nov 2026 20:00:00 GMT", "retry-after": "Sat, 21 Nov 2026 20:01:30 GMT" };
  await using server = new TestServer(() => new Response("", { status: 429, headers }));
  await using target = new HttpTarget();

  assert.equal((await failure(target.request({ method: "POST", url: server.url }))).retryAfterMs, 90_000);
});

Deno.test("request() reads 64 KiB and cancels the rest when an answer does not end", async () => {
  const { body, cancelled } = endlessBody("a".repeat(1000), true);
  await using server = new TestServer(() => new Response(body));
  await using target = new HttpTarget();

  const { text } = await target.request({ method: "GET", url: server.url });

  assert.equal(text.length, 64 * 1024);
  await cancelled;
});

Deno.test("request() reads as much as maxAnswerBytes says, and tells whether that was all", async () => {
  await using server = new TestServer(() => new Response("x".repeat(100)));
  await using target = new HttpTarget({ maxAnswerBytes: 100_000 });
  await using narrow = new HttpTarget({ maxAnswerBytes: 10 });
  const request = { method: "GET", url: server.url };

  const { text, complete } = await target.request(request);
  assert.deepEqual([text.length, complete], [100, true]);
  const cut = await narrow.request(request);
  assert.deepEqual([cut.text, cut.complete], ["x".repeat(10), false]);
});

Deno.test("request() returns the statuses that a request accepts, with their headers and text", async () => {
  await using server = new TestServer(() => new Response("versions", { status: 300, headers: { "location": "/v3" } }));
  await using target = new HttpTarget();

  const answer = await target.request({ method: "GET", url: server.url, accepts: (status) => status === 300 });

  assert.deepEqual([answer.status, answer.headers.get("location"), answer.text], [300, "/v3", "versions"]);
  const error = await failure(target.request({ method: "GET", url: server.url, accepts: (status) => status === 404 }));
  assert.equal(error.status, 300);
});

Deno.test("request() hides the request's own secret headers when an answer repeats them", async () => {
  await using server = new TestServer(({ headers }) => new Response(headers.get("x-auth-token"), { status: 500 }));
  await using target = new HttpTarget();

  const { message } = await failure(
    target.request({ method: "GET", url: server.url, headers: { "X-Auth-Token": "gAAAAA-abc" } }),
  );

  assert.match(message, /500 Internal Server Error: "\*\*\*"$/);
});

Deno.test("request() trusts a private authority when caFile names it", async () => {
  await using pki = await TestPki.make();
  await using server = new TestServer(undefined, await pki.issue("localhost"));
  await using target = new HttpTarget({ caFile: pki.caFile });

  assert.equal((await target.request({ method: "GET", url: `https://localhost:${server.port}` })).text, "ok");
});

Deno.test("request() refuses a certificate when its authority is unknown or another one", async () => {
  await using pki = await TestPki.make();
  await using otherPki = await TestPki.make();
  await using server = new TestServer(undefined, await pki.issue("localhost"));
  for (const options of [{}, { caFile: otherPki.caFile }]) {
    await using target = new HttpTarget(options);

    const error = await failure(target.request({ method: "GET", url: `https://localhost:${server.port}/?a=b` }));

    assert.equal(error.reason, "connection");
    assert.match(error.message, /\/\?a=\*\*\*: .*(?:UnknownIssuer|BadSignature)/);
  }
  assert.equal(server.requests.length, 0);
});

Deno.test("request() says what to do about a port that no fetch goes to, and about credentials that are refused", async () => {
  await using server = new TestServer(() => new Response(null, { status: 401 }));
  const said = async (target: HttpTarget, port: number) =>
    (await failure(target.request({ method: "GET", url: `http://localhost:${port}/` }))).message;
  await using nobody = new HttpTarget();
  await using somebody = new HttpTarget({ bearer: "abc" });

  assert.match(await said(nobody, 10080), /port 10080 are blocked; let the service listen on another port/);
  assert.match(await said(nobody, server.port), /401 Unauthorized; set user and password, bearer or headers$/);
  assert.match(await said(somebody, server.port), /401 Unauthorized; check the credentials in its options$/);
});

Deno.test("request() refuses a certificate when it is for another name", async () => {
  await using pki = await TestPki.make();
  await using server = new TestServer(undefined, await pki.issue("elsewhere.example"));
  await using target = new HttpTarget({ caFile: pki.caFile });

  const error = await failure(target.request({ method: "GET", url: `https://localhost:${server.port}` }));

  assert.match(error.message, /NotValidForName|not valid for name/);
});

Deno.test("request() shows its certificate when the server asks for one", async () => {
  await using pki = await TestPki.make();
  const { cert, key } = await pki.issue("localhost");
  const { certFile, keyFile } = await pki.issue("watcher");
  const ca = await Deno.readTextFile(pki.caFile);
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true }, (_, answer) => {
    answer.end("known");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `https://localhost:${typeof address === "object" ? address?.port : ""}`;
  {
    await using known = new HttpTarget({ caFile: pki.caFile, certFile, keyFile });
    await using unknown = new HttpTarget({ caFile: pki.caFile });

    assert.equal((await known.request({ method: "GET", url })).text, "known");
    const error = await failure(unknown.request({ method: "GET", url }));

    assert.match(error.message, /CertificateRequired; set certFile and keyFile/);
  }
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("request() takes up renewed certificates, theirs and ours, and what is under way ends as it began", async () => {
  using dir = new TemporaryDirectory();
  const files = { caFile: dir.path("ca.pem"), certFile: dir.path("tls.crt"), keyFile: dir.path("tls.key") };
  await using before = await MutualServer.open("localhost");
  await using after = await MutualServer.open("127.0.0.1");
  await before.install(files);
  await using target = new HttpTarget(files);

  assert.equal((await target.request({ method: "GET", url: before.url })).text, "known");
  const slow = target.request({ method: "GET", url: `${before.url}/slow` });
  slow.catch(() => {});
  await before.reached;
  await after.install(files);

  assert.equal((await target.request({ method: "GET", url: after.url })).text, "known");
  const stale = await failure(target.request({ method: "GET", url: before.url }));
  assert.equal(stale.reason, "connection");
  before.release();
  assert.equal((await slow).text, "slow");
});

Deno.test("request() goes on with the certificate that it has while a renewed one cannot be used, and says so when that fails", async () => {
  using dir = new TemporaryDirectory();
  const files = { caFile: dir.path("ca.pem"), certFile: dir.path("tls.crt"), keyFile: dir.path("tls.key") };
  await using before = await MutualServer.open("localhost");
  await using after = await MutualServer.open("127.0.0.1");
  await before.install(files);
  await using target = new HttpTarget(files);
  await target.request({ method: "GET", url: before.url });

  await after.install({ certFile: files.certFile });
  assert.equal((await target.request({ method: "GET", url: before.url })).text, "known");
  const { message } = await failure(target.request({ method: "GET", url: after.url }));
  assert.match(
    message,
    /(?:UnknownIssuer|BadSignature).*; Cannot use the CA file .* the certificate file ".*tls\.crt" with the key file ".*": .*KeyMismatch/,
  );

  await after.install(files);
  assert.equal((await target.request({ method: "GET", url: after.url })).text, "known");
});

Deno.test("request() throws timeout when the answer does not come in time", async () => {
  await using server = new TestServer(() => new Promise(() => {}));
  await using target = new HttpTarget({ timeoutSeconds: 0.2 });

  const error = await failure(target.request({ method: "POST", url: `${server.url}/slow` }));

  assert.equal(error.reason, "timeout");
  assert.equal(error.message, `Cannot POST ${server.url}/slow: no answer within 0.2 s`);
});

Deno.test("request() throws timeout when a success stops in the middle of its body", async () => {
  const { body, cancelled } = endlessBody("half", false);
  await using server = new TestServer(() => new Response(body));
  await using target = new HttpTarget({ timeoutSeconds: 0.2 });

  assert.equal((await failure(target.request({ method: "POST", url: server.url }))).reason, "timeout");
  await cancelled;
});

Deno.test("request() throws timeout, and hangs up, when a success stops before its announced length", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const hungUp = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(1024));
    await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
    return await connection.read(new Uint8Array(1)).catch(() => null);
  })();
  await using target = new HttpTarget({ timeoutSeconds: 0.2 });

  const error = await failure(target.request({ method: "POST", url: `http://127.0.0.1:${listener.addr.port}/` }));

  assert.equal(error.reason, "timeout");
  assert.equal(await hungUp, null);
});

Deno.test("request() reads no more than maxAnswerBytes of what a short answer unpacks to", async () => {
  const packed = new Blob(["x".repeat(1_000_000)]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = await new Response(packed).bytes();
  const headers = { "content-encoding": "gzip", "content-length": String(bytes.length) };
  await using server = new TestServer(() => new Response(bytes, { headers }));
  await using target = new HttpTarget({ maxAnswerBytes: 10_000 });

  const { text, complete } = await target.request({ method: "GET", url: server.url });

  assert.deepEqual([text.length, complete, bytes.length < 10_000], [10_000, false, true]);
});

Deno.test("request() gives each of many requests its own time, and leaves nothing on the caller's signal", async () => {
  const late = Promise.withResolvers<Response>();
  await using server = new TestServer(({ url }) => url.endsWith("/late") ? late.promise : new Response("ok"));
  await using target = new HttpTarget({ timeoutSeconds: 0.4 });
  const caller = new AbortController();
  const { signal } = caller;
  const ask = (path: string) => target.request({ method: "GET", url: server.url + path, signal });

  const first = failure(ask("/late"));
  await ask("/");
  const second = failure(ask("/late"));

  assert.deepEqual([(await first).reason, (await second).reason], ["timeout", "timeout"]);
  assert.equal((await ask("/")).text, "ok");
  assert.equal(getEventListeners(signal, "abort").length, 0);
  late.resolve(new Response());
});

Deno.test("request() tells the status when a failure stops in the middle of its body", async () => {
  const { body, cancelled } = endlessBody("half", false);
  await using server = new TestServer(() => new Response(body, { status: 503, headers: { "retry-after": "5" } }));
  await using target = new HttpTarget({ timeoutSeconds: 0.2 });

  const error = await failure(target.request({ method: "POST", url: server.url }));

  assert.deepEqual([error.reason, error.status, error.retryAfterMs], ["server_error", 503, 5000]);
  await cancelled;
});

Deno.test("request() throws connection when nobody listens", async () => {
  await using target = new HttpTarget();
  const url = `http://127.0.0.1:${closedPort()}/path`;

  const error = await failure(target.request({ method: "POST", url: `${url}?token=t0ken` }));

  assert.equal(error.reason, "connection");
  assert.match(
    error.message,
    /^Cannot POST http:\/\/127\.0\.0\.1:\d+\/path\?token=\*\*\*: tcp connect error: Connection refused/,
  );
  assert.equal(error.cause, undefined);
});

Deno.test("request() throws interrupted and sends nothing when the signal is aborted before", async () => {
  await using server = new TestServer();
  await using target = new HttpTarget();

  const error = await failure(target.request({ method: "POST", url: server.url, signal: AbortSignal.abort() }));

  assert.deepEqual([error.reason, server.requests.length], ["interrupted", 0]);
});

for (
  const [cause, reason] of [
    [new Error("the service stops"), "interrupted"],
    [new DOMException("the attempt took too long", "TimeoutError"), "timeout"],
  ] as const
) {
  Deno.test(`request() throws ${reason} when the caller aborts with ${cause.name}`, async () => {
    const stop = new AbortController();
    await using server = new TestServer(() => {
      stop.abort(cause);
      return new Promise(() => {});
    });
    await using target = new HttpTarget();

    const error = await failure(target.request({ method: "POST", url: server.url, signal: stop.signal }));

    assert.deepEqual([error.reason, error.cause], [reason, cause]);
  });
}

Deno.test("request() names a file that is missing, and finds it once it is there", async () => {
  await using pki = await TestPki.make();
  await using server = new TestServer();
  const caFile = `${pki.caFile}.later`;
  await using target = new HttpTarget({ caFile });

  const error = await failure(target.request({ method: "GET", url: server.url }));
  await Deno.copyFile(pki.caFile, caFile);

  assert.ok(error.message.startsWith(`Cannot read the CA file "${caFile}": No such file or directory`), error.message);
  assert.equal((await target.request({ method: "GET", url: server.url })).text, "ok");
});

Deno.test("request() names a file that is not PEM", async () => {
  await using pki = await TestPki.make();
  const { certFile, keyFile } = await pki.issue("watcher");
  await Deno.writeTextFile(keyFile, "-----BEGIN nonsense");
  await using wrongKey = new HttpTarget({ certFile, keyFile });
  await Deno.writeTextFile(pki.caFile, "no certificate");
  await using wrongCa = new HttpTarget({ caFile: pki.caFile });

  const request = { method: "GET", url: "http://127.0.0.1" };

  assert.match((await failure(wrongCa.request(request))).message, /Cannot use the CA file ".*ca\.pem": it is not PEM/);
  assert.match(
    (await failure(wrongKey.request(request))).message,
    /Cannot use the certificate file ".*" with the key file "/,
  );
});

Deno.test("request() throws TypeError without a secret when the request cannot be sent", async () => {
  await using target = new HttpTarget();
  const requests: [string, Record<string, string>][] = [
    ["http://user:s3cret@127.0.0.1/", {}],
    ["file:///etc/passwd", {}],
    ["s3cret", {}],
    ["http://127.0.0.1/", { "X-Token": "s3cret\nx" }],
  ];
  for (const [url, headers] of requests) {
    await assert.rejects(
      target.request({ method: "GET", url, headers }),
      (error: unknown) => error instanceof TypeError && !error.message.includes("s3cret"),
    );
  }
});

Deno.test("request() works again when the target was disposed of", async () => {
  await using server = new TestServer();
  await using target = new HttpTarget();
  await target.request({ method: "GET", url: server.url });

  await target[Symbol.asyncDispose]();

  assert.equal((await target.request({ method: "GET", url: server.url })).status, 200);
});

Deno.test("preview() shows the headers that request() sends, with *** for secrets", async () => {
  await using server = new TestServer();
  await using target = new HttpTarget({ user: "u", password: "p", headers: { "X-Any": "k3y", "User-Agent": "mine" } });
  const request = {
    method: "POST",
    url: `${server.url}/a?b=c`,
    headers: { "X-Auth-Token": "t", "X-Seen": "s" },
    body: "b",
  };

  const preview = target.preview(request);
  await target.request(request);

  assert.deepEqual(preview, {
    method: "POST",
    url: `${server.url}/a?b=***`,
    headers: { "authorization": "***", "user-agent": "mine", "x-any": "***", "x-auth-token": "***", "x-seen": "s" },
    body: "b",
  });
  const sent = new Set(server.requests[0]?.headers.keys());
  assert.deepEqual(Object.keys(preview.headers).filter((name) => !sent.has(name)), []);
});

Deno.test("new HttpTarget() names every wrong option, and no value", () => {
  const options: Record<string, unknown> = {
    caFile: "",
    certFile: "cert.pem",
    user: "a:s3cret",
    bearer: "s3cret\n",
    timeoutSeconds: 0,
    headers: { "X-A": "s3cret\r\n" },
    pasword: "s3cret",
  };
  assert.throws(() => new HttpTarget(options as HttpTargetOptions), (error: unknown) => {
    assert(error instanceof TypeError);
    for (const name of [...Object.keys(options), "certFile: needs keyFile", "only one can be sent"]) {
      assert.ok(error.message.includes(name), `${name} in ${error.message}`);
    }
    return !error.message.includes("s3cret");
  });
});
