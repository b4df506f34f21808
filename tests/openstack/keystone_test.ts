import assert from "node:assert/strict";
import { OpenStackApi } from "../../src/openstack/api.ts";
import { closedPort } from "../wire/server.ts";
import { TestPki } from "../wire/pki.ts";
import { KeptLog, SILENT } from "../support/loggers.ts";
import { OpenStackServer, RECORDED } from "../support/openstack_server.ts";
import { VirtualClock } from "../support/virtual_clock.ts";
import { credentialsFor, Opened, unavailable, userError } from "./opened.ts";

const LOGIN = "identity POST /v3/auth/tokens";
const domain = { id: "default" };

/** What the last login sent. */
async function loginBody(opened: Opened): Promise<unknown> {
  await opened.api.check();
  const body = opened.server.bodies("identity").find((text) => text !== "");
  return JSON.parse(body ?? "null");
}

Deno.test("a password logs in for a project, by names in their domains", async () => {
  await using opened = new Opened();

  assert.deepEqual(await loginBody(opened), {
    auth: {
      identity: {
        methods: ["password"],
        password: { user: { name: "admin", domain: { id: "default" }, password: "s3cr3t-pa55" } },
      },
      scope: { project: { name: "admin", domain: { id: "default" } } },
    },
  });
});

Deno.test("a password logs in for the system or a domain", async () => {
  await using system = new Opened({ scope: { kind: "system" } });
  await using inDomain = new Opened({ scope: { kind: "domain", domain: { name: "Default" } } });

  const scopeOf = async (opened: Opened) => (await loginBody(opened) as { auth: { scope: unknown } }).auth.scope;

  assert.deepEqual(await scopeOf(system), { system: { all: true } });
  assert.deepEqual(await scopeOf(inDomain), { domain: { name: "Default" } });
});

Deno.test("an application credential logs in without a scope, by id or by name", async () => {
  const method = "application_credential";
  const secret = "r0bot-5ecret";
  const scope = { kind: "credential" } as const;
  await using byId = new Opened({ identity: { method, id: "ec0e7231", secret }, scope });
  await using byName = new Opened({
    identity: { method, name: "robot", user: { name: "alice", domain }, secret },
    scope,
  });

  assert.deepEqual(await loginBody(byId), {
    auth: { identity: { methods: [method], application_credential: { id: "ec0e7231", secret } } },
  });
  assert.deepEqual(await loginBody(byName), {
    auth: {
      identity: {
        methods: [method],
        application_credential: { name: "robot", user: { name: "alice", domain: { id: "default" } }, secret },
      },
    },
  });
});

Deno.test("a token is renewed before it expires", async () => {
  await using opened = new Opened();
  const { api, server, clock } = opened;
  const logins = async () => {
    await api.server(RECORDED.server);
    return server.taken().filter((line) => line === LOGIN).length;
  };

  assert.equal(await logins(), 1);
  clock.jump(54 * 60_000);
  assert.equal(await logins(), 0);
  clock.jump(60_000);
  assert.equal(await logins(), 1);
});

Deno.test("a token that is still good is used when Keystone is down as it should be renewed", async () => {
  await using opened = new Opened();
  const { api, server, clock } = opened;
  await api.server(RECORDED.server);
  clock.jump(56 * 60_000);
  server.intercept = ({ service }) => service === "identity" ? new Response(null, { status: 503 }) : undefined;

  assert.equal(typeof await api.server(RECORDED.server), "object");
  clock.jump(5 * 60_000);
  assert.equal((await unavailable(api.server(RECORDED.server))).service, "Keystone");
});

Deno.test("a refused login is one line, and is not sent again for a minute: that would lock the account", async () => {
  await using opened = new Opened();
  const { api, server, clock } = opened;
  server.login = "auth-wrong-password";

  const text = await userError(api.server(RECORDED.server));
  await userError(api.image(RECORDED.image));

  assert.equal(
    text,
    `Cannot log in at Keystone ${server.authUrl}/auth/tokens as "admin" for the project "admin": 401: "The request you ` +
      `have made requires authentication". Correct user, password, project and their domains in the test`,
  );
  assert.deepEqual(server.taken(), [LOGIN]);
  clock.jump(60_000);
  server.login = "auth-password-admin";
  assert.equal(typeof await api.server(RECORDED.server), "object");
});

Deno.test("a wrong application credential is told without its secret", async () => {
  await using opened = new Opened({
    identity: { method: "application_credential", id: "ec0e7231", secret: "r0bot-5ecret" },
    scope: { kind: "credential" },
  });
  opened.server.login = "auth-wrong-application-credential";

  assert.match(await userError(opened.api.check()), /with the application credential: 401/);
});

for (const path of ["/v2.0", "/v2.0/", "", "/"]) {
  Deno.test(`an auth_url that ends in "${path}" leads to v3 where the server offers it`, async () => {
    await using server = new OpenStackServer();
    const credentials = credentialsFor(`${server.origin("identity")}${path}`.replace(/\/+$/, ""));
    await using api = new OpenStackApi({ credentials, clock: new VirtualClock(), log: SILENT });

    await api.check();

    assert.deepEqual(server.taken().slice(0, 2), ["identity GET /", LOGIN]);
  });
}

Deno.test("an auth_url that ends in /v2.0 leads to v3 when a proxy hides the list of versions", async () => {
  await using opened = new Opened();
  const { server } = opened;
  const credentials = credentialsFor(`${server.origin("identity")}/v2.0`);
  await using api = new OpenStackApi({ credentials, clock: opened.clock, log: opened.log });
  server.intercept = ({ service, path }) =>
    service === "identity" && path === "/" ? new Response("<html>", { status: 403 }) : undefined;

  await api.check();

  assert.deepEqual(server.taken().slice(0, 3), ["identity GET /", "identity GET /v3", LOGIN]);
});

Deno.test("the password goes to no other server, whatever the list of versions says", async () => {
  await using opened = new Opened();
  const { server } = opened;
  const credentials = credentialsFor(`${server.origin("identity")}/v2.0`);
  await using api = new OpenStackApi({ credentials, clock: opened.clock, log: opened.log });
  server.intercept = ({ service, path }) =>
    service === "identity" && path === "/"
      ? server.recorded(
        "discovery-keystone-root",
        (body) => body.replaceAll(server.origin("identity"), "http://elsewhere.example"),
      )
      : undefined;

  await api.check();

  assert.deepEqual(server.taken().slice(0, 2), ["identity GET /", LOGIN]);
});

Deno.test("an auth_url without v3 is refused with what the server offers", async () => {
  await using server = new OpenStackServer();
  const offers = credentialsFor(`${server.origin("network")}/v2.0`);
  await using api = new OpenStackApi({ credentials: offers, clock: new VirtualClock(), log: SILENT });

  assert.equal(
    await userError(api.check()),
    `Cannot log in at Keystone ${
      server.origin("network")
    }/v2.0: it offers v2.0 only, and the Identity API v3 is needed. ` +
      "Correct the URL in the test, as https://host:5000/v3",
  );
});

Deno.test("an auth_url that is another path, or a redirect, is refused", async () => {
  await using opened = new Opened();
  const { api, server, clock } = opened;
  server.intercept = () => new Response("<html>", { status: 404 });
  assert.match(await userError(api.check()), /: 404\. Correct the URL in the test$/);

  clock.jump(60_000);
  server.intercept = () =>
    new Response(null, { status: 301, headers: { location: "https://h/v3/auth/tokens?token-1" } });
  assert.match(
    await userError(api.check()),
    /301 \(it leads to https:\/\/h\/v3\/auth\/tokens\?\*\*\*; redirects are not/,
  );
});

for (
  const [status, message, advice] of [
    [400, "Expecting to find domain in user", /Correct user, password, project and their domains in the test$/],
    [
      401,
      "The password is expired and needs to be changed for user: 7",
      /Change the user's password, and then that in the test$/,
    ],
    [401, "The account is locked for user: 7", /Wait until Keystone unlocks the account/],
    [403, "You are not authorized to perform the requested action", /Give the account a role in what it logs in for/],
  ] as const
) {
  Deno.test(`a login that Keystone refuses with ${status} "${message}" says what to do`, async () => {
    await using opened = new Opened();
    opened.server.intercept = () => Response.json({ error: { code: status, message } }, { status });
    assert.match(await userError(opened.api.check()), advice);
  });
}

Deno.test("a login that something before Keystone refuses is no matter of the account", async () => {
  await using opened = new Opened();
  opened.server.intercept = () => new Response("<html>Forbidden</html>", { status: 403 });
  assert.match(await userError(opened.api.check()), /: 403\. Correct the URL in the test$/);
});

const broken: readonly (readonly [what: string, answer: () => Response, state: RegExp])[] = [
  [
    "is HTML",
    () => new Response("<html>", { headers: { "content-type": "text/html" } }),
    /200, but .* not JSON \(text/,
  ],
  ["has no token", () => Response.json({ token: {} }), /200, but it has no X-Subject-Token/],
  ["is 503", () => new Response("x", { status: 503 }), /: 503\. See its own log/],
  [
    "is 429",
    () => new Response("x", { status: 429, headers: { "retry-after": "5" } }),
    /: 429 \(in 5 s again\)\. It asks/,
  ],
];

for (const [what, answer, state] of broken) {
  Deno.test(`Keystone is unavailable when its answer ${what}`, async () => {
    await using opened = new Opened();
    opened.server.intercept = answer;

    const { message, service } = await unavailable(opened.api.check());

    assert.equal(service, "Keystone");
    assert.match(message, state);
  });
}

Deno.test("Keystone is unavailable when nobody listens, or its certificate is another authority's", async () => {
  await using pki = await TestPki.make();
  await using otherPki = await TestPki.make();
  await using server = new OpenStackServer(await pki.issue("localhost"));
  const check = async (authUrl: string, caFile?: string) => {
    const credentials = { ...credentialsFor(authUrl), tls: caFile === undefined ? {} : { caFile } };
    await using api = new OpenStackApi({ credentials, clock: new VirtualClock(), log: SILENT });
    return await unavailable(api.check());
  };

  assert.match((await check(`http://127.0.0.1:${closedPort()}/v3`)).message, /refused.*\. Check that it runs/);
  await using plain = new OpenStackServer();
  assert.match(
    (await check(plain.authUrl.replace("http:", "https:"))).message,
    /; what listens there speaks no TLS\. Check/,
  );
  for (const caFile of [undefined, otherPki.caFile]) {
    assert.match(
      (await check(server.authUrl, caFile)).message,
      /(?:UnknownIssuer|BadSignature); set caFile to the authority that signed the certificate$/,
    );
  }
  assert.match(
    (await check(server.authUrl, "/nowhere/ca.pem")).message,
    /Cannot read the CA file "\/nowhere\/ca\.pem"/,
  );
});

Deno.test("all services are asked over TLS with a private authority", async () => {
  await using pki = await TestPki.make();
  await using server = new OpenStackServer(await pki.issue("localhost"));
  const credentials = { ...credentialsFor(server.authUrl), tls: { caFile: pki.caFile } };
  await using api = new OpenStackApi({ credentials, clock: new VirtualClock(), log: SILENT });

  await api.check();

  assert.equal(typeof await api.server(RECORDED.server), "object");
});

Deno.test("the region chooses among endpoints, and is asked for where there are several", async () => {
  const other = "http://127.0.0.1:1";
  const twoRegions = (opened: Opened) => {
    opened.server.editLogin = (body) => withRegion(body, "Two", other);
    return opened;
  };
  await using none = twoRegions(new Opened());
  await using two = twoRegions(new Opened({ region: "Two" }));
  await using wrong = twoRegions(new Opened({ region: "Three" }));

  const cannot = (opened: Opened) =>
    `Cannot find Nova (compute) in the catalog of Keystone at ${opened.server.authUrl}:`;
  assert.equal(
    await userError(none.api.check()),
    `${cannot(none)} it is in the regions Two, RegionOne. Set the region in the test`,
  );
  assert.match((await unavailable(two.api.check())).message, /^Cannot ask Nova at http:\/\/127\.0\.0\.1:1\//);
  assert.equal(
    await userError(wrong.api.check()),
    `${cannot(wrong)} it has none with the interface "public" and the region "Three", but public in Two, admin in ` +
      "RegionOne, public in RegionOne, internal in RegionOne. Correct region and interface in the test",
  );
});

Deno.test("a catalog that leads nowhere is refused", async () => {
  await using opened = new Opened();
  const { server } = opened;
  server.editLogin = (body) => body.replaceAll(server.origin("compute"), "http://u:s3cr3t-pa55@h");

  assert.match(
    await userError(opened.api.check()),
    /its URL there is not valid: http:\/\/h\/v2\.1\. Correct the catalog$/,
  );

  await using without = new Opened();
  without.server.editLogin = (body) => body.replaceAll('"image"', '"picture"');
  assert.match(
    await userError(without.api.check()),
    /^Cannot find Glance \(image\) .*: it has no such service\. `openstack catalog/,
  );
});

Deno.test("no secret is in a log line, though a service repeats them all", async () => {
  const log = new KeptLog();
  await using opened = new Opened({}, { log });
  const { api, server } = opened;
  const echo = { error: { message: "403 s3cr3t-pa55 token-1 token=abc" } };
  await api.check();
  server.intercept = () => Response.json(echo, { status: 403 });

  await api.project("other");
  server.intercept = () => Response.json(echo, { status: 500 });
  const { message } = await unavailable(api.server(RECORDED.server));

  for (const text of [...log.lines, message]) assert.doesNotMatch(text, /s3cr3t-pa55|token-1|abc/);
});

/** Nova in one region more, as the first one of the catalog. */
function withRegion(body: string, region: string, url: string): string {
  const parsed = JSON.parse(body);
  const nova = parsed.token.catalog.find(({ type }: { type: string }) => type === "compute");
  nova.endpoints.unshift({ id: "x", interface: "public", region_id: region, region, url: `${url}/v2.1` });
  return JSON.stringify(parsed);
}
