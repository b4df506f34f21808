import assert from "node:assert/strict";
import { type OpenStackServer, RECORDED } from "../support/openstack_server.ts";
import { Opened } from "./opened.ts";

/** A catalog in which Nova, Neutron or Glance is elsewhere. */
function moved(server: OpenStackServer, from: string, to: string): void {
  server.editLogin = (body) => body.replaceAll(`"${from}"`, `"${to}"`);
}

const cases: readonly (readonly [what: string, path: string, requests: readonly string[]])[] = [
  ["with a project's id behind it", "/v2.1/a966afef", ["/v2.1/", "/v2.1/a966afef/servers/x"]],
  ["of v2, where v2.1 is beside it", "/v2/a966afef", ["/v2.1/", "/v2.1/a966afef/servers/x"]],
  ["without a version", "", ["/", "/v2.1/", "/v2.1/servers/x"]],
  ["with a slash at its end", "/v2.1/", ["/v2.1/", "/v2.1/servers/x"]],
];

for (const [what, path, requests] of cases) {
  Deno.test(`Nova is found when the catalog has its URL ${what}`, async () => {
    await using opened = new Opened();
    const { api, server } = opened;
    moved(server, `${server.origin("compute")}/v2.1`, `${server.origin("compute")}${path}`);

    await api.server("x");

    assert.deepEqual(server.requests.filter(({ service }) => service === "compute").map(({ path }) => path), requests);
  });
}

Deno.test("Neutron and Glance are found when the catalog has their versions", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  moved(server, server.origin("network"), `${server.origin("network")}/v2.0`);

  await api.portsOfServer(RECORDED.twoNics);

  assert.deepEqual(server.taken().slice(1), [`network GET /v2.0/ports?device_id=${RECORDED.twoNics}`]);
});

Deno.test("Glance is found behind a proxy that lists no versions, or another host's", async () => {
  for (const broken of ["404", "host"]) {
    await using opened = new Opened();
    const { api, server } = opened;
    server.intercept = ({ service, path }) => {
      if (service !== "image" || path !== "/") return undefined;
      return broken === "404"
        ? new Response("<html>", { status: 404 })
        : server.recorded("discovery-glance-root", (body) =>
          body.replaceAll(server.origin("image"), "http://internal:1"));
    };

    assert.equal(typeof await api.image(RECORDED.image), "object");
  }
});
