import assert from "node:assert/strict";
import { checkConfig } from "../../src/config/check_config.ts";
import { WHOLE_CONFIGS } from "./whole_configs.ts";

class Cmdb {
  notify() {}
}

const good = {
  events: { creation: ["compute.instance.create.end"], deletion: ["floatingip.update.end"] },
  plugins: [new Cmdb()],
};
const rabbit = { host: "localhost", watchQueue: "monitoring.info" };

Deno.test("checkConfig() finds nothing when only events and plugins are there", () => {
  assert.deepEqual(checkConfig(good), []);
});

Deno.test("checkConfig() takes equal ports of console and metrics where they cannot collide", () => {
  for (
    const sections of [
      { console: { port: 0 }, metrics: { port: 0 } },
      { console: { port: 17672 }, metrics: false },
      { console: false, metrics: { port: 17673 } },
      { console: { port: 9000 }, metrics: { host: "10.0.0.5", port: 9000 } },
    ]
  ) assert.deepEqual(checkConfig({ ...good, ...sections }), []);
});

Deno.test("checkConfig() takes all changes, where a plugin can follow them, and an empty list everywhere", () => {
  const follower = { name: "F", notify() {}, update() {} };
  assert.deepEqual(
    checkConfig({ ...good, events: { ...good.events, update: "all" }, plugins: [new Cmdb(), follower] }),
    [],
  );
  assert.deepEqual(checkConfig({ ...good, events: { ...good.events, update: [] } }), []);
});

for (const [what, config] of Object.entries(WHOLE_CONFIGS)) {
  Deno.test(`checkConfig() finds nothing when every key is there: ${what}`, () => {
    assert.deepEqual(checkConfig(config), []);
  });
}

const EVENTS = "compute.instance.create.end, instance.create.end, floatingip.update.end";
const SOURCE_KEYS = "url, host, port, user, password, vhost, tls, prefetch, heartbeatSeconds, watchQueue, queue";

const cases: readonly (readonly [what: string, config: unknown, findings: readonly string[]])[] = [
  ["the whole is no object", "text", [
    `the default export: found "text"; allowed: an object with events, plugins, rabbit, openstack, detail, retry, ledger, log, metrics, console`,
  ]],
  ["everything is missing", {}, ["events: missing", "plugins: missing"]],
  ["scope, interface and files of OpenStack are wrong", {
    ...good,
    openstack: { cloud: "c", systemScope: true, project: "p", interface: "publicURL", keyFile: "k" },
  }, [
    `openstack.interface: found "publicURL"; allowed: "public", "internal" or "admin"`,
    "openstack.systemScope: stands beside project; keep one: what to log in for",
    "openstack.keyFile: needs certFile",
  ]],
  ["metrics are wrong", { ...good, metrics: { host: "http://a", port: 70000, path: "/m" } }, [
    `metrics.host: found "http://a"; allowed: an address or a name of this machine`,
    "metrics.port: found 70000; allowed: a whole number from 0 to 65535",
    "metrics.path: unknown key; Allowed: host, port",
  ]],
  ["metrics are switched on, which they are", { ...good, metrics: true }, [
    "metrics: found true; allowed: an object with host, port",
  ]],
  ["the log is wrong", { ...good, log: { level: "warning", format: "xml", file: "" } }, [
    `log.level: found "warning"; allowed: "debug", "info", "warn" or "error"`,
    `log.format: found "xml"; allowed: "text" or "json"`,
    `log.file: found ""; allowed: a string that is not empty`,
  ]],
  ["keys are misspelt", { ...good, rabbit: { ...rabbit, prot: 5672, pasword: "s3cret" }, rabit: 1 }, [
    `rabbit.prot: unknown key; did you mean "port"? Allowed: ${SOURCE_KEYS}`,
    `rabbit.pasword: unknown key; did you mean "password"? Allowed: ${SOURCE_KEYS}`,
    "rabit: unknown key; Allowed: events, plugins, rabbit, openstack, detail, retry, ledger, log, metrics, console",
  ]],
  ["event types are wrong", {
    ...good,
    events: { creation: ["floatingip.update.end", "floatingip.update.emd", "instance.delete.end", 7], deletion: "x" },
  }, [
    `events.creation[1]: "floatingip.update.emd" is not an event of this group; allowed: ${EVENTS}; ` +
    `did you mean "floatingip.update.end"?`,
    `events.creation[2]: "instance.delete.end" is not an event of this group but of events.deletion`,
    `events.creation[3]: 7 is not an event of this group; allowed: ${EVENTS}`,
    `events.deletion: found "x"; allowed: a list of event types`,
  ]],
  ["no event is listed", { ...good, events: { creation: [], deletion: [] } }, [
    "events: creation and deletion are both empty: there is nothing to watch",
  ]],
  ["plugins are none", { ...good, plugins: [{ a: 1, notifi() {} }, Cmdb, null, () => {}, "x"] }, [
    "plugins[0]: has no notify(detail, created); found {a, notifi}",
    `plugins[1]: found the class Cmdb, not an object of it; did you forget "new"?`,
    "plugins[2]: has no notify(detail, created); found null",
    "plugins[3]: has no notify(detail, created); found a function",
    `plugins[4]: has no notify(detail, created); found "x"`,
  ]],
  ["there is no plugin", { ...good, plugins: [] }, [
    "plugins: found an empty list; allowed: a list of plugins, at least one",
  ]],
  ["plugins have no name, or one twice", {
    ...good,
    plugins: [new Cmdb(), { notify() {} }, new Cmdb(), { name: "a\n", notify() {} }],
  }, [
    `plugins[1]: has no name, and no class to take it from; give it one, as name: "cmdb"; found {notify}`,
    "plugins[3]: name must have 1 to 100 visible characters; found {name, notify}",
    `plugins[2]: has the same name as plugins[0], "Cmdb"; set the option name of one`,
  ]],
  ["abilities of a plugin are no functions", {
    ...good,
    plugins: [{ name: "a", notify() {}, check: true, preview: {} }],
  }, [
    "plugins[0]: preview and check must be a function; found {name, notify, check, preview}",
  ]],
  ["numbers are out of range", {
    ...good,
    rabbit: { ...rabbit, port: 70000, prefetch: 0, heartbeatSeconds: 4.5 },
    retry: { firstDelaySeconds: 0, maxAgeHours: "72", permanentStatuses: [200] },
  }, [
    "rabbit.port: found 70000; allowed: a whole number from 1 to 65535",
    "rabbit.prefetch: found 0; allowed: a whole number from 1 to 65535",
    "rabbit.heartbeatSeconds: found 4.5; allowed: a whole number from 5 to 65535",
    "retry.firstDelaySeconds: found 0; allowed: a number above 0, at most 86400",
    `retry.maxAgeHours: found "72"; allowed: a number above 0, at most 8760`,
    "retry.permanentStatuses[0]: found 200; allowed: a whole number from 300 to 599",
  ]],
  ["sources name no queue, or two", {
    ...good,
    rabbit: [{ host: "h" }, { ...rabbit, queue: { name: "amq.q", type: "x" } }],
  }, [
    `rabbit[0]: names no queue; add watchQueue: "<an existing queue>", or queue: { name: "oss-watcher" }`,
    `rabbit[1].queue.name: found "amq.q"; allowed: a name of 1 to 255 characters that does not begin with "amq."`,
    `rabbit[1].queue.type: found "x"; allowed: "classic" or "quorum"`,
    "rabbit[1].watchQueue: stands beside queue; keep one: an existing queue, or one of our own",
  ]],
  ["url stands beside host", { ...good, rabbit: { ...rabbit, url: "amqp://h", password: "s3cret" } }, [
    "rabbit.url: stands beside host, password; write them into the URL, or leave it out",
  ]],
  ["hosts are URLs or hold a port", { ...good, rabbit: { ...rabbit, host: ["amqp://u:s3cret@h", "h:5672"] } }, [
    "rabbit.host[0]: found a string; allowed: a host's name or address, without scheme, port and path",
    `rabbit.host[1]: found "h:5672"; allowed: a host's name or address, without scheme, port and path`,
  ]],
  ["a key lacks its certificate", { ...good, rabbit: { ...rabbit, tls: { keyFile: "key.pem" } } }, [
    "rabbit.tls.keyFile: needs certFile",
  ]],
  ["secrets have wrong types or shapes", {
    ...good,
    rabbit: { url: "s3cret@host", watchQueue: "q", tls: { caFile: "" } },
    openstack: { authUrl: "http://u:s3cret@h", password: 53_537, cloud: "c" },
  }, [
    "rabbit.url: found a string; allowed: amqp://host or amqps://host, with user:password@, :port and /vhost where needed",
    `rabbit.tls.caFile: found ""; allowed: a string that is not empty`,
    "openstack.authUrl: found a string; allowed: http://… or https://…, without user and password",
    "openstack.password: found a number; allowed: a string",
    "openstack.cloud: stands beside authUrl; keep one: a cloud of clouds.yaml, or the rest here",
  ]],
  ["a ledger is two", {
    ...good,
    ledger: { file: "l.db", postgres: { url: "postgres://u:s3cret@h/d", schema: "Mine", leaseSeconds: 1 } },
  }, [
    `ledger.postgres.schema: found "Mine"; allowed: a name of 1 to 63 small letters, digits and _, not beginning with a digit`,
    "ledger.postgres.leaseSeconds: found 1; allowed: a whole number from 2 to 300",
    "ledger.file: stands beside postgres; keep one: a file of SQLite, or a database",
  ]],
  ["a ledger on PostgreSQL has no URL", { ...good, ledger: { postgres: { schema: "a", processName: "" } } }, [
    "ledger.postgres.url: missing",
    `ledger.postgres.processName: found ""; allowed: a name of 1 to 255 characters`,
  ]],
  ["the URL of PostgreSQL is another's", { ...good, ledger: { postgres: { url: "amqp://u:s3cret@h/d" } } }, [
    "ledger.postgres.url: it is not postgres://user:password@host:5432/database, with ,host:5432 for each further " +
    "host and ?sslmode= where needed",
  ]],
  ["the URL of PostgreSQL is no text", { ...good, ledger: { postgres: { url: ["postgres://u:s3cret@h/d"] } } }, [
    "ledger.postgres.url: found a list of 1; allowed: postgres://user:password@host:5432/database, with ,host:5432 " +
    "for each further host and ?sslmode= where needed",
  ]],
  ["PostgreSQL's TLS and schema contradict the URL", {
    ...good,
    ledger: {
      postgres: { url: "postgres://u:s3cret@h/d?sslmode=disable&schema=a", schema: "b", caFile: "c", keyFile: "k" },
    },
  }, [
    "ledger.postgres.keyFile: needs certFile",
    "ledger.postgres.schema: stands beside ?schema= of url; keep one",
    "ledger.postgres.url: has sslmode=disable beside caFile; keep one: with TLS or without",
  ]],
  ["a certificate is for a connection without TLS", {
    ...good,
    ledger: { postgres: { url: "postgres://u:s3cret@h/d", certFile: "c", keyFile: "k" } },
  }, ["ledger.postgres.certFile: needs TLS; add ?sslmode=verify-full to url, or caFile"]],
  ["retry names a plugin that is not there", { ...good, retry: { plugins: { cmdb: {}, Other: { concurency: 1 } } } }, [
    'retry.plugins.Other.concurency: unknown key; did you mean "concurrency"? Allowed: concurrency, ' +
    "attemptTimeoutSeconds, firstDelaySeconds, maxDelaySeconds, maxAgeHours, permanentStatuses, breakerFailures, limit",
    `retry.plugins.cmdb: no plugin has this name; configured: Cmdb; did you mean "Cmdb"?`,
    "retry.plugins.Other: no plugin has this name; configured: Cmdb",
  ]],
  ["the first delay exceeds the longest", { ...good, retry: { firstDelaySeconds: 9, maxDelaySeconds: 3 } }, [
    "retry.firstDelaySeconds: must not be more than maxDelaySeconds",
  ]],
  ["the detail holds what JSON cannot", {
    ...good,
    detail: { static: { A: () => 1, B: NaN }, fields: { C: "x" }, domain: ".example.com" },
  }, [
    "detail.static.A: found a function; allowed: what JSON can hold",
    "detail.static.B: found NaN; allowed: what JSON can hold",
    `detail.fields.C: found "x"; allowed: a function of the whole`,
    `detail.domain: found ".example.com"; allowed: a domain as "example.com"`,
  ]],
  ["detail.static gives keys that plugins read what they cannot hold", {
    ...good,
    detail: {
      static: { Addresses: null, FloatingIPs: [{ id: "a" }], FQDN: 7, CPU: "4", Metadata: { a: 1 }, Own: null },
    },
  }, [
    "detail.static.Addresses: found null; allowed: a list of { address, mac, type, network, version }, which may be empty",
    "detail.static.FloatingIPs: found a list of 1; allowed: a list of { id, address, fixedAddress }, which may be empty",
    "detail.static.FQDN: found 7; allowed: a text, or null",
    `detail.static.CPU: found "4"; allowed: a number, or null`,
    "detail.static.Metadata: found {a}; allowed: an object of texts, which may be empty",
  ]],
  ["events.update lists what the detail has not, and no plugin can follow", {
    ...good,
    events: { ...good.events, update: ["FQDN", "Fqdn", "Site"], settleSeconds: -1 },
    detail: { fields: { Site: () => null }, optional: ["Rack"] },
  }, [
    `events.update[1]: "Fqdn" is no key of the detail that can change; did you mean "FQDN"?`,
    "events.update: no plugin can follow updates: none has a method update(detail, context). Of the built-in ones, " +
    "RestNotify needs urlUpdate, DirectoryNotify and EmailNotify updates: true",
    "events.settleSeconds: found -1; allowed: a number from 0 to 3600",
    `detail.optional[0]: found "Rack"; allowed: one of Name, Zone, Host, Status, Flavor`,
  ]],
  ["events.update lists keys that can never be told", {
    events: {
      creation: ["compute.instance.create.end", "floatingip.update.end"],
      deletion: ["floatingip.update.end"],
      update: ["FloatingIPs", "Datacenter", "ID", "FQDN"],
    },
    plugins: [{ name: "F", notify() {}, update() {} }],
    detail: { static: { Datacenter: "KDC" } },
  }, [
    `events.update[0]: "FloatingIPs" is no key of the detail that can change: both groups list ` +
    "floatingip.update.end, which tells it",
    `events.update[1]: "Datacenter" is no key of the detail that can change: detail.static sets it`,
    `events.update[2]: "ID" is no key of the detail that can change: it is the same in all of a server's life`,
  ]],
  ["events.settleSeconds stands alone", { ...good, events: { ...good.events, settleSeconds: 5 } }, [
    "events.settleSeconds: needs events.update, which lists what is told",
  ]],
  ["events.update is listed without the creation of servers", {
    events: { ...good.events, creation: ["floatingip.update.end"], update: "all" },
    plugins: [{ name: "F", notify() {}, update() {} }],
  }, [
    "events.update: servers are told of from their creation on: events.creation lists no compute.instance.create.end",
  ]],
  ["events.update is neither a list nor all", { ...good, events: { ...good.events, update: "FQDN" } }, [
    `events.update: found "FQDN"; allowed: a list of keys of the detail, or "all"`,
    "events.update: no plugin can follow updates: none has a method update(detail, context). Of the built-in ones, " +
    "RestNotify needs urlUpdate, DirectoryNotify and EmailNotify updates: true",
  ]],
  ["the console has the port of the metrics", { ...good, console: { port: 17672 } }, [
    "console.port: 17672 is the port of metrics, too: set another one, or 0 for any free port",
  ]],
  ["the metrics have the console's port, on all addresses", {
    ...good,
    console: {},
    metrics: { host: "::", port: 17673 },
  }, [
    "console.port: 17673 is the port of metrics, too: set another one, or 0 for any free port",
  ]],
  ["the console could be reached by everybody", { ...good, console: { host: "0.0.0.0" } }, [
    `console.host: "0.0.0.0" can be reached by others: it needs tls: { certFile, keyFile }, or trustedProxy, which ` +
    "signs operators in. Or leave host out: the console then listens on the loopback address",
  ]],
  [
    "a proxy is trusted that nobody can be signed in by",
    { ...good, console: { trustedProxy: { addresses: ["::1"] } } },
    [
      "console.trustedProxy: needs groups: { operator: […], viewer: […] }: nobody could sign in",
    ],
  ],
  ["the console's options are wrong", {
    ...good,
    console: {
      host: "a b",
      port: 65_536,
      url: "https://console.example.com/path",
      allowedHosts: ["a:b/c"],
      tls: { certFile: "a" },
      trustedProxy: { addresses: ["10.0.0.0/33", "proxy"], userHeader: "a:b" },
      groups: { operator: ["a,b"], admin: ["a"] },
      sessionHours: 0,
    },
  }, [
    `console.host: found "a b"; allowed: an address or a name of this machine`,
    "console.port: found 65536; allowed: a whole number from 0 to 65535",
    `console.url: found a string; allowed: http://… or https://…, without a path`,
    `console.allowedHosts[0]: found "a:b/c"; allowed: a name or an address, without a port`,
    "console.tls.keyFile: missing",
    `console.trustedProxy.addresses[0]: found "10.0.0.0/33"; allowed: an address as "10.0.0.7", or a network as "10.0.0.0/24"`,
    `console.trustedProxy.addresses[1]: found "proxy"; allowed: an address as "10.0.0.7", or a network as "10.0.0.0/24"`,
    `console.trustedProxy.userHeader: found "a:b"; allowed: the name of a header`,
    `console.groups.operator[0]: found "a,b"; allowed: the name of a group, without commas`,
    "console.groups.admin: unknown key; Allowed: operator, viewer",
    "console.sessionHours: found a number; allowed: a number from 0.1 to 720",
  ]],
  ["the console's options can be read, but cannot work", {
    ...good,
    console: {
      url: "https://console.example.com:99999",
      allowedHosts: ["::1", "console.example.com", "console.example.com:443", "*"],
      trustedProxy: { addresses: ["0.0.0.0/0"] },
      groups: { operator: ["a"] },
    },
  }, [
    `console.url: found a string; allowed: http://… or https://…, without a path`,
    `console.allowedHosts[2]: found "console.example.com:443"; allowed: a name or an address, without a port`,
    `console.allowedHosts[3]: found "*"; allowed: a name or an address, without a port`,
    `console.trustedProxy.addresses[0]: found "0.0.0.0/0"; allowed: some addresses, not all: anybody could write the headers`,
  ]],
  ["groups stand without a proxy", { ...good, console: { groups: { operator: ["a"] } } }, [
    "console.groups: needs trustedProxy, which tells the groups of a user",
  ]],
  ["names are hostile", { ...good, "a\x1b\n": 1, detail: { static: { "b c": () => 1 } } }, [
    `detail.static["b c"]: found a function; allowed: what JSON can hold`,
    `["a\\u{1b}\\u{a}"]: unknown key; Allowed: events, plugins, rabbit, openstack, detail, retry, ledger, log, metrics, console`,
  ]],
];

for (const [what, config, findings] of cases) {
  Deno.test(`checkConfig() names every mistake when ${what}`, () => {
    const found = checkConfig(config);
    assert.deepEqual([...found].sort(), [...findings].sort());
    assert.ok(found.every((finding) => !/s3cret|\n/.test(finding)));
  });
}
