import assert from "node:assert/strict";
import type { Json } from "oss-watcher";
import { PowerDns, type PowerDnsOptions } from "oss-watcher/plugins";
import { type PluginContract, testPlugin } from "oss-watcher/testing";
import type { ServerRecords } from "../support/dns_harness.ts";
import { API_KEY, PowerDnsServer, ZONES } from "../support/dns_server.ts";
import { DNS_TOLD } from "../support/dns_told.ts";
import { PowerDnsHarness } from "../support/powerdns_harness.ts";

const server = new PowerDnsServer();
Deno.test.beforeAll(() => server.start());
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

const options: PowerDnsOptions = { url: "https://ns1.example.com", apiKey: API_KEY, zones: ZONES, addresses: "all" };

const contract: PluginContract<PowerDnsHarness> = {
  name: "PowerDns",
  openTarget: () => PowerDnsHarness.open(server),
  make: ({ url }) => new PowerDns({ ...options, url }),
  secrets: [API_KEY],
  right: () => new PowerDns(options),
  wrong: {
    make: () =>
      new PowerDns({
        url: "ns1.example.com",
        apiKey: `${API_KEY}\n`,
        zones: [],
        hostName: "web",
        addresses: "none",
        ptr: 1,
        ttlSeconds: -1,
        onConflict: "share",
        owner: "a b",
        name: "",
        headers: { "X-Api-Key": "x" },
        timeoutSeconds: 0,
        bearer: "é",
        secret: "x",
      } as unknown as PowerDnsOptions),
    names: [
      ...["url", "apiKey", "zones", "hostName", "addresses", "ptr", "ttlSeconds", "onConflict", "owner", "name"],
      ...["headers", "timeoutSeconds", "bearer", "secret"],
    ],
  },
  ...DNS_TOLD,
  assertPreview: assertWritten,
};

interface Shown {
  readonly body: { readonly rrsets: readonly ShownSet[] };
}

interface ShownSet {
  readonly name: string;
  readonly type: string;
  readonly changetype: string;
  readonly records?: readonly { readonly content: string }[];
}

/** What the preview replaces is there, and what it deletes is not. */
function assertWritten(preview: Json, { records }: ServerRecords): void {
  const sets = (preview as unknown as readonly Shown[]).flatMap(({ body }) => body.rrsets);
  assert.ok(sets.length > 0, JSON.stringify(preview));
  const facts = records.join("\n");
  // An association's preview is of a server whose fixed addresses are there; in the contract they may not be.
  const isOfServer = ({ type }: ShownSet, content: string) => !type.startsWith("A") || facts.includes(`=${content}"`);
  for (const set of sets.filter(({ type }) => type !== "TXT")) {
    const name = set.name.replace(/\.$/, "");
    if (set.changetype === "DELETE") assert.ok(!facts.includes(`${name} ${set.type} `), facts);
    for (const { content } of set.records ?? []) {
      if (isOfServer(set, content)) {
        assert.ok(records.includes(`${name} ${set.type} ${content}`), `${content}\n${facts}`);
      }
    }
  }
}

testPlugin(contract);

testPlugin({
  ...contract,
  name: "PowerDns, fixed addresses and names with suffixes",
  subjects: ["server"],
  make: ({ url }) => new PowerDns({ ...options, url, addresses: "fixed", onConflict: "suffix" }),
});
