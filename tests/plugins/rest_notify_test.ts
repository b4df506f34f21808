import assert from "node:assert/strict";
import { DeliveryError, type Detail } from "../../mod.ts";
import { RestNotify } from "../../plugins/rest_notify.ts";
import type { RestNotifyOptions } from "../../plugins/rest_options.ts";
import { TestPki } from "../wire/pki.ts";
import { closedPort, TestServer } from "../wire/server.ts";
import { context, detail, updateContext } from "./notification.ts";

const paths = { urlCreation: "/some_url", urlDeletion: "/some_url2" };
const never = new AbortController().signal;

function refusal(options: Record<string, unknown>): string {
  try {
    new RestNotify(options as unknown as RestNotifyOptions);
  } catch (error) {
    assert(error instanceof TypeError);
    return error.message;
  }
  assert.fail("it was accepted");
}

/** Base64 of HMAC-SHA256, by another implementation than the one under test. */
async function hmac(key: string, text: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", encoder.encode(key), algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(text))).toBase64();
}

Deno.test("notify() posts the detail as JSON with the event's key when something was created", async () => {
  await using server = new TestServer(() => new Response(null, { status: 204 }));
  await using plugin = new RestNotify({ host: "http://127.0.0.1", port: server.port, ...paths });

  await plugin.notify(detail, true, context());

  const [request] = server.requests;
  assert.deepEqual([request?.method, request?.path], ["POST", "/some_url"]);
  assert.equal(request?.headers.get("content-type"), "application/json");
  assert.equal(request?.headers.get("idempotency-key"), "server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/creation");
  assert.equal(request?.headers.get("authorization"), null);
  assert.deepEqual(JSON.parse(request?.body ?? ""), detail);
});

Deno.test("notify() posts to urlDeletion, with Basic authentication, when something was deleted", async () => {
  await using server = new TestServer();
  await using plugin = new RestNotify({ host: server.url, user: "user", password: "password", ...paths });

  await plugin.notify(detail, false, context());

  assert.equal(server.requests[0]?.path, "/some_url2");
  assert.equal(server.requests[0]?.headers.get("authorization"), "Basic dXNlcjpwYXNzd29yZA==");
});

Deno.test("notify() posts to full URLs when there is no host", async () => {
  await using creations = new TestServer();
  await using deletions = new TestServer();
  await using plugin = new RestNotify({ urlCreation: `${creations.url}/a?b=c`, urlDeletion: `${deletions.url}/d` });

  await plugin.notify(detail, true, context());
  await plugin.notify(detail, false, context());

  assert.deepEqual([creations.requests[0]?.path, deletions.requests[0]?.path], ["/a?b=c", "/d"]);
});

Deno.test("notify() percent-encodes what a header cannot carry when an id is hostile", async () => {
  await using server = new TestServer();
  await using plugin = new RestNotify({ host: server.url, ...paths });

  await plugin.notify(detail, true, context({ key: "server/a b\r\nX: ü%\ud800😀/creation" }));

  const key = server.requests[0]?.headers.get("idempotency-key");
  assert.equal(key, "server/a%20b%0D%0AX:%20%C3%BC%25%EF%BF%BD%F0%9F%98%80/creation");
});

Deno.test("notify() throws what the receiver says when it is not a success", async () => {
  await using server = new TestServer(() => new Response("later", { status: 503, headers: { "retry-after": "7" } }));
  await using plugin = new RestNotify({ host: server.url, user: "user", password: "s3cret", ...paths });

  await assert.rejects(plugin.notify(detail, true, context()), (error: unknown) => {
    assert(error instanceof DeliveryError);
    assert.deepEqual([error.reason, error.status, error.retryAfterMs], ["server_error", 503, 7000]);
    assert.equal(error.message, `Cannot POST ${server.url}/some_url: 503 Service Unavailable: "later"`);
    return true;
  });
});

Deno.test("notify() says with a header whether the creation was seen", async () => {
  await using server = new TestServer();
  await using plugin = new RestNotify({ host: server.url, ...paths });

  await plugin.notify(detail, false, context({ creationSeen: false }));
  await plugin.notify(detail, false, context({ creationSeen: true }));

  const seen = server.requests.map(({ headers }) => headers.get("oss-watcher-creation-seen"));
  assert.deepEqual(seen, ["false", "true"]);
});

Deno.test("notify() sends with another method, own headers and a content type of the user's", async () => {
  await using server = new TestServer();
  const headers = { "X-Api-Key": "k3y", "Content-Type": "application/vnd.cmdb+json" };
  await using plugin = new RestNotify({ host: server.url, ...paths, method: "PUT", headers });

  await plugin.notify(detail, true, context());

  const [request] = server.requests;
  assert.equal(request?.method, "PUT");
  assert.equal(request?.headers.get("x-api-key"), "k3y");
  assert.equal(request?.headers.get("content-type"), "application/vnd.cmdb+json");
});

Deno.test("notify() sends the execution context of VMware Orchestrator when body is vco-xml", async () => {
  await using server = new TestServer();
  await using plugin = new RestNotify({ host: server.url, ...paths, body: "vco-xml" });

  await plugin.notify({ FQDN: "a<b>&'\"", Description: null } as unknown as Detail, true, context());

  const [request] = server.requests;
  assert.equal(request?.headers.get("content-type"), "application/xml");
  assert.equal(
    request?.body,
    '<execution-context xmlns="http://www.vmware.com/vco"><parameters><parameter name="nodeDetails" type="string"><string>' +
      "{&quot;FQDN&quot;:&quot;a&lt;b&gt;&amp;&apos;\\&quot;&quot;,&quot;Description&quot;:null}" +
      "</string></parameter></parameters></execution-context>",
  );
});

Deno.test("notify() sends what the function body returns, an object as JSON and a string as it is", async () => {
  await using server = new TestServer();
  const make = ({ FQDN }: Detail, created: boolean) => created ? { name: FQDN } : `gone: ${FQDN}\ud800`;
  await using plugin = new RestNotify({ host: server.url, ...paths, body: make });

  await plugin.notify(detail, true, context());
  await plugin.notify(detail, false, context());

  const sent = server.requests.map(({ headers, body }) => [headers.get("content-type"), body]);
  assert.deepEqual(sent, [
    ["application/json", '{"name":"fake.hostname.com"}'],
    ["text/plain;charset=UTF-8", "gone: fake.hostname.com\ufffd"],
  ]);
});

for (
  const [body, state] of [
    [() => undefined, "returned nothing"],
    [() => null, "returned null"],
    [() => 7, "returned the number 7"],
    [() => Promise.reject(new Error("no")), "returned a promise: it must not be async"],
  ] as const
) {
  Deno.test(`notify() sends nothing when the function body ${state}`, async () => {
    await using server = new TestServer();
    await using plugin = new RestNotify({ host: server.url, ...paths, body: body as unknown as () => string });

    await assert.rejects(plugin.notify(detail, true, context()), {
      name: "PermanentError",
      message: `Cannot make body of RestNotify: its function in config.ts ${state}; ` +
        "it must return a text or an object that JSON can hold",
    });
    assert.equal(server.requests.length, 0);
  });
}

Deno.test("notify() signs each attempt with its own time and every secret, as Standard Webhooks says", async () => {
  await using server = new TestServer();
  const [newKey, oldKey] = ["the new key, of 24 bytes", "the old key, also of 29 bytes"];
  const signingSecrets = [newKey, oldKey].map((key) => `whsec_${btoa(key)}`);
  await using plugin = new RestNotify({ host: server.url, ...paths, signingSecrets });
  const before = Math.floor(Date.now() / 1000);

  await plugin.notify(detail, true, context({ key: "server/a.b/creation" }));
  await plugin.notify(detail, true, context({ key: "server/a.b/creation", attempt: 2 }));

  const after = Math.floor(Date.now() / 1000);
  for (const { headers, body } of server.requests) {
    const [id, timestamp] = [headers.get("webhook-id"), headers.get("webhook-timestamp")];
    assert.equal(id, "server/a%2Eb/creation");
    assert.ok(before <= Number(timestamp) && Number(timestamp) <= after);
    const signatures = await Promise.all([newKey, oldKey].map((key) => hmac(key, `${id}.${timestamp}.${body}`)));
    assert.equal(headers.get("webhook-signature"), signatures.map((signature) => `v1,${signature}`).join(" "));
  }
  assert.equal(server.requests.length, 2);
});

Deno.test("notify() throws when the answer is a redirect, and follows none", async () => {
  await using server = new TestServer(() => new Response("", { status: 307, headers: { location: "/elsewhere" } }));
  await using plugin = new RestNotify({ host: server.url, ...paths });

  await assert.rejects(plugin.notify(detail, true, context()), /307 .*redirects are not followed; .*\/elsewhere/);
  assert.equal(server.requests.length, 1);
});

Deno.test("notify() gives up for good when the key is longer than a header should be", async () => {
  await using server = new TestServer();
  await using plugin = new RestNotify({ host: server.url, ...paths });

  await assert.rejects(plugin.notify(detail, true, context({ key: "x".repeat(1025) })), { name: "PermanentError" });
  assert.equal(server.requests.length, 0);
});

Deno.test("notify() trusts the authority of caFile", async () => {
  await using pki = await TestPki.make();
  await using server = new TestServer(undefined, await pki.issue("localhost"));
  await using plugin = new RestNotify({ host: "https://localhost/", port: server.port, caFile: pki.caFile, ...paths });

  await plugin.notify(detail, true, context());

  assert.equal(server.requests.length, 1);
});

Deno.test("notify() ends when its signal is aborted", async () => {
  const stop = new AbortController();
  await using server = new TestServer(() => {
    stop.abort();
    return new Promise(() => {});
  });
  await using plugin = new RestNotify({ host: server.url, ...paths });

  await assert.rejects(plugin.notify(detail, true, context({ signal: stop.signal })), { reason: "interrupted" });
});

Deno.test("preview() shows exactly what notify() sends, with *** for secrets", async () => {
  await using server = new TestServer();
  await using plugin = new RestNotify({ host: server.url, bearer: "t0ken", ...paths });

  const preview = plugin.preview(detail, true, context());
  await plugin.notify(detail, true, context());

  const request = server.requests[0];
  assert.deepEqual(preview, {
    method: request?.method,
    url: server.url + request?.path,
    headers: {
      "authorization": "***",
      "content-type": "application/json",
      "idempotency-key": "server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/creation",
      "oss-watcher-creation-seen": "true",
      "oss-watcher-sequence": "1",
    },
    body: JSON.parse(request?.body ?? ""),
  });
});

Deno.test("preview() of a signed request has the time of its event, so that it is the same at any time", async () => {
  const signingSecrets = [`whsec_${btoa("a key of at least 24 bytes")}`];
  await using plugin = new RestNotify({ host: "https://h", ...paths, signingSecrets });
  const { headers } = plugin.preview(detail, true, context({ time: "2026-11-21T19:13:11.667Z" })) as {
    readonly headers: Record<string, string>;
  };
  assert.equal(headers["webhook-timestamp"], String(Date.UTC(2026, 10, 21, 19, 13, 11) / 1000));
});

Deno.test("preview() shows XML as text, and no signature", async () => {
  const signingSecrets = [`whsec_${btoa("s".repeat(24))}`];
  const options = { host: "https://h", ...paths, signingSecrets, method: "PATCH" } as const;
  await using plugin = new RestNotify({ ...options, body: "vco-xml" });

  const preview = plugin.preview(detail, false, context()) as Record<string, unknown>;

  const headers = preview["headers"] as Record<string, string>;
  assert.deepEqual([preview["method"], preview["url"]], ["PATCH", "https://h/some_url2"]);
  assert.deepEqual([headers["webhook-signature"], headers["content-type"]], ["***", "application/xml"]);
  assert.match(String(preview["body"]), /^<execution-context /);
});

Deno.test("check() resolves when the target answers, though it does not know OPTIONS", async () => {
  await using server = new TestServer(() => new Response("", { status: 405 }));
  await using plugin = new RestNotify({ host: server.url, ...paths });

  await plugin.check(never);

  assert.deepEqual(server.requests.map(({ method, path }) => [method, path]), [
    ["OPTIONS", "/some_url"],
    ["OPTIONS", "/some_url2"],
  ]);
});

Deno.test("check() rejects when the target does not know us", async () => {
  await using server = new TestServer(() => new Response("", { status: 401 }));
  await using plugin = new RestNotify({ host: server.url, ...paths });

  await assert.rejects(plugin.check(never), { reason: "unauthorized" });
});

Deno.test("check() rejects when nobody listens", async () => {
  await using plugin = new RestNotify({ host: `http://127.0.0.1:${closedPort()}`, ...paths });

  await assert.rejects(plugin.check(never), { reason: "connection" });
});

Deno.test("new RestNotify() says to write a scheme when host has none", () => {
  assert.equal(
    refusal({ host: "some_host", ...paths }),
    "Cannot make RestNotify: host: must begin with https:// or http://, and hold no user and password",
  );
});

for (
  const [options, problems] of [
    [{ host: "https://h/base", ...paths }, ["host: must not hold a path"]],
    [{ host: "https://user:s3cret@h", ...paths }, ["host: must begin with"]],
    [{ host: "https://h", port: 70000, ...paths }, ["port: must be a whole number from 1 to 65535"]],
    [{ host: "https://h:1", port: 2, ...paths }, ["port: host names one already"]],
    [paths, ["urlCreation: must be a full URL", "urlDeletion: must be a full URL"]],
    [{ port: 80, urlCreation: "http://h/a", urlDeletion: "http://h/b" }, ["port: needs host"]],
    [{ host: "https://h", urlcreation: "/a", urlDeletion: "b" }, [
      "urlCreation: ",
      "urlDeletion: ",
      "urlcreation: unknown",
    ]],
    [{ host: "https://h", ...paths, keyFile: "k", pasword: "s3cret" }, [
      "keyFile: needs certFile",
      "pasword: unknown option",
    ]],
    [{ host: "https://h", ...paths, headers: { "Webhook-ID": "a", "idempotency-Key": "b" } }, [
      "headers: Webhook-ID and idempotency-Key cannot be set",
    ]],
    [{ host: "https://h", ...paths, method: "GET" }, ["method: must be one of POST, PUT, PATCH, DELETE"]],
    [{ host: "https://h", ...paths, body: "xml" }, ['body: must be "json", "vco-xml" or a function']],
    [{ host: "https://h", ...paths, signingSecrets: [] }, ["signingSecrets: must be a list"]],
    [{ host: "https://h", ...paths, signingSecrets: ["whsec_czNjcmV0s3cret"] }, ["signingSecrets: must be a list"]],
    [{ host: "https://h", ...paths, name: "" }, ["name: must be a text"]],
  ] as const
) {
  Deno.test(`new RestNotify() names every wrong option when they are ${JSON.stringify(options)}`, () => {
    const message = refusal(options);
    for (const problem of problems) assert.ok(message.includes(problem), message);
    assert.ok(!message.includes("s3cret"));
    assert.equal(
      message.split("; ").filter((part) => /^(?:Cannot make RestNotify: )?\w+: /.test(part)).length,
      problems.length,
    );
  });
}

const following = { ...paths, urlUpdate: "/some_url3" };

Deno.test("update() puts the detail to urlUpdate, with the event's key and the keys that changed", async () => {
  await using server = new TestServer();
  await using plugin = new RestNotify({ host: server.url, ...following });

  await plugin.update?.(detail, updateContext({ changed: ["FQDN", "Metadata"] }));

  const [request] = server.requests;
  assert.deepEqual([request?.method, request?.path], ["PUT", "/some_url3"]);
  assert.equal(request?.headers.get("oss-watcher-changed"), "FQDN,Metadata");
  assert.equal(request?.headers.get("idempotency-key"), `server/${detail.ID}/update/1`);
  assert.deepEqual(JSON.parse(request?.body ?? ""), detail);
});

for (const methodUpdate of ["POST", "PUT", "PATCH", "DELETE"] as const) {
  Deno.test(`update() sends with ${methodUpdate} when methodUpdate says so, and notify() does not`, async () => {
    await using server = new TestServer();
    await using plugin = new RestNotify({ host: server.url, ...following, methodUpdate });

    await plugin.update?.(detail, updateContext());
    await plugin.notify(detail, true, context());

    const sent = server.requests.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(sent, [`${methodUpdate} /some_url3`, "POST /some_url"]);
    assert.equal(server.requests[1]?.headers.has("oss-watcher-changed"), false);
  });
}

Deno.test("update() writes keys of any text into one header of at most 1024 characters", async () => {
  await using server = new TestServer();
  await using plugin = new RestNotify({ host: server.url, ...following });
  const hostile = ["Größe, m\r\nX: 1", "*", "\ud800", "__proto__"];

  await plugin.update?.(detail, updateContext({ changed: hostile }));
  await plugin.update?.(detail, updateContext({ changed: Array.from({ length: 500 }, (_, index) => `Key${index}`) }));

  const [few = "", many = ""] = server.requests.map(({ headers }) => headers.get("oss-watcher-changed") ?? "");
  assert.equal(few, "Gr%C3%B6%C3%9Fe%2C%20m%0D%0AX%3A%201,%2A,%EF%BF%BD,__proto__");
  assert.match(many, /^Key0,Key1,.*,Key\d+,\*$/);
  assert.ok(many.length <= 1024 && many.length > 1000);
});

Deno.test("update() tells the function body what was before and what changed, and notify() the kind", async () => {
  await using server = new TestServer();
  const body: RestNotifyOptions["body"] = ({ FQDN }, created, { kind, before, changed, ...more }) => {
    return { FQDN, created, kind, before: before?.FQDN, changed, more };
  };
  await using plugin = new RestNotify({ host: server.url, ...following, body });

  await plugin.update?.(detail, updateContext({ before: { ...detail, FQDN: "old" } }));
  await plugin.notify(detail, true, context());
  await plugin.notify(detail, false, context({ kind: "deletion" }));

  const FQDN = "fake.hostname.com";
  assert.deepEqual(server.requests.map(({ body }) => JSON.parse(body)), [
    { FQDN, created: true, kind: "update", before: "old", changed: ["FQDN"], more: {} },
    { FQDN, created: true, kind: "creation", more: {} },
    { FQDN, created: false, kind: "deletion", more: {} },
  ]);
});

Deno.test("RestNotify has no update() without urlUpdate: it is not told of updates", () => {
  const plugin = new RestNotify({ host: "https://h", ...paths });

  assert.deepEqual([typeof plugin.update, typeof plugin.previewUpdate], ["undefined", "undefined"]);
  assert.equal(typeof new RestNotify({ host: "https://h", ...following }).update, "function");
});

Deno.test("check() asks urlUpdate, too", async () => {
  await using server = new TestServer((request) =>
    new Response(null, { status: new URL(request.url).pathname === "/some_url3" ? 401 : 204 })
  );
  await using plugin = new RestNotify({ host: server.url, ...following });

  await assert.rejects(async () => await plugin.check(never), /some_url3.*401/);
});

Deno.test("RestNotify refuses options of updates that are wrong, and a header of its own", () => {
  assert.match(refusal({ host: "https://h", ...paths, methodUpdate: "PUT" }), /methodUpdate: needs urlUpdate/);
  assert.match(refusal({ host: "https://h", ...following, methodUpdate: "GET" }), /methodUpdate: must be one of POST,/);
  assert.match(
    refusal({ urlCreation: "https://h/", urlDeletion: "https://h/", urlUpdate: "/c" }),
    /urlUpdate: must be/,
  );
  const headers = { "OSS-Watcher-Changed": "x" };
  assert.match(refusal({ host: "https://h", ...following, headers }), /headers: OSS-Watcher-Changed cannot be set/);
});
