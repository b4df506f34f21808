import assert from "node:assert/strict";
import { type PluginContract, sampleUpdate, type TargetHarness } from "oss-watcher/testing";
import type { ServerRecords } from "./dns_harness.ts";

/** A harness of name servers. */
export interface DnsTarget extends TargetHarness<ServerRecords> {
  addForeign(): Promise<void>;
}

/** Another port; the name stays, since the contract's associations have the first one. */
const { IP, MAC, Addresses } = sampleUpdate().detail;

/** What the contract asks of every plugin for the DNS, whatever its way to the server. */
export const DNS_TOLD: Pick<
  PluginContract<DnsTarget>,
  "foreign" | "identify" | "updated" | "assertTaken" | "assertUpdated"
> = {
  foreign: (target) => target.addForeign(),
  identify: ({ server }) => server,
  updated: { IP, MAC, Addresses },
  assertTaken: ({ server, records }, { detail, created }) => {
    assert.equal(server, detail.ID);
    if (created) assert.ok(records.includes(`${detail.FQDN} A ${detail.IP}`), records.join("\n"));
  },
  assertUpdated: ({ server, records }, { detail }) => {
    assert.equal(server, detail.ID);
    assert.ok(records.includes(`${detail.FQDN} A ${detail.IP}`), records.join("\n"));
  },
};
