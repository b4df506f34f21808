import assert from "node:assert/strict";
import type { Json } from "oss-watcher";
import { DnsUpdate, type DnsUpdateOptions } from "oss-watcher/plugins";
import { type PluginContract, testPlugin } from "oss-watcher/testing";
import { DnsHarness, type ServerRecords } from "../support/dns_harness.ts";
import { type DnsServer, KEY, startDnsServer, ZONES } from "../support/dns_server.ts";
import { DNS_TOLD } from "../support/dns_told.ts";

const servers = new Map<string, DnsServer>();
const KINDS = ["bind", "knot", "powerdns"] as const;
Deno.test.beforeAll(async () => {
  for (const kind of KINDS) servers.set(kind, await startDnsServer(kind));
});
Deno.test.afterAll(async () => {
  for (const server of servers.values()) await server[Symbol.asyncDispose]();
});

const contract: Omit<PluginContract<DnsHarness>, "name" | "openTarget"> = {
  make: ({ server }) => new DnsUpdate({ ...KEY, server, zones: ZONES, addresses: "all" }),
  secrets: [KEY.keySecret],
  right: () => new DnsUpdate({ ...KEY, server: "ns1.example.com", zones: ZONES, addresses: "all" }),
  wrong: {
    make: () =>
      new DnsUpdate({
        server: "http://ns1.example.com/",
        keyName: "a b",
        keySecret: `${KEY.keySecret}!`,
        keyAlgorithm: "md5",
        timeoutSeconds: 0,
        zones: ["*.example.com"],
        hostName: "web",
        addresses: "none",
        ptr: 1,
        ttlSeconds: -1,
        onConflict: "share",
        owner: "a b",
        name: "",
        secret: "x",
      } as unknown as DnsUpdateOptions),
    names: [
      ...["server", "keyName", "keySecret", "keyAlgorithm", "timeoutSeconds", "zones", "hostName", "addresses", "ptr"],
      ...["ttlSeconds", "onConflict", "owner", "name", "secret"],
    ],
  },
  ...DNS_TOLD,
  assertPreview: assertAdded,
};

/** What the preview adds is there, and what it deletes is not. */
function assertAdded(preview: Json, { records }: ServerRecords): void {
  const lines = String(preview).split("\n").filter((line) => !line.includes(" TXT "));
  const added = lines.filter((line) => line.startsWith("update add ")).map((line) =>
    line.replace(/^update add (\S+)\. \d+ /, "$1 ")
  );
  const deleted = lines.filter((line) => line.startsWith("update delete ")).map((line) =>
    line.replace(/^update delete (\S+)\. /, "$1 ")
  );
  assert.ok(added.length + deleted.length > 0, String(preview));
  // An association's preview is of a server whose fixed addresses are there; in the contract they may not be.
  const facts = records.join("\n");
  const isOfServer = (line: string) => !/ A(?:AAA)? /.test(line) || facts.includes(`=${line.split(" ").at(-1)}"`);
  for (const line of added.filter(isOfServer)) assert.ok(records.includes(line), `${line}\n${records.join("\n")}`);
  for (const line of deleted) assert.ok(!records.includes(line), line);
}

for (const kind of KINDS) {
  testPlugin({
    ...contract,
    name: `DnsUpdate (${kind})`,
    openTarget: () => DnsHarness.open(servers.get(kind)!),
  });
}

testPlugin({
  ...contract,
  name: "DnsUpdate, fixed addresses and names with suffixes (bind)",
  subjects: ["server"],
  make: ({ server }) => new DnsUpdate({ ...KEY, server, zones: ZONES, onConflict: "suffix" }),
  openTarget: () => DnsHarness.open(servers.get("bind")!),
});

testPlugin({
  ...contract,
  name: "DnsUpdate, floating IPs (bind)",
  subjects: ["floatingip"],
  make: ({ server }) => new DnsUpdate({ ...KEY, server, zones: ZONES, addresses: "floating" }),
  openTarget: () => DnsHarness.open(servers.get("bind")!),
});
