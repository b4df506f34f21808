import assert from "node:assert/strict";
import { type CloudScope, sameScope } from "../../src/openstack/scope.ts";
import { Opened, SECRETS } from "./opened.ts";
import { RECORDED } from "../support/openstack_server.ts";

Deno.test("scope() tells as whom and where the account sees the cloud, in plain JSON without secrets", async () => {
  await using opened = new Opened();
  const { api, server } = opened;

  const scope = await api.scope();

  assert.deepEqual(scope, {
    keystoneUrl: server.authUrl,
    userId: "628dfb2aa48d44279d89929a45d3d7cc",
    roles: ["admin", "member", "reader"],
    projectId: RECORDED.adminProject,
    domainId: null,
    isSystem: false,
    region: "RegionOne",
    interface: "public",
    novaUrl: `${server.origin("compute")}/v2.1`,
    neutronUrl: `${server.origin("network")}/v2.0`,
  });
  const json = JSON.stringify(scope);
  assert.deepEqual(JSON.parse(json), scope);
  assert.deepEqual(SECRETS.filter((secret) => json.includes(secret)), []);
});

Deno.test("scope() of the whole system has no project", async () => {
  await using opened = new Opened({ scope: { kind: "system" } });
  opened.server.login = "auth-password-system-scope";
  const { isSystem, projectId, domainId } = await opened.api.scope();
  assert.deepEqual([isSystem, projectId, domainId], [true, null, null]);
});

Deno.test("scope() of a domain has its id", async () => {
  await using opened = new Opened({ scope: { kind: "domain", domain: { id: "default" } } });
  opened.server.login = "auth-password-system-scope";
  opened.server.editLogin = (body) =>
    body.replace(/"system": *\{[^}]*\}/, `"domain": {"id": "default", "name": "Default"}`);
  const { isSystem, projectId, domainId } = await opened.api.scope();
  assert.deepEqual([isSystem, projectId, domainId], [false, null, "default"]);
});

const SCOPE: CloudScope = {
  keystoneUrl: "https://cloud:5000/v3",
  userId: "u",
  roles: ["admin", "reader"],
  projectId: "p",
  domainId: null,
  isSystem: false,
  region: "RegionOne",
  interface: "public",
  novaUrl: "https://cloud:8774/v2.1",
  neutronUrl: "https://cloud:9696/v2.0",
};

Deno.test("sameScope() tells no difference of a scope and its copy", () => {
  assert.deepEqual(sameScope(SCOPE, JSON.parse(JSON.stringify(SCOPE))), []);
});

Deno.test("sameScope() tells each difference in words", () => {
  const other: CloudScope = {
    ...SCOPE,
    keystoneUrl: "https://other:5000/v3",
    userId: "v",
    roles: [],
    projectId: null,
    domainId: "d",
    isSystem: true,
    region: null,
    interface: "internal",
    novaUrl: "https://other:8774/v2.1",
    neutronUrl: "https://other:9696/v2.0",
  };
  assert.deepEqual(sameScope(SCOPE, other), [
    `Keystone "https://cloud:5000/v3" -> "https://other:5000/v3"`,
    `region "RegionOne" -> none`,
    `interface "public" -> "internal"`,
    `Nova "https://cloud:8774/v2.1" -> "https://other:8774/v2.1"`,
    `Neutron "https://cloud:9696/v2.0" -> "https://other:9696/v2.0"`,
    `user "u" -> "v"`,
    `project "p" -> none`,
    `domain none -> "d"`,
    `system scope no -> yes`,
    `roles "admin", "reader" -> none`,
  ]);
});
