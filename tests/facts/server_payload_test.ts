import assert from "node:assert/strict";
import { readServer, readServerPorts } from "../../src/facts/server_payload.ts";
import type { JsonObject } from "../../src/model/notification.ts";
import { unknownServer } from "../../src/model/snapshot.ts";
import { came, cameVersioned, NOBODY } from "../support/stories.ts";

const IMAGE = "a3c22689-b9b7-4ea0-9120-d923188358d7";

const legacy = (payload: JsonObject) => readServer(came("a", payload));
const versioned = (data: JsonObject) => readServer(cameVersioned("a", data));

Deno.test("readServer() knows nothing but the id of a server of which nothing is said", () => {
  assert.deepEqual(legacy({}), unknownServer("a"));
  assert.deepEqual(versioned({}), unknownServer("a"));
});

for (
  const [what, reference, want] of [
    ["a URL", `http://127.0.0.1:9292/images/${IMAGE}`, IMAGE],
    ["a bare id", IMAGE, IMAGE],
    ["a URL of version 2", `https://glance.example.org/v2/images/${IMAGE}`, IMAGE],
    ["a URL without id (booted from a volume)", "http://127.0.0.1:9292/images/", null],
    ["an empty text (booted from a volume)", "", null],
    ["a URL that ends in None (booted from a volume)", "http://glance:9292/images/None", null],
    ["null", null, null],
    ["an object", { id: IMAGE }, null],
  ] as const
) {
  Deno.test(`readServer() reads the image's id from ${what}`, () => {
    assert.equal(legacy({ image_ref_url: reference }).imageId, want);
  });
}

Deno.test("readServer() takes the image's id from image_meta where image_ref_url has none", () => {
  assert.equal(legacy({ image_ref_url: "", image_meta: { base_image_ref: IMAGE } }).imageId, IMAGE);
  assert.equal(legacy({ image_meta: { base_image_ref: "" } }).imageId, null);
});

Deno.test("readServer() does not take the system of another image, of before a rebuild, for that of the image", () => {
  const of = (base: string) =>
    legacy({ image_ref_url: IMAGE, image_meta: { base_image_ref: base, os_distro: "debian" } });
  assert.deepEqual([of("another").imageId, of("another").imageOsDistro], [IMAGE, null]);
  assert.deepEqual([of(IMAGE).imageOsDistro, of("").imageOsDistro], ["debian", "debian"]);
});

Deno.test("readServer() reads no image from a versioned message of a server booted from a volume", () => {
  assert.equal(versioned({ image_uuid: "" }).imageId, null);
  assert.equal(versioned({ image_uuid: "None" }).imageId, null);
  assert.equal(versioned({ image_uuid: IMAGE }).imageId, IMAGE);
});

Deno.test("readServer() reads the image's system and name", () => {
  const { imageOs, imageOsDistro, imageOsVersion, imageName } = legacy({
    image_meta: { os: "Ubuntu", os_distro: "ubuntu", os_version: "22.04" },
    image_name: "ubuntu-22.04",
  });
  assert.deepEqual([imageOs, imageOsDistro, imageOsVersion, imageName], ["Ubuntu", "ubuntu", "22.04", "ubuntu-22.04"]);
});

for (
  const [what, value, want] of [
    ["an object", { owner: "alice", empty: "" }, { owner: "alice", empty: "" }],
    ["an empty list, as in old releases", [], {}],
    ["a list of pairs, as in old releases", [{ key: "owner", value: "alice" }, { key: "n", value: 7 }], {
      owner: "alice",
      n: "7",
    }],
    ["a list with what is no pair", [null, 7, "x", {}, { value: "x" }, { key: 7, value: "x" }, { key: "a" }], {}],
    ["null", null, null],
    ["a text", "owner=alice", null],
    ["values that are no texts", { n: 7, yes: true, none: null, list: [1, "2"], object: { a: 1 } }, {
      n: "7",
      yes: "true",
      list: '[1,"2"]',
      object: '{"a":1}',
    }],
  ] as const
) {
  Deno.test(`readServer() reads metadata that is ${what}`, () => {
    assert.deepEqual(legacy({ metadata: value }).metadata, want);
    assert.deepEqual(versioned({ metadata: value }).metadata, want);
  });
}

Deno.test("readServer() takes __proto__ for metadata like any other", () => {
  const object = JSON.parse('{"__proto__":"x","constructor":"y","owner":"alice"}');
  const list = [{ key: "__proto__", value: "x" }, { key: "constructor", value: "y" }, { key: "owner", value: "alice" }];
  for (const metadata of [object, list]) {
    const read = legacy({ metadata }).metadata!;
    assert.deepEqual(Object.keys(read), ["__proto__", "constructor", "owner"]);
    assert.equal(JSON.stringify(read), '{"__proto__":"x","constructor":"y","owner":"alice"}');
    assert.equal(Object.getPrototypeOf(read), Object.prototype);
  }
  assert.equal(({} as Record<string, unknown>)["owner"], undefined);
});

for (
  const [written, want] of [
    ["2026-11-21 18:59:25+00:00", "2026-11-21T18:59:25.000Z"],
    ["2012-10-29 13:42:11", "2012-10-29T13:42:11.000Z"],
    ["2012-10-29T13:42:11.194728", "2012-10-29T13:42:11.194Z"],
    ["2026-11-21T19:13:08Z", "2026-11-21T19:13:08.000Z"],
    ["", null],
    [null, null],
    [1353504131, null],
  ] as const
) {
  Deno.test(`readServer() reads created_at ${JSON.stringify(written)}`, () => {
    assert.equal(legacy({ created_at: written }).createdAt, want);
    assert.equal(versioned({ created_at: written }).createdAt, want);
  });
}

Deno.test("readServer() reads sizes", () => {
  const sizes = legacy({ disk_gb: 25, root_gb: 20, ephemeral_gb: 5, memory_mb: 1536, vcpus: 3 });
  assert.deepEqual([sizes.storageGb, sizes.ramGib, sizes.vcpus], [25, 1.5, 3]);
  const flavor = { "nova_object.data": { root_gb: 20, ephemeral_gb: 5, memory_mb: 512, vcpus: 1 } };
  const { storageGb, ramGib, vcpus } = versioned({ flavor });
  assert.deepEqual([storageGb, ramGib, vcpus], [25, 0.5, 1]);
});

Deno.test("readServer() adds root and ephemeral disk where disk_gb is missing", () => {
  assert.equal(legacy({ root_gb: 20, ephemeral_gb: 5 }).storageGb, 25);
  assert.equal(legacy({ root_gb: 20 }).storageGb, 20);
  assert.equal(legacy({ ephemeral_gb: 5 }).storageGb, null);
  assert.equal(legacy({ disk_gb: 0, root_gb: 20 }).storageGb, 0);
});

Deno.test("readServer() reads sizes that are sent as texts, and none that are no numbers", () => {
  assert.equal(legacy({ memory_mb: "2048" }).ramGib, 2);
  for (const value of ["", " ", "many", "Infinity", "NaN", null, true, [2048], {}]) {
    assert.equal(legacy({ memory_mb: value }).ramGib, null);
  }
});

Deno.test("readServer() reads addresses of a legacy message", () => {
  const { addresses } = legacy({
    fixed_ips: [
      { address: "10.0.0.5", type: "fixed", version: 4, label: "net", vif_mac: "FA:16:3E:00:00:05", floating_ips: [] },
      { address: "2001:db8::5" },
      { address: "" },
      { address: null },
      "10.0.0.6",
      null,
    ],
  });
  assert.deepEqual(addresses, [
    { address: "10.0.0.5", mac: "fa:16:3e:00:00:05", type: "fixed", network: "net", version: 4 },
    { address: "2001:db8::5", mac: null, type: "fixed", network: null, version: 6 },
  ]);
});

Deno.test("readServer() reads addresses of a versioned message", () => {
  const ip = { address: "10.0.0.5", mac: "fa:16:3e:00:00:05", label: "net", version: 4, port_uuid: "1" };
  assert.deepEqual(versioned({ ip_addresses: [{ "nova_object.data": ip }] }).addresses, [
    { address: "10.0.0.5", mac: "fa:16:3e:00:00:05", type: "fixed", network: "net", version: 4 },
  ]);
});

Deno.test("readServer() reads nova-network's floating address, an object or a text", () => {
  const fixed = (...floating: (string | JsonObject)[]) => ({ address: "10.0.0.5", floating_ips: floating });
  assert.equal(
    legacy({ fixed_ips: [fixed({ address: "203.0.113.1", type: "floating" })] }).floatingAddress,
    "203.0.113.1",
  );
  assert.equal(legacy({ fixed_ips: [fixed("203.0.113.1", "203.0.113.2")] }).floatingAddress, "203.0.113.1");
  assert.equal(legacy({ fixed_ips: [fixed(), fixed("203.0.113.2")] }).floatingAddress, "203.0.113.2");
  assert.equal(legacy({ fixed_ips: [fixed({}, "")] }).floatingAddress, null);
});

Deno.test("readServer() takes the actor's names for the owner's only where they are the same", () => {
  const actor = { ...NOBODY, userId: "u", userName: "alice", projectId: "p", projectName: "physics" };
  const names = (payload: JsonObject) => {
    const { userName, projectName } = readServer(came("a", payload, { actor }));
    return [userName, projectName];
  };
  assert.deepEqual(names({ user_id: "u", tenant_id: "p" }), ["alice", "physics"]);
  assert.deepEqual(names({ user_id: "u", tenant_id: "q" }), ["alice", null]);
  assert.deepEqual(names({ user_id: "v", project_id: "p" }), [null, "physics"]);
  assert.deepEqual(names({}), [null, null]);
});

Deno.test("readServer() does not take two unknown owners for the same", () => {
  const actor = { ...NOBODY, userName: "alice", projectName: "physics" };
  const { userName, projectName } = readServer(came("a", { user_id: null, tenant_id: "" }, { actor }));
  assert.deepEqual([userName, projectName], [null, null]);
});

Deno.test("readServer() reads a versioned message without its wrappings", () => {
  const flat = readServer({ ...cameVersioned("a"), payload: { uuid: "a", host_name: "alpha", flavor: { vcpus: 2 } } });
  assert.deepEqual([flat.id, flat.hostname, flat.vcpus], ["a", "alpha", 2]);
});

Deno.test("readServer() keeps lone surrogates", () => {
  assert.equal(legacy({ hostname: "a\ud800b" }).hostname, "a\ud800b");
});

Deno.test("readServerPorts() gathers the addresses of each port", () => {
  const ip = (address: string | null, port: string | null, mac: string | null = null) => ({
    "nova_object.data": { address, port_uuid: port, mac },
  });
  const ips = [
    ip("10.0.0.5", "1", "FA:16:3E:00:00:05"),
    ip("10.0.0.6", "2"),
    ip("2001:db8::5", "1"),
    ip(null, "3"),
    ip("10.0.0.7", null),
  ];
  assert.deepEqual(readServerPorts(cameVersioned("a", { ip_addresses: ips })), [
    { id: "1", mac: "fa:16:3e:00:00:05", addresses: ["10.0.0.5", "2001:db8::5"] },
    { id: "2", mac: null, addresses: ["10.0.0.6"] },
  ]);
});

Deno.test("readServerPorts() finds none in a legacy message", () => {
  assert.deepEqual(readServerPorts(came("a", { fixed_ips: [{ address: "10.0.0.5" }] })), []);
});
