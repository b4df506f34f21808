import assert from "node:assert/strict";
import {
  type Asked,
  type DetailSource,
  enrich,
  enrichedEvent,
  keysToAsk,
  missingKeys,
} from "../../src/detail/enrich.ts";
import { makeDetail } from "../../src/detail/make_detail.ts";
import type { DetailOptions } from "../../src/model/config.ts";
import type { ServerSnapshot, WatcherEvent } from "../../src/model/event.ts";
import { unknownServer } from "../../src/model/snapshot.ts";
import { readImage, readName, readPort, readServer } from "../../src/openstack/records.ts";
import { madeEvent } from "../support/made_events.ts";

const ADDRESSES = [{ address: "10.0.0.5", mac: "fa:16:3e:81:26:0e", type: "fixed", network: "net-a", version: 4 }];
/** As a message of Nova's without names, description and what the image is. */
const TOLD: ServerSnapshot = {
  ...unknownServer("s"),
  hostname: "web",
  projectId: "p",
  userId: "u",
  imageId: "i",
  createdAt: "2026-11-21T19:13:08.000Z",
  metadata: { owner: "alice" },
  vcpus: 1,
  addresses: ADDRESSES,
};
const NOVA = readServer({
  id: "s",
  name: "Web",
  "OS-EXT-SRV-ATTR:hostname": "web",
  description: "shop front",
  tenant_id: "p",
  user_id: "u",
  image: { id: "i" },
  created: "2026-11-21T19:13:08Z",
  flavor: { vcpus: 8, ram: 2048, disk: 20 },
  metadata: { owner: "bob" },
  addresses: {
    "net-b": [
      { addr: "10.0.0.99", version: 4, "OS-EXT-IPS:type": "fixed" },
      { addr: "203.0.113.9", version: 4, "OS-EXT-IPS:type": "floating" },
    ],
  },
})!;
const PORTS = [
  readPort({
    id: "n1",
    dns_assignment: [{ hostname: "host-10-0-0-5", fqdn: "host-10-0-0-5.example.", ip_address: "" }],
  })!,
  readPort({ id: "n2", dns_assignment: [{ hostname: "web", fqdn: "web.shop.example.", ip_address: "10.0.0.5" }] })!,
];
const LEARNED = { dnsName: "web.shop.example", description: "shop front", projectName: "web shop", userName: "alice" };
const IMAGE = { imageOs: null, imageOsDistro: "debian", imageOsVersion: "12", imageName: "debian-12" };

/** A cloud that knows the server, and what it was asked. */
class Cloud implements DetailSource {
  readonly asked: string[] = [];
  readonly answers: Partial<Record<Asked, "absent" | "forbidden" | "silent">> = {};

  readonly server = this.#answering("server", NOVA);
  readonly portsOfServer = this.#answering("portsOfServer", PORTS);
  readonly image = this.#answering(
    "image",
    readImage({ id: "i", name: "debian-12", os_distro: "debian", os_version: "12" })!,
  );
  readonly project = this.#answering("project", readName({ id: "p", name: "web shop" })!);
  readonly user = this.#answering("user", readName({ id: "u", name: "alice" })!);

  #answering<T>(what: Asked, said: T) {
    return (id: string) => {
      this.asked.push(`${what} ${id}`);
      return Promise.resolve(this.answers[what] ?? said);
    };
  }
}

function creation(server: Partial<ServerSnapshot> = {}): WatcherEvent {
  return { ...madeEvent("server/s/creation"), server: { ...TOLD, ...server } };
}

function deletion(server: ServerSnapshot, creationSeen: boolean): WatcherEvent {
  return { ...madeEvent("server/s/deletion"), created: false, creationSeen, server };
}

function association(server: ServerSnapshot): WatcherEvent {
  const floatingIp = { id: "f", address: "203.0.113.7", fixedAddress: "10.0.0.5", mac: null };
  return {
    ...madeEvent("floatingip/f/1/creation"),
    subject: "floatingip",
    server,
    floatingIp,
    floatingIps: [floatingIp],
  };
}

/** What came of an event: what was asked, learned and known in the end. */
async function enriched(
  row: { readonly event: WatcherEvent; readonly remembered?: ServerSnapshot | null },
  { cloud = new Cloud(), options }: { readonly cloud?: Cloud; readonly options?: DetailOptions } = {},
) {
  const { event, remembered = null } = row;
  const { learned, silent } = await enrich({ event, remembered }, { source: cloud, detail: options });
  const made = enrichedEvent({ event, remembered }, { learned });
  const missing = missingKeys(event, makeDetail(made, options).detail, silent);
  return { asked: cloud.asked, learned, server: made.server, missing, event: made };
}

function update(server: Partial<ServerSnapshot> = {}): WatcherEvent {
  const named = { projectName: "web shop", userName: "alice", dnsName: "web.shop.example", imageName: "debian-12" };
  return { ...madeEvent("server/s/update/1"), updated: true, server: { ...TOLD, ...named, ...server } };
}

Deno.test("enrich() asks Nova for the networks of addresses that a server got later, and takes no other address", async () => {
  const later = { address: "10.0.0.99", mac: "fa:16:3e:00:00:09", type: "fixed", network: null, version: 4 };
  const event = update({ addresses: [...ADDRESSES, later] });
  const { asked, server, missing } = await enriched({ event });
  assert.deepEqual(asked, ["server s"]);
  assert.deepEqual(server.addresses, [...ADDRESSES, { ...later, network: "net-b" }]);
  assert.deepEqual(missing, []);
});

Deno.test("enrich() says that addresses of an update are incomplete when Nova does not name their networks", async () => {
  const cloud = new Cloud();
  cloud.answers.server = "silent";
  const later = { address: "10.0.0.99", mac: null, type: "fixed", network: null, version: 4 };
  const { missing } = await enriched({ event: update({ addresses: [later] }) }, { cloud });
  assert.deepEqual(missing, ["Addresses"]);
});

Deno.test("enrich() asks Glance for the image of a server that was rebuilt, and nothing of one that needs nothing", async () => {
  assert.deepEqual((await enriched({ event: update() })).asked, []);
  const { asked, server } = await enriched({ event: update({ imageId: "j", imageName: null }) });
  assert.deepEqual(asked, ["image j"]);
  assert.equal(server.imageOsDistro, "debian");
});

Deno.test("enrich() asks for all that the message of a creation does not say, and nothing else of it changes", async () => {
  const { asked, server, learned, missing } = await enriched({ event: creation(), remembered: TOLD });
  assert.deepEqual(asked, ["server s", "portsOfServer s", "image i", "project p", "user u"]);
  assert.deepEqual(server, { ...TOLD, ...LEARNED, ...IMAGE });
  assert.deepEqual(learned, { ...unknownServer("s"), ...LEARNED, ...IMAGE, imageId: "i" });
  assert.deepEqual(missing, []);
});

for (
  const { what, server = {}, options, notAsked } of [
    { what: "Nova when there is a description", server: { description: "own" }, notAsked: "server s" },
    { what: "Nova when the metadata describe", server: { metadata: { Description: "own" } }, notAsked: "server s" },
    { what: "Nova when config.ts describes", options: { static: { Description: null } }, notAsked: "server s" },
    { what: "Neutron when config.ts has the domain", options: { domain: "example.com" }, notAsked: "portsOfServer s" },
    { what: "Neutron when the port's name is known", server: { dnsName: "web.here" }, notAsked: "portsOfServer s" },
    { what: "Glance when the image's os is known", server: { imageOs: "Debian" }, notAsked: "image i" },
    { what: "Glance when its os_distro is known", server: { imageOsDistro: "debian" }, notAsked: "image i" },
    { what: "Glance when its name is known", server: { imageName: "debian-12" }, notAsked: "image i" },
    { what: "Glance when there is no image", server: { imageId: null }, notAsked: "image i" },
    { what: "Keystone for a project whose name is known", server: { projectName: "web shop" }, notAsked: "project p" },
    { what: "Keystone for a user whose name is known", server: { userName: "alice" }, notAsked: "user u" },
  ] satisfies readonly {
    readonly what: string;
    readonly server?: Partial<ServerSnapshot>;
    readonly options?: DetailOptions;
    readonly notAsked: string;
  }[]
) {
  Deno.test(`enrich() does not ask ${what}`, async () => {
    const { asked } = await enriched({ event: creation(server) }, options === undefined ? {} : { options });
    const all = ["server s", "portsOfServer s", "image i", "project p", "user u"];
    assert.deepEqual(asked, all.filter((one) => one !== notAsked));
  });
}

Deno.test("enrich() asks nothing for events whose server is remembered, and takes the names that memory has by now", async () => {
  const remembered = { ...TOLD, ...LEARNED, ...IMAGE, vcpus: 99, metadata: { owner: "mallory" }, floatingAddress: "x" };
  for (const event of [deletion(TOLD, true), association(TOLD)]) {
    const { asked, server, learned } = await enriched({ event, remembered });
    assert.deepEqual(asked, []);
    assert.equal(learned, null);
    assert.deepEqual(server, { ...TOLD, ...LEARNED, ...IMAGE });
  }
});

Deno.test("enrich() asks names alone for the deletion of a server that was never seen", async () => {
  const { asked, server } = await enriched({ event: deletion(TOLD, false), remembered: TOLD });
  assert.deepEqual(asked, ["project p", "user u"]);
  assert.deepEqual(server, { ...TOLD, projectName: "web shop", userName: "alice" });
});

Deno.test("enrich() asks Nova for the server of an association that no message named, fixed addresses included", async () => {
  const { asked, server } = await enriched({ event: association(unknownServer("s")) });
  assert.deepEqual(asked, ["server s", "portsOfServer s", "image i", "project p", "user u"]);
  const { storageGb, ramGib, vcpus } = NOVA;
  assert.deepEqual(server, {
    ...TOLD,
    ...LEARNED,
    ...IMAGE,
    ...{ storageGb, ramGib, vcpus },
    metadata: { owner: "bob" },
    addresses: [{ address: "10.0.0.99", mac: null, type: "fixed", network: "net-b", version: 4 }],
  });
});

Deno.test("enrich() keeps the addresses of ports that an association knows", async () => {
  const { server } = await enriched({ event: association({ ...unknownServer("s"), addresses: ADDRESSES }) });
  assert.deepEqual(server.addresses, ADDRESSES);
});

Deno.test("enrich() prefers the creation's message to Nova's present once it has come", async () => {
  const { asked, server } = await enriched({ event: association(unknownServer("s")), remembered: TOLD });
  assert.deepEqual(asked, ["server s", "portsOfServer s", "image i", "project p", "user u"]);
  assert.deepEqual(server, { ...TOLD, ...LEARNED, ...IMAGE });
});

Deno.test("enrich() asks nothing for an association without a server", async () => {
  const { asked } = await enriched({ event: association(unknownServer(null)) });
  assert.deepEqual(asked, []);
});

for (const answer of ["absent", "forbidden"] as const) {
  Deno.test(`enrich() leaves null what is ${answer}, and calls nothing of it missing`, async () => {
    const cloud = new Cloud();
    for (const asked of ["server", "portsOfServer", "image", "project", "user"] as const) cloud.answers[asked] = answer;
    const { server, learned, missing } = await enriched({ event: creation() }, { cloud });
    assert.deepEqual(server, TOLD);
    assert.equal(learned, null);
    assert.deepEqual(missing, []);
  });
}

Deno.test("enrich() names the keys of what OpenStack was silent about", async () => {
  const cloud = new Cloud();
  Object.assign(cloud.answers, { server: "silent", portsOfServer: "silent", project: "silent" });
  const { server, missing } = await enriched({ event: creation() }, { cloud });
  assert.deepEqual(server, { ...TOLD, ...IMAGE, userName: "alice" });
  assert.deepEqual(missing, ["Description", "FQDN", "ProjectName"]);
});

Deno.test("enrich() names all keys that a server of which nothing is known lacks", async () => {
  const cloud = new Cloud();
  Object.assign(cloud.answers, { server: "silent" });
  const { asked, missing } = await enriched({ event: association(unknownServer("s")) }, { cloud });
  assert.deepEqual(asked, ["server s"]);
  assert.deepEqual(missing, [
    ...["FQDN", "OS", "Storage", "Ram", "CPU", "Owner", "AdditionalUsers", "ApplicationName", "EnvironmentCI"],
    ...["Description", "CreationDate", "ImageID", "ProjectID", "ProjectName", "UserID", "UserName", "Metadata"],
    "Addresses",
  ]);
});

Deno.test("enrich() takes nothing of an image for a server that was rebuilt since", async () => {
  const { server } = await enriched({
    event: deletion({ ...TOLD, imageId: "new" }, true),
    remembered: { ...TOLD, ...LEARNED, ...IMAGE },
  });
  assert.deepEqual(server, { ...TOLD, ...LEARNED, imageId: "new" });
});

Deno.test("keysToAsk() names what a creation, a known server's end and an unknown server lack", () => {
  assert.deepEqual(keysToAsk({ event: creation({ imageOs: "Debian" }), remembered: TOLD }, undefined), [
    ...["Description", "FQDN", "ProjectName", "UserName"],
  ]);
  assert.deepEqual(keysToAsk({ event: deletion(TOLD, true), remembered: TOLD }, undefined), []);
  const unknown = { event: association(unknownServer("s")), remembered: null };
  assert.deepEqual(keysToAsk(unknown, undefined).slice(0, 3), ["FQDN", "OS", "Storage"]);
});
