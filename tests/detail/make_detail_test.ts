import assert from "node:assert/strict";
import { makeDetail } from "../../src/detail/make_detail.ts";
import { unknownServer } from "../../src/model/snapshot.ts";
import { decodeBody } from "../../src/intake/envelope.ts";
import type { Detail } from "../../src/model/detail.ts";
import type { ServerSnapshot, WatcherEvent } from "../../src/model/event.ts";
import type { Json } from "../../src/model/notification.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { Story } from "../support/stories.ts";

const BEAM_CTL_01: Detail = {
  FQDN: "beam-ctl-01",
  IP: "10.11.0.21",
  IPType: "Private",
  OS: "debian 12",
  Storage: 20,
  Ram: 2,
  CPU: 1,
  Datacenter: null,
  SecurityDomain: null,
  Owner: "alice-191249",
  AdditionalUsers: ["bob-191249", "carol-191249"],
  ApplicationName: "Beam Control",
  EnvironmentCI: "CI-4711",
  Description: "control room front end",
  CreationDate: "2026-11-21",
  ID: "4818c5b1-ac0b-4458-9eed-faf8936ad379",
  ImageID: "a3c22689-b9b7-4ea0-9120-d923188358d7",
  MAC: "fa:16:3e:81:26:0e",
  ProjectID: "a10c63d70ae34535a236849b63793d29",
  ProjectName: "physics-191249",
  UserID: "3a6050e4f5ff406798e457d64bd17700",
  UserName: "alice-191249",
  RemoteAddress: null,
  Metadata: {
    owner: "alice-191249",
    additional_users: "bob-191249,carol-191249",
    application_name: "Beam Control",
    environment_ci: "CI-4711",
    description: "control room front end",
    serviceNowId: "SN0001234",
  },
  Addresses: [{
    address: "10.11.0.21",
    mac: "fa:16:3e:81:26:0e",
    type: "fixed",
    network: "physics-191249-net-a",
    version: 4,
  }],
  FloatingIPs: [],
};

const CAPTURED: readonly { readonly key: string; readonly detail: Detail }[] = [
  { key: "server/4818c5b1-ac0b-4458-9eed-faf8936ad379/creation", detail: BEAM_CTL_01 },
  {
    key: "floatingip/8d58b4a7-0471-4678-8fc2-7d6f929bab45/1/creation",
    detail: {
      ...BEAM_CTL_01,
      IP: "203.0.113.237",
      IPType: "Public",
      FloatingIPs: [{
        id: "8d58b4a7-0471-4678-8fc2-7d6f929bab45",
        address: "203.0.113.237",
        fixedAddress: "10.11.0.21",
      }],
    },
  },
  {
    key: "floatingip/8d58b4a7-0471-4678-8fc2-7d6f929bab45/2/deletion",
    detail: { ...BEAM_CTL_01, IP: "203.0.113.237", IPType: "Public" },
  },
  { key: "server/4818c5b1-ac0b-4458-9eed-faf8936ad379/deletion", detail: BEAM_CTL_01 },
];

for (const { key, detail } of CAPTURED) {
  Deno.test(`makeDetail() gives the captured ${key} this detail`, () => {
    const event = capturedEvents().find((event) => event.key === key);
    assert.deepEqual(makeDetail(event!), { detail, failed: [] });
  });
}

Deno.test("makeDetail() gives a server with two NICs, one dual stack, all its addresses", () => {
  const key = "server/b7d20e4e-ba30-4575-b254-c1bb767a6f0d/creation";
  const { detail } = makeDetail(capturedEvents().find((event) => event.key === key)!);
  assert.equal(detail.IP, "10.11.0.160");
  assert.equal(detail.MAC, detail.Addresses[0]?.mac);
  assert.deepEqual(detail.Addresses.map(({ version, network }) => [version, network]), [
    [4, "physics-191249-net-a"],
    [4, "physics-191249-net-b"],
    [6, "physics-191249-net-b"],
  ]);
});

/** The example of seeds/oss_framework.rst. */
const FIRST_GENERATION = {
  FQDN: "fake.hostname.com",
  IP: "172.18.66.54",
  IPType: "Public",
  OS: "Ubuntu",
  Storage: 80,
  Ram: 8,
  CPU: 2,
  Datacenter: "KDC",
  SecurityDomain: "DQT",
  Owner: "some_owner",
  AdditionalUsers: [],
  ApplicationName: "Fake name",
  EnvironmentCI: "Environment info",
  Description: "Description of VM",
  CreationDate: "2015-03-19",
};

Deno.test("makeDetail() gives what the first generation gave, key by key", () => {
  const server = {
    hostname: "fake.hostname.com",
    imageOs: "Ubuntu",
    storageGb: 80,
    ramGib: 8,
    vcpus: 2,
    createdAt: "2015-03-19T18:44:01.000Z",
    metadata: {
      owner: "some_owner",
      additional_users: "",
      application_name: "Fake name",
      environment_ci: "Environment info",
      description: "Description of VM",
    },
    floatingAddress: "172.18.66.54",
  };
  const { detail } = makeDetail(eventOf(server), { static: { Datacenter: "KDC", SecurityDomain: "DQT" } });
  const told = Object.fromEntries(Object.keys(FIRST_GENERATION).map((key) => [key, detail[key]]));
  assert.deepEqual(told, FIRST_GENERATION);
});

Deno.test("makeDetail() begins with the first generation's keys in their order, and has 26 in all", () => {
  const keys = Object.keys(makeDetail(eventOf({})).detail);
  assert.deepEqual(keys.slice(0, 15), Object.keys(FIRST_GENERATION));
  assert.deepEqual(keys.slice(15), [
    "ID",
    "ImageID",
    "MAC",
    "ProjectID",
    "ProjectName",
    "UserID",
    "UserName",
    "RemoteAddress",
    "Metadata",
    "Addresses",
    "FloatingIPs",
  ]);
});

Deno.test("makeDetail() gives null, or nothing in lists, for what is unknown", () => {
  const { detail } = makeDetail(eventOf({ id: null }));
  const { AdditionalUsers, Metadata, Addresses, FloatingIPs, ...rest } = detail;
  assert.deepEqual({ AdditionalUsers, Metadata, Addresses, FloatingIPs }, {
    AdditionalUsers: [],
    Metadata: {},
    Addresses: [],
    FloatingIPs: [],
  });
  assert.deepEqual(new Set(Object.values(rest)), new Set([null]));
});

for (
  const [what, image, want] of [
    ["the image's os", { imageOs: "Ubuntu", imageOsDistro: "x", imageOsVersion: "1", imageName: "n" }, "Ubuntu"],
    ["os_distro and os_version", { imageOsDistro: "debian", imageOsVersion: "12", imageName: "n" }, "debian 12"],
    ["os_distro alone", { imageOsDistro: "debian", imageName: "n" }, "debian"],
    ["the image's name", { imageName: "debian-12" }, "debian-12"],
    ["the image's name rather than a version of nothing", { imageOsVersion: "12", imageName: "n" }, "n"],
    ["null", {}, null],
  ] as const
) {
  Deno.test(`makeDetail() gives as OS ${what}`, () => assert.equal(detailOf(image).OS, want));
}

Deno.test("makeDetail() gives the hostname as FQDN where no domain is known", () => {
  assert.equal(detailOf({ hostname: "alpha" }).FQDN, "alpha");
});

Deno.test("makeDetail() adds the domain of config.ts to a hostname without a dot", () => {
  const options = { domain: "example.com" };
  assert.equal(makeDetail(eventOf({ hostname: "alpha" }), options).detail.FQDN, "alpha.example.com");
  assert.equal(makeDetail(eventOf({ hostname: "alpha.example.com" }), options).detail.FQDN, "alpha.example.com");
  assert.equal(makeDetail(eventOf({ hostname: "Alpha.Example.COM" }), options).detail.FQDN, "Alpha.Example.COM");
  assert.equal(makeDetail(eventOf({ hostname: "web-1.example.org" }), options).detail.FQDN, "web-1.example.org");
  assert.equal(makeDetail(eventOf({ hostname: "alpha." }), options).detail.FQDN, "alpha.example.com");
  assert.equal(makeDetail(eventOf({ hostname: "web-1.example.org." }), options).detail.FQDN, "web-1.example.org");
  assert.equal(makeDetail(eventOf({}), options).detail.FQDN, null);
});

const [V6, V4, LATER_V4] = [
  { address: "2001:db8::5", mac: "fa:16:3e:00:00:06", type: "fixed", network: "net", version: 6 },
  { address: "10.0.0.5", mac: "fa:16:3e:00:00:04", type: "fixed", network: "net", version: 4 },
  { address: "10.0.0.6", mac: "fa:16:3e:00:00:07", type: "fixed", network: "net", version: 4 },
];

for (
  const [what, addresses, ipVersion, want] of [
    ["the first IPv4 address unless config.ts says otherwise", [V6, V4, LATER_V4], undefined, V4],
    ["the first IPv4 address for 4", [V6, V4, LATER_V4], 4, V4],
    ["the first IPv6 address for 6", [V4, V6], 6, V6],
    [`what is listed first for "first"`, [V6, V4], "first", V6],
    ["an IPv6 address where there is no other", [V6], 4, V6],
    ["an IPv4 address where there is no other", [V4], 6, V4],
  ] as const
) {
  Deno.test(`makeDetail() gives as IP, with its MAC, ${what}`, () => {
    const options = ipVersion === undefined ? {} : { ipVersion };
    const { detail } = makeDetail(eventOf({ addresses }), options);
    assert.deepEqual([detail.IP, detail.MAC, detail.Addresses], [want?.address, want?.mac, addresses]);
  });
}

Deno.test("makeDetail() gives the port's name in the DNS as FQDN, unless config.ts says a domain", () => {
  const server = { hostname: "alpha", dnsName: "alpha.example.org" };
  assert.equal(detailOf(server).FQDN, "alpha.example.org");
  assert.equal(makeDetail(eventOf(server), { domain: "example.com" }).detail.FQDN, "alpha.example.com");
});

Deno.test("makeDetail() gives fractions of a GiB as they are", () => {
  assert.equal(detailOf({ ramGib: 0.5 }).Ram, 0.5);
  assert.equal(detailOf({ ramGib: 1.5 }).Ram, 1.5);
  assert.equal(detailOf({ storageGb: 0 }).Storage, 0);
});

Deno.test("makeDetail() gives the day of creation in UTC", () => {
  assert.equal(detailOf({ createdAt: "2026-11-21T23:59:59.999Z" }).CreationDate, "2026-11-21");
});

Deno.test("makeDetail() gives a server's event its floating address, else its first fixed one", () => {
  const addresses = [fixed("10.0.0.5", "one"), fixed("10.0.0.6", "two")];
  const { IP, IPType, MAC } = detailOf({ addresses });
  assert.deepEqual([IP, IPType, MAC], ["10.0.0.5", "Private", "one"]);
  const public_ = detailOf({ addresses, floatingAddress: "203.0.113.1" });
  assert.deepEqual([public_.IP, public_.IPType, public_.MAC], ["203.0.113.1", "Public", "one"]);
});

Deno.test("makeDetail() gives an association's event its own address and its port's MAC", () => {
  const server = { addresses: [fixed("10.0.0.5", "one")], floatingAddress: "203.0.113.1" };
  const floatingIp = { id: "f", address: "203.0.113.2", fixedAddress: "10.0.0.6", mac: "two" };
  const { detail } = makeDetail({ ...eventOf(server), floatingIp, floatingIps: [floatingIp] });
  assert.deepEqual([detail.IP, detail.IPType, detail.MAC], ["203.0.113.2", "Public", "two"]);
  assert.deepEqual(detail.FloatingIPs, [{ id: "f", address: "203.0.113.2", fixedAddress: "10.0.0.6" }]);
});

for (
  const [written, want] of [
    ["bob,carol", ["bob", "carol"]],
    [" bob , carol ", ["bob", "carol"]],
    ["bob", ["bob"]],
    ["bob,,carol,", ["bob", "carol"]],
    [" , ", []],
    ["", []],
    ["cn=bob;dc=x, carol smith", ["cn=bob;dc=x", "carol smith"]],
  ] as const
) {
  Deno.test(`makeDetail() splits additional users ${JSON.stringify(written)}`, () => {
    assert.deepEqual(detailOf({ metadata: { additional_users: written } }).AdditionalUsers, want);
  });
}

Deno.test("makeDetail() finds metadata whatever the case of its name", () => {
  const metadata = {
    OWNER: "alice",
    Additional_Users: "bob",
    application_NAME: "app",
    Environment_CI: "ci",
    DESCRIPTION: "d",
  };
  const { Owner, AdditionalUsers, ApplicationName, EnvironmentCI, Description } = detailOf({ metadata });
  assert.deepEqual([Owner, AdditionalUsers, ApplicationName, EnvironmentCI, Description], [
    "alice",
    ["bob"],
    "app",
    "ci",
    "d",
  ]);
});

Deno.test("makeDetail() takes the first of the metadata of one name that says something", () => {
  assert.equal(detailOf({ metadata: { Owner: "", owner: "alice", OWNER: "bob" } }).Owner, "alice");
  assert.equal(detailOf({ metadata: { owner: "" } }).Owner, null);
});

Deno.test("makeDetail() goes by the names of metadata in config.ts, and keeps the others", () => {
  const metadata = { owner: "alice", "Cost-Centre": "4711", application_name: "app" };
  const { detail } = makeDetail(eventOf({ metadata }), { metadataNames: { Owner: "cost-centre" } });
  assert.equal(detail.Owner, "4711");
  assert.equal(detail.ApplicationName, "app");
  assert.deepEqual(detail.Metadata, metadata);
});

Deno.test("makeDetail() gives the server's own description where metadata has none", () => {
  assert.equal(detailOf({ description: "room 4", metadata: { description: "front end" } }).Description, "front end");
  assert.equal(detailOf({ description: "room 4", metadata: { description: "" } }).Description, "room 4");
  assert.equal(detailOf({ description: "room 4" }).Description, "room 4");
});

Deno.test("makeDetail() takes metadata named like what every object has for metadata", () => {
  const metadata = JSON.parse('{"__proto__":"x","constructor":"y"}');
  assert.equal(JSON.stringify(detailOf({ metadata }).Metadata), '{"__proto__":"x","constructor":"y"}');
  const { detail } = makeDetail(eventOf({ metadata: {} }), { metadataNames: { Owner: "constructor" } });
  assert.equal(detail.Owner, null);
});

Deno.test("makeDetail() lets static values win over everything", () => {
  const options = { static: { Datacenter: "KDC", IPType: "Public", Own: [1] }, fields: { IPType: () => "field" } };
  const { detail } = makeDetail(eventOf({ addresses: [fixed("10.0.0.5", "one")] }), options);
  assert.deepEqual([detail.Datacenter, detail.IPType, detail["Own"]], ["KDC", "Public", [1]]);
});

Deno.test("makeDetail() makes keys with the functions of config.ts, which see the whole", () => {
  const event = { ...eventOf({ hostname: "alpha" }), key: "server/a/creation", eventType: "x.y", created: true };
  const { detail, failed } = makeDetail(event, {
    fields: {
      Zone: ({ detail, created, eventType, key }) => `${detail.FQDN} ${created} ${eventType} ${key}`,
      FQDN: ({ detail }) => `${detail.FQDN}!`,
    },
  });
  assert.equal(detail["Zone"], "alpha true x.y server/a/creation");
  assert.equal(detail.FQDN, "alpha!");
  assert.deepEqual(failed, []);
});

Deno.test("makeDetail() gives null for a key whose function throws, tells of it and makes the others", () => {
  const error = new Error("no zone");
  const { detail, failed } = makeDetail(eventOf({ hostname: "alpha" }), {
    fields: {
      Zone: () => {
        throw error;
      },
      Other: () => 7,
    },
  });
  assert.equal(detail["Zone"], null);
  assert.equal(detail["Other"], 7);
  assert.equal(detail.FQDN, "alpha");
  assert.deepEqual(failed, [{ key: "Zone", error }]);
});

Deno.test("makeDetail() gives null for a key whose function says nothing", () => {
  const nothing = (() => undefined) as unknown as () => null;
  assert.equal(makeDetail(eventOf({}), { fields: { Zone: nothing } }).detail["Zone"], null);
});

Deno.test("makeDetail() gives null for a key whose function gives what no JSON can hold, and tells of it", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const value of [7n, cycle] as unknown[]) {
    const { detail, failed } = makeDetail(eventOf({}), { fields: { Zone: () => value as null } });
    assert.equal(detail["Zone"], null);
    assert.deepEqual(failed.map(({ key, error }) => [key, error instanceof TypeError]), [["Zone", true]]);
  }
});

Deno.test("makeDetail() refuses what a function gives for a key that plugins rely on, and leaves the key unknown", () => {
  const given: readonly (readonly [key: string, value: Json, unknown: Json, said: RegExp])[] = [
    ["Addresses", null, [], /^TypeError: it returned null; Addresses must be a list of \{ address/],
    ["FloatingIPs", [{ id: "a", address: 7 }], [], /it returned a list; FloatingIPs must be a list of \{ id/],
    ["AdditionalUsers", "bert", [], /it returned a text; AdditionalUsers must be a list of texts/],
    ["Metadata", { a: null }, {}, /it returned an object; Metadata must be an object of texts/],
    ["FQDN", 7, null, /it returned the number 7; FQDN must be a text, or null/],
    ["CPU", "4", null, /it returned a text; CPU must be a number, or null/],
  ];
  for (const [key, value, unknown, said] of given) {
    const event = eventOf({ hostname: "alpha", metadata: { a: "b" }, vcpus: 2 });
    const { detail, failed } = makeDetail(event, { fields: { [key]: () => value } });
    assert.deepEqual(detail[key], unknown);
    assert.equal(failed.length, 1);
    assert.match(String(failed[0]?.error), said);
  }
});

Deno.test("makeDetail() leaves a list or an object empty, not null, when its function throws", () => {
  const thrown = () => {
    throw new Error("no");
  };
  const { detail } = makeDetail(eventOf({}), { fields: { Addresses: thrown, Metadata: thrown, FQDN: thrown } });
  assert.deepEqual([detail.Addresses, detail.Metadata, detail.FQDN], [[], {}, null]);
});

Deno.test("makeDetail() keeps lone surrogates, and JSON writes them", () => {
  const { detail } = makeDetail(eventOf({ hostname: "a\ud800b", metadata: { owner: "\udc00" } }));
  assert.equal(detail.FQDN, "a\ud800b");
  assert.equal(detail.Owner, "\udc00");
  const written = JSON.stringify(detail);
  assert.ok(written.includes(String.raw`"a\ud800b"`) && written.isWellFormed());
});

Deno.test("makeDetail() changes nothing of the event", () => {
  const event = capturedEvents()[0]!;
  const before = JSON.stringify(event);
  makeDetail(event, { domain: "example.com", static: { Metadata: {} } });
  assert.equal(JSON.stringify(event), before);
});

function detailOf(server: Partial<ServerSnapshot>): Detail {
  return makeDetail(eventOf(server)).detail;
}

function eventOf(server: Partial<ServerSnapshot>): WatcherEvent {
  return {
    key: "server/a/creation",
    subject: "server",
    created: true,
    eventType: "compute.instance.create.end",
    messageId: "m",
    time: "2026-11-21T19:13:11.667Z",
    server: { ...unknownServer("a"), ...server },
    floatingIp: null,
    floatingIps: [],
    creationSeen: true,
    orderKeys: [],
  };
}

function fixed(address: string, mac: string) {
  return { address, mac, type: "fixed", network: null, version: 4 };
}

function capturedEvents(): readonly WatcherEvent[] {
  const story = new Story();
  return mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl")).flatMap(({ body }) => {
    const decoded = decodeBody(new TextEncoder().encode(body));
    assert.ok("notification" in decoded);
    return story.tell(decoded.notification).events;
  });
}
