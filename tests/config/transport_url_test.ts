import assert from "node:assert/strict";
import { readTransportUrl } from "../../src/config/transport_url.ts";

const UP = { user: "u", password: "p" };

/** As `TransportURL.parse` of oslo.messaging 14.0.3 read them, with `guest` at localhost where there is no host. */
for (
  const [url, vhost, hosts, options = {}] of [
    ["rabbit://u:p@h:5672/", null, [{ host: "h", port: 5672, ...UP }]],
    ["rabbit://u:p@h", null, [{ host: "h", ...UP }]],
    ["rabbit://u:p@h//", "/", [{ host: "h", ...UP }]],
    ["rabbit://u:p@h/%2Fnova", "/nova", [{ host: "h", ...UP }]],
    ["rabbit://u:p@h/a/b+c", "a/b+c", [{ host: "h", ...UP }]],
    ["rabbit://u%3A:p%40ss%2F%C3%A9@h:1/v", "v", [{ host: "h", port: 1, user: "u:", password: "p@ss/é" }]],
    ["rabbit://u:p@h1,u:q@h2:99/v", "v", [{ host: "h1", ...UP }, { host: "h2", port: 99, user: "u", password: "q" }]],
    ["rabbit://u:p@[::1]:5673,u:p@[fd00::2]/", null, [{ host: "::1", port: 5673, ...UP }, { host: "fd00::2", ...UP }]],
    ["rabbit://h1,,h2:", null, [{ host: "h1" }, { host: "h2" }]],
    ["rabbit:///", null, [{ host: "localhost" }]],
    ["rabbit://u@h/", null, [{ host: "h", user: "u" }]],
    ["rabbit://:p@h/", null, [{ host: "h", password: "p" }]],
    ["rabbit://u:a:b@x@h/", null, [{ host: "h", user: "u", password: "a:b@x" }]],
    ["rabbit://u:5%,@h/", "", "refused"],
    ["rabbit://u:5%!%zz@h/", null, [{ host: "h", user: "u", password: "5%!%zz" }]],
    ["KOMBU://u:p@h/v?ssl=1&a=b%20c+d", "v", [{ host: "h", ...UP }], { ssl: "1", a: "b c d" }],
  ] as const
) {
  Deno.test(`readTransportUrl() reads ${url}`, () => {
    const read = readTransportUrl(url);
    if (hosts === "refused") return assert.equal(typeof read, "string");
    assert.deepEqual(read, { vhost, hosts, options: new Map(Object.entries(options)) });
  });
}

for (
  const [url, says] of [
    ["", /^is no URL\. Write rabbit:\/\/user:password@host:5672\/vhost$/],
    ["h:5672", /^is no URL\./],
    ["amqp://u:hush@h/", /^begins with amqp:\/\/, which is AMQP 1\.0 to oslo\.messaging/],
    ["AMQPS://u:hush@h/", /^begins with amqps:\/\//],
    ["kafka://u:hush@h/", /^begins with kafka:\/\/, and oss-watcher speaks to RabbitMQ alone\. Write rabbit:\/\/$/],
    ["rabbit://u:hu/sh@h/", /^has a host that cannot be read\./],
    ["rabbit://u:hush@/", /^has a host that cannot be read\./],
    ["rabbit://u:hush@[::1/", /^has a host that cannot be read\./],
    ["rabbit://u:hush@::1/", /^has a host that cannot be read\./],
  ] as const
) {
  Deno.test(`readTransportUrl() says of ${url.replace("hush", "***")} why it is none, without its password`, () => {
    const said = readTransportUrl(url);
    assert.ok(typeof said === "string" && says.test(said) && !said.includes("hu"), String(said));
  });
}
