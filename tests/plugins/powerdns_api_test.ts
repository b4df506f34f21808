import assert from "node:assert/strict";
import { PowerDns, type PowerDnsOptions } from "oss-watcher/plugins";
import { type SampleEvent, sampleEvent } from "oss-watcher/testing";
import { API_KEY, PowerDnsServer, ZONES } from "../support/dns_server.ts";
import { HttpProxy, passedOnTo, type ProxiedRequest } from "../support/http_proxy.ts";
import { tool } from "../support/tool.ts";

const server = new PowerDnsServer();
Deno.test.beforeAll(() => server.start());
Deno.test.afterAll(() => server[Symbol.asyncDispose]());
Deno.test.beforeEach(() => server.clear());

const ZONE = "/api/v1/servers/localhost/zones/cloud.example.com.";
const { signal } = new AbortController();

function pluginAt(port: number, options: Partial<PowerDnsOptions> = {}): PowerDns {
  return new PowerDns({ url: `http://127.0.0.1:${port}/`, apiKey: API_KEY, zones: ZONES, ...options });
}

async function tell(plugin: PowerDns, { detail, created, context }: SampleEvent): Promise<void> {
  await plugin.notify(detail, created, context);
}

/** Asks the API as an administrator does. */
async function asked(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${server.apiPort}${path}`, {
    method,
    headers: { "X-API-Key": API_KEY },
    ...body === undefined ? {} : { body: JSON.stringify(body) },
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? {} : JSON.parse(text);
}

async function setOf(name: string, type: string): Promise<Record<string, unknown> | undefined> {
  const { rrsets } = await asked("GET", `${ZONE}?rrset_name=${name}.&rrset_type=${type}`);
  return (rrsets as Record<string, unknown>[])[0];
}

function contentsOf(set: Record<string, unknown> | undefined): string[] {
  return (set?.["records"] as { content: string }[]).map(({ content }) => content).sort();
}

Deno.test("PowerDns: one name for many servers at the same time is one server's, whole", async () => {
  const plugin = pluginAt(server.apiPort, { hostName: () => "web.cloud.example.com" });
  const events = Array.from({ length: 12 }, (_, index) => sampleEvent({ server: index + 1 }));
  const outcomes = await Promise.allSettled(events.map((event) => tell(plugin, event)));
  const [winner, ...more] = events.filter((_, index) => outcomes[index]?.status === "fulfilled");
  assert.deepEqual(more, []);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") {
      assert.match(String(outcome.reason), /PermanentError: .* belongs to the server /);
    }
  }
  const records = (await server.records()).filter((line) => !line.startsWith("_"));
  assert.deepEqual(records.slice(1), [`web.cloud.example.com A ${winner?.detail.IP}`]);
  const owner = (await server.records()).find((line) => line.startsWith("_oss-watcher.web."));
  assert.ok(owner?.includes(`server=${winner?.detail.ID}`), owner);
});

Deno.test("PowerDns: an event that is told again writes nothing", async () => {
  const requests: ProxiedRequest[] = [];
  const pass = passedOnTo(`http://127.0.0.1:${server.apiPort}`);
  await using proxy = await HttpProxy.open((request) => (requests.push(request), pass(request)));
  const plugin = pluginAt(proxy.port);
  await tell(plugin, sampleEvent());
  assert.equal(requests.filter(({ method }) => method === "PATCH").length, 2);
  await tell(plugin, sampleEvent());
  assert.equal(requests.filter(({ method }) => method === "PATCH").length, 2);
});

Deno.test("PowerDns: preview() shows nothing of a floating IP that notify() does not write", async () => {
  const plugin = pluginAt(server.apiPort, { addresses: "fixed" });
  for (const created of [true, false]) {
    const { detail, context } = sampleEvent({ subject: "floatingip", created });
    assert.deepEqual(await plugin.preview(detail, created, context), []);
  }
});

Deno.test("PowerDns: comments, other types and other records of a name of ours stay", async () => {
  const plugin = pluginAt(server.apiPort, { addresses: "all" });
  await tell(plugin, sampleEvent());
  const comments = [{ content: "by hand", account: "ops", modified_at: 1 }];
  const records = ["10.0.0.1", "10.9.9.9"].map((content) => ({ content, disabled: false }));
  const name = "web-1.cloud.example.com.";
  const change = { name, changetype: "REPLACE" };
  await asked("PATCH", ZONE, {
    rrsets: [
      { ...change, type: "A", ttl: 300, records, comments },
      { ...change, type: "MX", ttl: 60, records: [{ content: "10 mail.example.net.", disabled: false }] },
    ],
  });
  await tell(plugin, sampleEvent({ subject: "floatingip" }));
  const set = await setOf("web-1.cloud.example.com", "A");
  assert.deepEqual(contentsOf(set), ["10.0.0.1", "10.9.9.9", "203.0.113.1"]);
  assert.deepEqual(set?.["comments"], comments);
  await tell(plugin, sampleEvent({ created: false }));
  assert.deepEqual(contentsOf(await setOf("web-1.cloud.example.com", "A")), ["10.9.9.9"]);
  assert.deepEqual(contentsOf(await setOf("web-1.cloud.example.com", "MX")), ["10 mail.example.net."]);
  await asked("PATCH", ZONE, {
    rrsets: [{ name, type: "A", changetype: "REPLACE", ttl: 0, records: [], comments: [] }],
  });
});

Deno.test("PowerDns: a record of ours that somebody has disabled is missing in list(), and comes back", async () => {
  const plugin = pluginAt(server.apiPort, { ptr: false });
  await tell(plugin, sampleEvent());
  const [whole] = await Array.fromAsync(plugin.list(signal));
  const set = { name: "web-1.cloud.example.com.", type: "A", ttl: 300, changetype: "REPLACE" };
  await asked("PATCH", ZONE, { rrsets: [{ ...set, records: [{ content: "10.0.0.1", disabled: true }] }] });
  const [listed] = await Array.fromAsync(plugin.list(signal));
  assert.deepEqual([listed?.id, listed?.fingerprint === whole?.fingerprint], [whole?.id, false]);
  await tell(plugin, sampleEvent());
  assert.deepEqual(await Array.fromAsync(plugin.list(signal)), [whole]);
});

Deno.test("PowerDns: a name below a DNAME or a delegation is refused, however deep", async () => {
  await server.nsupdate(["zone cloud.example.com", "update add far.cloud.example.com. 60 NS ns.example.net."]);
  const labels = Array.from({ length: 40 }, (_, index) => `l${index}`).join(".");
  for (const FQDN of [`${labels}.far.cloud.example.com`, "far.cloud.example.com"]) {
    await assert.rejects(tell(pluginAt(server.apiPort), sampleEvent({ detail: { FQDN } })), {
      name: "PermanentError",
      message: /it belongs to a zone that is delegated/,
    });
  }
});

Deno.test("PowerDns: a zone that the server lacks, or has from another, is told with what to do", async () => {
  const lacking = pluginAt(server.apiPort, { zones: [...ZONES, "elsewhere.example.com"] });
  await assert.rejects(lacking.check(signal), {
    name: "DeliveryError",
    reason: "client_error",
    message: /404 .*; set zones to zones that PowerDNS has, and url to its webserver$/,
  });
  await assert.rejects(tell(lacking, sampleEvent({ detail: { FQDN: "a.elsewhere.example.com" } })), {
    reason: "client_error",
  });
  await asked("POST", "/api/v1/servers/localhost/zones", {
    ...{ name: "copy.example.com.", kind: "Slave", masters: ["192.0.2.1"] },
  });
  await assert.rejects(pluginAt(server.apiPort, { zones: ["copy.example.com"] }).check(signal), {
    message:
      /^Cannot write the zone "copy\.example\.com": PowerDNS has it as Slave, from another server; set url to that$/,
  });
  await assert.rejects(pluginAt(server.apiPort, { apiKey: "wrong-key" }).check(signal), { reason: "unauthorized" });
});

Deno.test("PowerDns: zones are found whatever the case and the script of their names in config.ts", async () => {
  await asked("POST", "/api/v1/servers/localhost/zones", {
    ...{ name: "xn--bcher-kva.example.com.", kind: "Native", nameservers: ["ns.example.net."] },
  });
  const plugin = pluginAt(server.apiPort, { zones: ["Cloud.Example.COM", "Bücher.example.com"], ptr: false });
  await plugin.check(signal);
  await tell(plugin, sampleEvent());
  await tell(plugin, sampleEvent({ server: 2, detail: { FQDN: "web-2.bücher.example.com" } }));
  assert.equal((await Array.fromAsync(plugin.list(signal))).length, 2);
  assert.ok((await server.records()).includes("web-1.cloud.example.com A 10.0.0.1"));
});

Deno.test("PowerDns: PTR records go to zones of classless delegations under no name, and to their own zones", async () => {
  const zone = "0/25.113.0.203.in-addr.arpa";
  await asked("POST", "/api/v1/servers/localhost/zones", {
    name: `${zone}.`,
    kind: "Native",
    nameservers: ["ns.example.net."],
  });
  const plugin = pluginAt(server.apiPort, { zones: ["cloud.example.com", zone] });
  await plugin.check(signal);
  await tell(plugin, sampleEvent());
  assert.equal((await Array.fromAsync(plugin.list(signal))).length, 1);
});

Deno.test("PowerDns: list() reads zones whole, with names of any kind in them", async () => {
  const odd = [
    'TXT "a \\034quoted\\034 \\092 text" "\\195\\164"',
    "MX 10 mail.example.net.",
    "SSHFP 1 1 2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e",
  ];
  await server.nsupdate([
    "zone cloud.example.com",
    ...odd.map((data) => `update add odd.cloud.example.com. 60 ${data}`),
    'update add _oss-watcher.odd.cloud.example.com. 60 TXT "heritage=oss-watcher" "owner=x" "server"',
  ]);
  const plugin = pluginAt(server.apiPort);
  await tell(plugin, sampleEvent());
  const [listed, ...more] = await Array.fromAsync(plugin.list(signal));
  assert.deepEqual([listed?.id, more], [sampleEvent().detail.ID, []]);
});

Deno.test("PowerDns: what waits for another update ends with its signal, and goes before no other", async () => {
  const held = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const pass = passedOnTo(`http://127.0.0.1:${server.apiPort}`);
  let patches = 0;
  await using proxy = await HttpProxy.open(async (request) => {
    if (request.method === "PATCH" && patches++ === 0) {
      arrived.resolve();
      await held.promise;
    }
    return await pass(request);
  });
  const plugin = pluginAt(proxy.port, { ptr: false });
  const first = tell(plugin, sampleEvent());
  await arrived.promise;
  const giveUp = new AbortController();
  const { detail, created, context } = sampleEvent({ server: 2 });
  const second = assert.rejects(plugin.notify(detail, created, { ...context, signal: giveUp.signal }), {
    name: "DeliveryError",
    reason: "interrupted",
  });
  const third = tell(plugin, sampleEvent({ server: 3 }));
  giveUp.abort();
  await second;
  assert.equal(patches, 1);
  held.resolve();
  await Promise.all([first, third]);
  assert.equal(patches, 2);
});

Deno.test("docs/DNS.md has settings of PowerDNS that it takes", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/DNS.md", import.meta.url));
  const [, block = ""] = /```ini\n([^]*?)```/.exec(text) ?? [];
  assert.match(block, /^api=yes$/m);
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/pdns.conf`, `launch=\n${block.replaceAll("…", "s3cret")}`);
    const { success, output } = await tool("pdns_server", [`--config-dir=${dir}`, "--config=check"]);
    assert.ok(success, output);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
