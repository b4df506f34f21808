import assert from "node:assert/strict";
import type { Json } from "oss-watcher";
import { Designate, type DesignateOptions } from "oss-watcher/plugins";
import { type PluginContract, testPlugin } from "oss-watcher/testing";
import { DesignateHarness } from "../support/designate_harness.ts";
import type { DesignateServer } from "../support/designate_server.ts";
import type { ServerRecords } from "../support/dns_harness.ts";
import { ZONES } from "../support/dns_server.ts";
import { DNS_TOLD } from "../support/dns_told.ts";

const PASSWORD = "a-password-of-nobody";

const contract: Omit<PluginContract<DesignateHarness>, "openTarget"> = {
  name: "Designate",
  make: ({ openstack }) => new Designate({ openstack, zones: ZONES, addresses: "all" }),
  secrets: [PASSWORD],
  // Each of these attempts logs in, and writes one set of records after the other.
  deadlineMs: 120_000,
  right: () =>
    new Designate({
      openstack: { authUrl: "https://keystone.example.com/v3", user: "w", password: PASSWORD, project: "dns" },
      zones: ZONES,
      projectZones: true,
      addresses: "all",
    }),
  wrong: {
    make: () =>
      new Designate({
        openstack: { authUrl: 5, password: ["x"], interface: "inner", secret: PASSWORD },
        timeoutSeconds: 0,
        zones: ["*.example.com"],
        projectZones: "yes",
        hostName: "web",
        addresses: "none",
        ptr: 1,
        ttlSeconds: -1,
        onConflict: "share",
        owner: "a b",
        name: "",
        more: "x",
      } as unknown as DesignateOptions),
    names: [
      ...["openstack.authUrl", "openstack.password", "openstack.interface", "openstack.secret", "timeoutSeconds"],
      ...["zones", "projectZones", "hostName", "addresses", "ptr", "ttlSeconds", "onConflict", "owner", "name", "more"],
    ],
  },
  ...DNS_TOLD,
  assertPreview: assertWritten,
};

interface Shown {
  readonly recordsets: readonly ShownSet[];
}

interface ShownSet {
  readonly name: string;
  readonly type: string;
  readonly deleted?: boolean;
  readonly records?: readonly string[];
}

/** What the preview writes is there, and what it deletes is not. */
function assertWritten(preview: Json, { records }: ServerRecords): void {
  const sets = (preview as unknown as readonly Shown[]).flatMap(({ recordsets }) => recordsets);
  assert.ok(sets.length > 0, JSON.stringify(preview));
  const facts = records.join("\n");
  // An association's preview is of a server whose fixed addresses are there; in the contract they may not be.
  const isOfServer = ({ type }: ShownSet, content: string) => !type.startsWith("A") || facts.includes(`=${content}"`);
  for (const set of sets.filter(({ type }) => type !== "TXT")) {
    const name = set.name.replace(/\.$/, "");
    if (set.deleted) assert.ok(!facts.includes(`${name} ${set.type} `), facts);
    for (const content of set.records ?? []) {
      if (isOfServer(set, content)) {
        assert.ok(records.includes(`${name} ${set.type} ${content}`), `${content}\n${facts}`);
      }
    }
  }
}

/** Holds the plugin to the contract of all plugins. */
export function testContract(server: () => DesignateServer): void {
  testPlugin({ ...contract, openTarget: () => DesignateHarness.open(server()) });
}
