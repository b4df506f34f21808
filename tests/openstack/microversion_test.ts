import assert from "node:assert/strict";
import { bestMicroversion, lowerMicroversion } from "../../src/openstack/microversion.ts";
import { RECORDED } from "../support/openstack_server.ts";
import { Opened } from "./opened.ts";

Deno.test("bestMicroversion() is what both know", () => {
  const answers = ["2.93", "2.103", "2.90", "2.47", "2.1", "", "3.0", null].map(bestMicroversion);

  assert.deepEqual(answers, ["2.93", "2.93", "2.90", "2.47", null, null, null, null]);
});

Deno.test("lowerMicroversion() is what the service names, else a step down, and ends", () => {
  const said = "Version 2.999 is not supported by the API. Minimum is 2.1 and maximum is 2.60.";

  assert.equal(lowerMicroversion("2.93", said), "2.60");
  assert.equal(lowerMicroversion("2.93", ""), "2.47");
  assert.equal(lowerMicroversion("2.60", said), "2.47");
  assert.equal(lowerMicroversion("2.47", ""), "2.19");
  assert.equal(lowerMicroversion("2.19", ""), null);
});

Deno.test("Nova is asked with both names of the header", async () => {
  await using opened = new Opened();

  await opened.api.server(RECORDED.server);

  const headers = opened.server.requests.at(-1)?.headers;
  assert.equal(headers?.get("OpenStack-API-Version"), "compute 2.93");
  assert.equal(headers?.get("X-OpenStack-Nova-API-Version"), "2.93");
});

Deno.test("a lower microversion is asked for after 406, and from then on", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  const asked: (string | null)[] = [];
  server.intercept = ({ path, headers }) => {
    if (!path.startsWith("/v2.1/servers/")) return undefined;
    const version = headers.get("x-openstack-nova-api-version");
    asked.push(version);
    return version === "2.93"
      ? server.recorded("nova-microversion-too-new-406", (body) => body.replace("maximum is 2.93", "maximum is 2.47"))
      : undefined;
  };

  const first = await api.server(RECORDED.server);
  const second = await api.server(RECORDED.server);

  assert(typeof first === "object" && typeof second === "object");
  assert.deepEqual([first.description, first.ramGib, first.hostname], ["Beam control, room 4", 2, null]);
  assert.deepEqual(asked, ["2.93", "2.47", "2.47"]);
});

Deno.test("Nova that does not list its versions is tried, down to none", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  const asked: (string | null)[] = [];
  server.intercept = ({ service, path, headers }) => {
    if (service !== "compute") return undefined;
    if (path === "/v2.1/") return new Response("<html>", { status: 401 });
    const version = headers.get("x-openstack-nova-api-version");
    asked.push(version);
    return version === null ? undefined : new Response("", { status: 406 });
  };

  assert.equal(typeof await api.server(RECORDED.server), "object");
  assert.deepEqual(asked, ["2.93", "2.47", "2.19", null]);
});
