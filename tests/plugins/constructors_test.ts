import assert from "node:assert/strict";
import * as fc from "fast-check";
import * as plugins from "oss-watcher/plugins";
import type { LdapDirectoryOptions } from "oss-watcher/plugins";

/** The options of each, right but for what a test puts in. */
const RIGHT: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  RestNotify: { urlCreation: "https://a.example/new", urlDeletion: "https://a.example/old" },
  DirectoryNotify: { url: "https://a.example/", logFile: null },
  LdapDirectory: {
    url: "ldaps://a.example",
    bindDn: "cn=w,dc=example",
    password: "s3cret-value",
    baseDn: "dc=example",
  },
  NetBox: { url: "https://a.example", token: "t0ken-value", cluster: "openstack" },
  DnsUpdate: { server: "ns1.example.com", keyName: "w", keySecret: "czNjcmV0" },
  PowerDns: { url: "https://a.example", apiKey: "k", zones: ["cloud.example.com"] },
  Designate: { openstack: { cloud: "admin" }, zones: ["cloud.example.com"] },
  EmailNotify: { host: "smtp.example.com", from: "w@example.com", to: "a@example.com" },
  AmqpPublish: { host: "a.example", exchange: "cloud" },
  EventLog: {},
  Nats: { url: "nats://a.example", subject: "cloud" },
  Kafka: { brokers: "a.example:9092", topic: "cloud" },
  Webhook: { chat: "slack", url: "https://a.example/hook" },
};

/** All that some plugin knows. */
const OPTIONS = [
  ...["name", "host", "port", "url", "urlCreation", "urlDeletion", "method", "methodDeletion", "body", "headers"],
  ...["signingSecrets", "user", "password", "bearer", "caFile", "certFile", "keyFile", "timeoutSeconds", "logFile"],
  ...["python2", "startTls", "bindDn", "sasl", "baseDn", "preset", "objectClasses", "attributes", "rdn", "parent"],
  ...["idAttribute", "markAttribute", "mark", "addressAttribute", "connectTimeoutSeconds", "from", "replyTo", "to"],
  ...["allowedDomains", "subject", "text", "html", "security", "serverName", "clientName", "exchange", "queue"],
  ...["routingKey", "vhost", "tls", "heartbeatSeconds", "file", "format", "maxAnswerBytes", "__proto__x", "a\nb"],
  ...["urlUpdate", "methodUpdate", "updates", "token", "scheme", "customField", "createCustomFields", "cluster"],
  ...["site", "tenant", "vrf", "prefixLength", "machineName", "onDeletion", "deletionTag", "adopt"],
  ...["server", "keyName", "keySecret", "keyAlgorithm", "zones", "hostName"],
  ...[
    "addresses",
    "ptr",
    "ttlSeconds",
    "onConflict",
    "owner",
    "apiKey",
    "openstack",
    "projectZones",
    "chat",
    "everySeconds",
  ],
  ...["brokers", "topic", "key", "mechanism", "stream", "credsFile", "source"],
];

const anything = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, 0, -1, NaN, "", "x", "a\r\nb", "\ud800", {}, [], [null], true, () => 1),
  fc.constantFrom<unknown>("https://u:p@h/", "cn=a", "none", Symbol("s"), 7n, new Map(), Object.create(null)),
  fc.anything(),
);

for (const [name, right] of Object.entries(RIGHT)) {
  const make = (options?: unknown) => Reflect.construct(Reflect.get(plugins, name), [options]);

  Deno.test(`${name}() names itself whatever it is given`, () => {
    const wrong = fc.dictionary(fc.constantFrom(...OPTIONS), anything, { maxKeys: 4 });
    fc.assert(
      fc.property(wrong, fc.boolean(), (options, alone) => {
        try {
          make(alone ? options : { ...right, ...options });
        } catch (error) {
          assert(error instanceof TypeError, String(error));
          assert.match(error.message, new RegExp(`^Cannot make ${name}: [^\\p{Cc}]+$`, "u"));
        }
      }),
      { numRuns: 300 },
    );
  });

  Deno.test(`${name}() says that it needs options when it is given none`, () => {
    const nothing = name === "EventLog" ? [null, 7, []] : [undefined, null, 7, []];
    for (const options of nothing) {
      assert.throws(() => make(options), {
        name: "TypeError",
        message: `Cannot make ${name}: needs an object of options, as new ${name}({ … })`,
      });
    }
  });
}

for (const name of ["NetBox", "PowerDns"] as const) {
  Deno.test(`${name}() refuses credentials that are not its own`, () => {
    const others = { user: "w", password: "s3cret-value", bearer: "s3cret-value", maxAnswerBytes: 1 };
    assert.throws(() => Reflect.construct(plugins[name], [{ ...RIGHT[name], ...others }]), {
      name: "TypeError",
      message:
        `Cannot make ${name}: user: unknown option; password: unknown option; bearer: unknown option; maxAnswerBytes: unknown option`,
    });
  });
}

Deno.test("LdapDirectory names a preset that is no text", () => {
  const options = { ...RIGHT["LdapDirectory"], preset: Object.create(null) } as unknown as LdapDirectoryOptions;

  assert.throws(() => new plugins.LdapDirectory(options), { name: "TypeError", message: /preset: must be/ });
});
