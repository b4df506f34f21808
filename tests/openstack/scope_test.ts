import assert from "node:assert/strict";
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
