import assert from "node:assert/strict";
import { DeliveryError } from "../../mod.ts";
import { RestNotify, type RestNotifyOptions } from "../../plugins/rest_notify.ts";
import { TestPki } from "../wire/pki.ts";
import { closedPort, TestServer } from "../wire/server.ts";
import { context, detail } from "./notification.ts";

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
    },
    body: JSON.parse(request?.body ?? ""),
  });
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
    [{ host: "https://h", ...paths, headers: { "content-Type": "a/b" } }, ["headers: content-Type cannot be set"]],
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
