import assert from "node:assert/strict";
import type { Detail } from "oss-watcher";
import type { DnsPlugin, DnsRecordsOptions } from "oss-watcher/plugins";
import { type SampleEvent, sampleEvent, type SampleOptions, sampleUpdate } from "oss-watcher/testing";
import type { DnsWay, TestedServer } from "./dns_way.ts";

/** The lives of servers, and what must become of their names, on a real name server of one kind. */
export function testDnsLives<Server extends TestedServer>(way: DnsWay<Server>): void {
  const { name: kind } = way;
  let server: Server;
  Deno.test.beforeAll(async () => {
    server = await way.start();
  });
  Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());
  Deno.test.beforeEach(() => server.clear());

  const pluginOf = (options: DnsRecordsOptions = {}) => way.make(server, { addresses: "all", ...options });

  async function tell(plugin: DnsPlugin, { detail, created, context }: SampleEvent): Promise<string[]> {
    const notes: string[] = [];
    await plugin.notify(detail, created, { ...context, note: (text) => void notes.push(text) });
    return notes;
  }

  async function change(plugin: DnsPlugin, options: Parameters<typeof sampleUpdate>[0]): Promise<void> {
    const { detail, context } = sampleUpdate(options);
    await plugin.update(detail, context);
  }

  /** The records without those of owners. */
  async function plain(): Promise<string[]> {
    return (await server.records()).filter((line) => !line.startsWith("_oss-watcher."));
  }

  const named = (FQDN: string, options: SampleOptions = {}) =>
    sampleEvent({ ...options, detail: { ...options.detail, FQDN } });
  const [ID, ID2] = [1, 2].map((number) => sampleEvent({ server: number }).detail.ID);
  const FLOATING = sampleEvent({ subject: "floatingip" });
  const END = sampleEvent({ subject: "floatingip", created: false });

  Deno.test(`${kind}: notify() writes A, AAAA, PTR and the owner of each name`, async () => {
    const Addresses: Detail["Addresses"] = [
      { address: "10.0.0.1", mac: null, type: "fixed", network: "private", version: 4 },
      { address: "2001:DB8::0:1", mac: null, type: "fixed", network: "private", version: 6 },
    ];
    await tell(pluginOf(), sampleEvent({ detail: { Addresses } }));
    const owner = `"heritage=oss-watcher" "owner=oss-watcher" "server=${ID}"`;
    const six = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
    assert.deepEqual(
      await server.records(),
      [
        "1.0.0.10.in-addr.arpa PTR web-1.cloud.example.com.",
        `${six} PTR web-1.cloud.example.com.`,
        `_oss-watcher.1.0.0.10.in-addr.arpa TXT ${owner} "name=web-1.cloud.example.com"`,
        `_oss-watcher.${six} TXT ${owner} "name=web-1.cloud.example.com"`,
        `_oss-watcher.web-1.cloud.example.com TXT ${owner} "fixed=10.0.0.1" "fixed=2001:db8::1"`,
        "web-1.cloud.example.com A 10.0.0.1",
        "web-1.cloud.example.com AAAA 2001:db8::1",
      ].sort(),
    );
  });

  Deno.test(`${kind}: notify() of each event twice, in any of their orders, leaves nothing behind`, async () => {
    const plugin = pluginOf();
    for (const events of [[sampleEvent(), FLOATING], [FLOATING, sampleEvent()]]) {
      for (const event of events) for (let time = 0; time < 2; time++) await tell(plugin, event);
      assert.equal((await plain()).length, 4);
      for (const event of [END, END]) await tell(plugin, event);
      assert.deepEqual(await plain(), [
        "1.0.0.10.in-addr.arpa PTR web-1.cloud.example.com.",
        "web-1.cloud.example.com A 10.0.0.1",
      ]);
      for (let time = 0; time < 2; time++) await tell(plugin, sampleEvent({ created: false }));
      assert.deepEqual(await server.records(), []);
    }
  });

  Deno.test(`${kind}: notify() moves a floating IP with its PTR record from server to server`, async () => {
    const plugin = pluginOf({ addresses: "floating" });
    const { detail: { IP, FloatingIPs } } = FLOATING;
    await tell(plugin, FLOATING);
    await tell(plugin, END);
    await tell(plugin, sampleEvent({ subject: "floatingip", server: 2, detail: { IP, FloatingIPs } }));
    assert.deepEqual(await plain(), [
      "1.113.0.203.in-addr.arpa PTR web-2.cloud.example.com.",
      "web-2.cloud.example.com A 203.0.113.1",
    ]);
  });

  Deno.test(`${kind}: notify() never changes a name that has records of others`, async () => {
    const foreign = [
      "web-1.cloud.example.com. 60 MX 10 mail.example.net.",
      "web-2.cloud.example.com. 60 CNAME a.example.net.",
      "web-3.cloud.example.com. 60 A 10.9.9.9",
      `_oss-watcher.web-4.cloud.example.com. 60 TXT "heritage=oss-watcher" "owner=another" "server=${ID}" "fixed=10.0.0.4"`,
      `_oss-watcher.web-5.cloud.example.com. 60 TXT "v=spf1 -all"`,
      "web-6.cloud.example.com. 60 NS ns.example.net.",
    ];
    await server.nsupdate(["zone cloud.example.com", ...foreign.map((line) => `update add ${line}`)]);
    const isBelow = { name: "PermanentError", message: /it belongs to a zone that is delegated/ };
    await assert.rejects(tell(pluginOf(), named("ns.web-6.cloud.example.com")), isBelow);
    await tell(pluginOf(), named("ns.web-6.cloud.example.com", { created: false }));
    const before = await server.zone("cloud.example.com");
    for (const onConflict of ["refuse", "suffix"] as const) {
      const plugin = pluginOf({ onConflict });
      for (let number = 1; number <= 6; number++) {
        await assert.rejects(tell(plugin, sampleEvent({ server: number })), {
          name: "PermanentError",
          message: /it belongs to/,
        });
        await tell(plugin, sampleEvent({ server: number, created: false }));
      }
    }
    assert.equal(await server.zone("cloud.example.com"), before);
  });

  Deno.test(`${kind}: notify() never writes a name whose owner could not be written beside it`, async () => {
    const foreign = ["_oss-watcher.web-1.cloud.example.com. 60 CNAME a.example.net."];
    await server.nsupdate(["zone cloud.example.com", ...foreign.map((line) => `update add ${line}`)]);
    const before = await server.records();
    await assert.rejects(tell(pluginOf(), sampleEvent()), { name: "PermanentError", message: /it belongs to/ });
    assert.deepEqual(await server.records(), before);
  });

  Deno.test(`${kind}: notify() is not misled by records of a wildcard`, async () => {
    const wild = ['TXT "v=spf1 -all"', "A 10.9.9.9"].map((data) => `update add *.cloud.example.com. 60 ${data}`);
    await server.nsupdate(["zone cloud.example.com", ...wild]);
    await server.nsupdate(["zone 10.in-addr.arpa", 'update add *.10.in-addr.arpa. 60 TXT "by hand"']);
    const before = await server.records();
    await tell(pluginOf(), sampleEvent());
    assert.deepEqual((await plain()).filter((line) => !line.startsWith("*")), [
      "1.0.0.10.in-addr.arpa PTR web-1.cloud.example.com.",
      "web-1.cloud.example.com A 10.0.0.1",
    ]);
    await tell(pluginOf(), sampleEvent({ created: false }));
    assert.deepEqual(await server.records(), before);
  });

  Deno.test(`${kind}: notify() writes all but a PTR record of others, and tells so`, async () => {
    await server.nsupdate(["zone 10.in-addr.arpa", "update add 1.0.0.10.in-addr.arpa. 60 PTR by-hand.example.net."]);
    await assert.rejects(tell(pluginOf(), sampleEvent()), {
      name: "PermanentError",
      message: 'Cannot write "1.0.0.10.in-addr.arpa": it belongs to somebody else; remove it there, then replay',
    });
    const written = ["1.0.0.10.in-addr.arpa PTR by-hand.example.net.", "web-1.cloud.example.com A 10.0.0.1"];
    assert.deepEqual(await plain(), written);
    await tell(pluginOf(), sampleEvent({ created: false }));
    assert.deepEqual(await plain(), written.slice(0, 1));
  });

  Deno.test(`${kind}: notify() keeps records that others add to a name of ours`, async () => {
    const plugin = pluginOf();
    await tell(plugin, sampleEvent());
    const added = ["MX 10 mail.example.net.", "A 10.9.9.9"].map((data) =>
      `update add web-1.cloud.example.com. 300 ${data}`
    );
    await server.nsupdate(["zone cloud.example.com", ...added]);
    await tell(plugin, sampleEvent({ created: false }));
    assert.deepEqual(await server.records(), [
      "web-1.cloud.example.com A 10.9.9.9",
      "web-1.cloud.example.com MX 10 mail.example.net.",
    ]);
  });

  Deno.test(`${kind}: notify() refuses the second of two servers with one name, and takes it when the first has gone`, async () => {
    const plugin = pluginOf();
    const second = named("web-1.cloud.example.com", { server: 2 });
    await tell(plugin, sampleEvent());
    const before = await server.records();
    await assert.rejects(tell(plugin, second), {
      name: "PermanentError",
      message: new RegExp(`belongs to the server ${ID};`),
    });
    await tell(plugin, named("web-1.cloud.example.com", { server: 2, created: false }));
    assert.deepEqual(await server.records(), before);
    await tell(plugin, sampleEvent({ created: false }));
    await tell(plugin, second);
    assert.deepEqual(await plain(), [
      "2.0.0.10.in-addr.arpa PTR web-1.cloud.example.com.",
      "web-1.cloud.example.com A 10.0.0.2",
    ]);
  });

  Deno.test(`${kind}: notify() gives the second of two servers a suffix, which it keeps, with onConflict suffix`, async () => {
    const plugin = pluginOf({ onConflict: "suffix" });
    const second = named("web-1.cloud.example.com", { server: 2 });
    assert.deepEqual(await tell(plugin, sampleEvent()), []);
    const note = "web-1.cloud.example.com belongs to another server: written as web-1-00000002.cloud.example.com";
    assert.deepEqual(await tell(plugin, second), [note]);
    await tell(plugin, sampleEvent({ created: false }));
    assert.deepEqual(await tell(plugin, second), [note]);
    const floating = sampleEvent({ subject: "floatingip", server: 2, detail: { FQDN: "web-1.cloud.example.com" } });
    await tell(plugin, floating);
    assert.deepEqual(await plain(), [
      "2.0.0.10.in-addr.arpa PTR web-1-00000002.cloud.example.com.",
      "2.113.0.203.in-addr.arpa PTR web-1-00000002.cloud.example.com.",
      "web-1-00000002.cloud.example.com A 10.0.0.2",
      "web-1-00000002.cloud.example.com A 203.0.113.2",
    ]);
    await tell(plugin, named("web-1.cloud.example.com", { server: 2, created: false }));
    assert.deepEqual(await server.records(), []);
  });

  Deno.test(`${kind}: notify() gives all but one of many servers with one name a suffix, also at the same time`, async () => {
    const plugin = pluginOf({ onConflict: "suffix", ptr: false, hostName: () => "web.cloud.example.com" });
    await Promise.all([1, 2, 3].map((number) => tell(plugin, sampleEvent({ server: number }))));
    const names = (await plain()).map((line) => line.split(" ")[0] ?? "");
    assert.equal(names.filter((name) => name === "web.cloud.example.com").length, 1);
    assert.equal(names.filter((name) => /^web-0000000[123]\.cloud\.example\.com$/.test(name)).length, 2);
    for (const number of [1, 2, 3]) await tell(plugin, sampleEvent({ server: number, created: false }));
    assert.deepEqual(await server.records(), []);
  });

  Deno.test(`${kind}: notify() removes a name with a suffix after the option has changed, too`, async () => {
    const second = named("web-1.cloud.example.com", { server: 2 });
    for (const event of [sampleEvent(), second]) await tell(pluginOf({ onConflict: "suffix" }), event);
    await tell(pluginOf(), named("web-1.cloud.example.com", { server: 2, created: false }));
    await tell(pluginOf(), sampleEvent({ created: false }));
    assert.deepEqual(await server.records(), []);
  });

  Deno.test(`${kind}: notify() writes the longest name, which has no room for a suffix`, async () => {
    const labels = ["a", "b".repeat(63), "c".repeat(63), "d".repeat(63), "e".repeat(28)].join(".");
    const FQDN = `${labels}.cloud.example.com`;
    assert.equal(FQDN.length, 240);
    for (const onConflict of ["suffix", "refuse"] as const) {
      const plugin = pluginOf({ onConflict });
      await tell(plugin, named(FQDN));
      assert.equal((await plain()).length, 2);
      await tell(plugin, named(FQDN, { created: false }));
      assert.deepEqual(await server.records(), []);
    }
  });

  Deno.test(`${kind}: update() renames a server, with its floating IPs, and is refused when the new name is taken`, async () => {
    for (const onConflict of ["refuse", "suffix"] as const) {
      const plugin = pluginOf({ onConflict });
      for (const event of [sampleEvent(), FLOATING, sampleEvent({ server: 2 })]) await tell(plugin, event);
      const detail = { FQDN: "db.cloud.example.com" };
      for (let time = 0; time < 2; time++) await change(plugin, { detail });
      assert.deepEqual(await plain(), [
        "1.0.0.10.in-addr.arpa PTR db.cloud.example.com.",
        "1.113.0.203.in-addr.arpa PTR db.cloud.example.com.",
        "2.0.0.10.in-addr.arpa PTR web-2.cloud.example.com.",
        "db.cloud.example.com A 10.0.0.1",
        "db.cloud.example.com A 203.0.113.1",
        "web-2.cloud.example.com A 10.0.0.2",
      ]);
      const before = await server.records();
      const taken = change(plugin, { before: detail, detail: { FQDN: "web-2.cloud.example.com" } });
      if (onConflict === "refuse") {
        await assert.rejects(taken, { name: "PermanentError", message: new RegExp(`the server ${ID2}`) });
        assert.deepEqual(await server.records(), before);
      } else await taken;
      const FQDN = onConflict === "refuse" ? detail.FQDN : "web-2.cloud.example.com";
      for (const event of [named(FQDN, { created: false }), sampleEvent({ server: 2, created: false })]) {
        await tell(plugin, event);
      }
      assert.deepEqual(await server.records(), []);
    }
  });

  Deno.test(`${kind}: update() that is refused for a PTR record of others leaves no name behind`, async () => {
    const { Addresses, IP } = sampleUpdate().detail;
    const foreign = "1.1.0.10.in-addr.arpa PTR by-hand.example.net.";
    await server.nsupdate(["zone 10.in-addr.arpa", "update add 1.1.0.10.in-addr.arpa. 60 PTR by-hand.example.net."]);
    const renamed = { detail: { FQDN: "db.cloud.example.com", Addresses, IP } };
    // A plugin is next told of the server as it was before the update that it has refused.
    const later: readonly (readonly [(plugin: DnsPlugin) => Promise<unknown>, readonly string[]])[] = [
      [(plugin) => tell(plugin, sampleEvent({ created: false })), []],
      [(plugin) => change(plugin, { detail: { FQDN: "c.cloud.example.com" } }), [
        "1.0.0.10.in-addr.arpa PTR c.cloud.example.com.",
        "c.cloud.example.com A 10.0.0.1",
      ]],
      [(plugin) => change(plugin, { detail: { Owner: "bert" } }), [
        "1.0.0.10.in-addr.arpa PTR web-1.cloud.example.com.",
        "web-1.cloud.example.com A 10.0.0.1",
      ]],
    ];
    for (const onConflict of ["refuse", "suffix"] as const) {
      for (const [next, left] of later) {
        const plugin = pluginOf({ onConflict });
        await tell(plugin, sampleEvent());
        await assert.rejects(change(plugin, renamed), {
          name: "PermanentError",
          message: /it belongs to somebody else/,
        });
        await next(plugin);
        assert.deepEqual(await plain(), [foreign, ...left].sort());
        for (const FQDN of ["web-1.cloud.example.com", "c.cloud.example.com"]) {
          await tell(plugin, named(FQDN, { created: false }));
        }
        assert.deepEqual(await server.records(), [foreign]);
      }
    }
  });

  Deno.test(`${kind}: update() follows addresses, and a rename to the name with its own suffix`, async () => {
    const plugin = pluginOf({ onConflict: "suffix" });
    await tell(plugin, sampleEvent());
    const { Addresses, IP } = sampleUpdate().detail;
    await change(plugin, { detail: { FQDN: "web-1-00000001.cloud.example.com", Addresses, IP } });
    assert.deepEqual(await plain(), [
      "1.1.0.10.in-addr.arpa PTR web-1-00000001.cloud.example.com.",
      "web-1-00000001.cloud.example.com A 10.0.1.1",
    ]);
  });

  Deno.test(`${kind}: update() writes a server whose creation was not written, and removes one without a name`, async () => {
    const plugin = pluginOf({ hostName: ({ FQDN }) => FQDN });
    await change(plugin, { detail: { FQDN: "db.cloud.example.com" } });
    assert.equal((await plain()).length, 2);
    await change(plugin, { before: { FQDN: "db.cloud.example.com" }, detail: { FQDN: null } });
    assert.deepEqual(await server.records(), []);
  });

  Deno.test(`${kind}: names that are none, or in no zone, or the zone's own, are refused and change nothing`, async () => {
    const labels = ["*", "_x", "a b", "a\\.b", "a\\046", "x".repeat(64), "-a", "", "a。b", "@", "a\tA 10.0.0.1\nb"];
    const texts = [
      ...labels.map((label) => `${label}.cloud.example.com`),
      ...[
        "cloud.example.com",
        "10.in-addr.arpa",
        "www.example.com",
        "example.com",
        "localhost",
        "cloud.example.com.evil.org",
        "5.0.0.10.in-addr.arpa",
        "web-1.10.in-addr.arpa",
      ],
    ];
    for (const zones of way.findsZones ? [{}, { zones: undefined }] : [{}]) {
      const plugin = pluginOf({ addresses: "fixed", ...zones });
      for (const FQDN of texts) {
        const before = await server.records();
        await assert.rejects(tell(plugin, named(FQDN)), { name: "PermanentError" }, JSON.stringify(FQDN));
        await tell(plugin, named(FQDN, { created: false }));
        assert.deepEqual(await server.records(), before, JSON.stringify(FQDN));
      }
    }
  });

  Deno.test({ name: `${kind}: zones are found by their SOA records`, ignore: !way.findsZones }, async () => {
    const plugin = pluginOf({ addresses: "fixed", zones: undefined } as DnsRecordsOptions);
    await plugin.check(new AbortController().signal);
    const Addresses: Detail["Addresses"] = ["10.0.0.1", "192.0.2.1"].map((address) => ({
      ...{ address, mac: null, type: "fixed", network: "private", version: 4 },
    }));
    await tell(plugin, named("bücher.cloud.example.com", { detail: { Addresses } }));
    assert.deepEqual(await plain(), [
      "1.0.0.10.in-addr.arpa PTR xn--bcher-kva.cloud.example.com.",
      "xn--bcher-kva.cloud.example.com A 10.0.0.1",
      "xn--bcher-kva.cloud.example.com A 192.0.2.1",
    ]);
    await tell(plugin, named("bücher.cloud.example.com", { created: false, detail: { Addresses } }));
    assert.deepEqual(await server.records(), []);
  });

  Deno.test(`${kind}: notify() writes what the options say`, async () => {
    const Addresses: Detail["Addresses"] = ["10.0.0.1", "10.0.0.2"].map((address, index) => ({
      ...{ address, mac: null, type: "fixed", network: `net-${index}`, version: 4 },
    }));
    const hostName = ({ FQDN }: Detail) =>
      FQDN === "web-2.cloud.example.com" ? null : `${FQDN?.split(".")[0]}.cloud.example.com`;
    const options = { ptr: false, ttlSeconds: 77, owner: "prod", hostName } as const;
    const plugin = pluginOf({ ...options, addresses: ({ network }) => network === "net-1" });
    await tell(plugin, named("web-1", { detail: { Addresses } }));
    await tell(plugin, sampleEvent({ server: 2 }));
    const lines = await server.answer("web-1.cloud.example.com", "A");
    assert.match(lines.trim(), /^web-1\.cloud\.example\.com\.\s+77\s+IN\s+A\s+10\.0\.0\.2$/);
    assert.deepEqual(await server.records(), [
      `_oss-watcher.web-1.cloud.example.com TXT "heritage=oss-watcher" "owner=prod" "server=${ID}" "fixed=10.0.0.2"`,
      "web-1.cloud.example.com A 10.0.0.2",
    ]);
    await assert.rejects(tell(pluginOf(), sampleEvent()), {
      message: /it belongs to another installation, owner=prod;/,
    });
  });

  Deno.test(`${kind}: a mistake in a function of config.ts is a permanent error that names the option`, async () => {
    const wrong = { hostName: () => 5, addresses: () => "yes" } as unknown as Required<DnsRecordsOptions>;
    const { hostName, addresses } = wrong;
    await assert.rejects(tell(pluginOf({ hostName }), sampleEvent()), {
      name: "PermanentError",
      message: new RegExp(`^Cannot make hostName of ${way.plugin}: .* it must return a text or null$`),
    });
    await assert.rejects(tell(pluginOf({ addresses }), sampleEvent()), {
      name: "PermanentError",
      message: new RegExp(`^Cannot make addresses of ${way.plugin}: .* it must return true or false$`),
    });
  });

  Deno.test(`${kind}: a creation that is told again brings back what was removed by hand`, async () => {
    const plugin = pluginOf();
    await tell(plugin, sampleEvent());
    const before = await server.records();
    await server.nsupdate(["zone cloud.example.com", "update delete web-1.cloud.example.com. A"]);
    await server.nsupdate(["zone 10.in-addr.arpa", "update delete 1.0.0.10.in-addr.arpa. PTR"]);
    const [listed] = await Array.fromAsync(plugin.list(new AbortController().signal));
    const { detail } = sampleEvent();
    const [expected] = await plugin.expected([{ key: "k", subject: "server", created: true, detail }]);
    assert.notEqual(listed?.fingerprint, expected?.fingerprint);
    await tell(plugin, sampleEvent());
    assert.deepEqual(await server.records(), before);
    assert.deepEqual(await Array.fromAsync(plugin.list(new AbortController().signal)), [expected]);
  });

  Deno.test(`${kind}: an attempt that ends after any number of messages is completed by the next one`, async () => {
    const { Addresses } = sampleUpdate().detail;
    const steps: readonly ((plugin: DnsPlugin) => Promise<unknown>)[] = [
      (plugin) => tell(plugin, sampleEvent()),
      (plugin) => tell(plugin, FLOATING),
      (plugin) => change(plugin, { detail: { FQDN: "db.cloud.example.com", Addresses } }),
      (plugin) =>
        tell(
          plugin,
          sampleEvent({ subject: "floatingip", created: false, detail: { FQDN: "db.cloud.example.com", Addresses } }),
        ),
      (plugin) => tell(plugin, named("db.cloud.example.com", { created: false, detail: { Addresses } })),
    ];
    const whole: string[][] = [];
    for (const step of steps) {
      await step(pluginOf());
      whole.push(await server.records());
    }
    assert.deepEqual(whole.at(-1), []);
    // To lose an answer leaves the server as losing the next message does.
    for (const isAnswerLost of way.isSlow ? [true] : [false, true]) {
      for (const [index, step] of steps.entries()) {
        for (let count = 0;; count++) {
          await server.clear();
          for (const before of steps.slice(0, index)) await before(pluginOf());
          const isWhole = await endsAfter(count, isAnswerLost, step);
          await step(pluginOf());
          assert.deepEqual(await server.records(), whole[index], `step ${index}, after ${count} messages`);
          if (isWhole) break;
        }
      }
    }
  });

  Deno.test(`${kind}: a rename that was given up before its last message leaves nothing after the deletion`, async () => {
    const { Addresses } = sampleUpdate().detail;
    for (const onConflict of way.isSlow ? ["refuse"] as const : ["refuse", "suffix"] as const) {
      const rename = (plugin: DnsPlugin) => change(plugin, { detail: { FQDN: "db.cloud.example.com", Addresses } });
      for (let count = 0;; count += way.isSlow ? 4 : 1) {
        await server.clear();
        for (const event of [sampleEvent(), FLOATING]) await tell(pluginOf({ onConflict }), event);
        if (await endsAfter(count, false, rename)) break;
        // The plugin was last told of the former name.
        await tell(pluginOf({ onConflict }), sampleEvent({ created: false }));
        assert.deepEqual(await server.records(), [], `after ${count} messages`);
      }
    }
  });

  /** Whether an attempt was done before the server was lost after so many messages. */
  async function endsAfter(
    count: number,
    isAnswerLost: boolean,
    step: (plugin: DnsPlugin) => Promise<unknown>,
  ): Promise<boolean> {
    await using losing = await way.losing(server, { after: count, isAnswerLost });
    return await step(losing.make({ addresses: "all" })).then(() => true, () => false);
  }
}
