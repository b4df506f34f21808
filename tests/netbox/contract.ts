import assert from "node:assert/strict";
import type { Detail } from "oss-watcher";
import { NetBox, type NetBoxOptions } from "oss-watcher/plugins";
import { contractTests, type PluginContract } from "oss-watcher/testing";
import { NetBoxHarness } from "../support/netbox_harness.ts";
import { REPLAYED_TOKENS } from "./conversation.ts";
import type { NetBoxSource } from "./source.ts";

const OPTIONS = { cluster: "openstack", createCustomFields: true } as const;

/** Registers the contract's tests, twice: of servers, and of floating IPs of servers that are there. */
export function testContract(source: NetBoxSource, kind: string): void {
  // A real NetBox has tokens of its own, which no text tells either.
  let scenario = "";
  const common = {
    make: ({ url, tokens }: NetBoxHarness) => new NetBox({ ...OPTIONS, url, token: tokens.watcher }),
    secrets: [REPLAYED_TOKENS.watcher, REPLAYED_TOKENS.watcher.split(".")[1] ?? ""],
    deadlineMs: 60_000,
    foreign: (target: NetBoxHarness) => target.addForeign(),
    right: () => new NetBox({ ...OPTIONS, url: "https://netbox.example.com", token: REPLAYED_TOKENS.watcher }),
    wrong: {
      make: () =>
        new NetBox({
          ...{ url: "netbox.example.com", token: `${REPLAYED_TOKENS.watcher}\n`, scheme: "Basic", customField: "A b" },
          ...{ tenant: [], vrf: "x", onDeletion: "forget", deletionTag: "a b", adopt: 1, name: "", bearer: "x" },
          ...{ headers: { Authorization: "x" }, timeoutSeconds: 0, tokn: "x" },
        } as unknown as NetBoxOptions),
      names: [
        ...["url", "token", "scheme", "customField", "cluster", "tenant", "vrf", "onDeletion", "deletionTag", "adopt"],
        ...["name", "headers", "timeoutSeconds", "tokn"],
      ],
    },
  };
  const servers: PluginContract<NetBoxHarness> = {
    ...common,
    name: `NetBox (${kind})`,
    openTarget: () => NetBoxHarness.open(source, { scenario: scenario = next(scenario), subject: "server" }),
    // A floating IP is part of its server.
    subjects: ["server"],
    identify: ({ id }) => id,
    assertTaken: (taken, { detail }) => {
      assert.equal(taken.id, detail.ID);
      assert.deepEqual(taken.interfaces, interfacesOf(detail));
    },
    assertUpdated: (taken, { detail }) => {
      assert.deepEqual([taken.id, taken.interfaces], [detail.ID, interfacesOf(detail)]);
      if (/^[\w.-]{1,60}$/.test(detail.FQDN ?? "")) assert.equal(taken.name, detail.FQDN);
    },
    assertPreview: (preview, { id, name }) => {
      const shown = JSON.stringify(preview);
      for (const text of [id, name]) assert.ok(shown.includes(JSON.stringify(text).slice(1, -1)), shown);
    },
  };
  const floatingIps: PluginContract<NetBoxHarness> = {
    ...common,
    name: `NetBox, floating IPs (${kind})`,
    openTarget: () => NetBoxHarness.open(source, { scenario: scenario = next(scenario), subject: "floatingip" }),
    subjects: ["floatingip"],
    identify: ({ id, floating }) => `${id} ${floating}`,
    assertTaken: ({ id, floating }, { detail: { ID, IP, FloatingIPs } }) => {
      assert.deepEqual([id, floating], [ID, [`${IP}/32 > ${FloatingIPs[0]?.fixedAddress}/32`]]);
    },
    assertPreview: (preview, { floating }) => {
      const [address = "", inside = ""] = (floating[0] ?? "").split(" > ");
      const { nat_inside, ...shown } = (preview as { "IP addresses": Record<string, string>[] })["IP addresses"][0] ??
        {};
      assert.deepEqual([shown["address"], `${nat_inside}/32`], [address, inside]);
    },
  };
  for (const contract of [servers, floatingIps]) {
    for (const { name, skipped, needsNothing, run } of contractTests(contract)) {
      Deno.test({
        name: skipped === undefined ? name : `${name} (skipped: ${skipped})`,
        ignore: skipped !== undefined,
        permissions: needsNothing ? "none" : "inherit",
        fn: async () => {
          // The recorded conversation is found by this name, whatever the kind of NetBox.
          scenario = `${name.replace(` (${kind})`, "")} #0`;
          await run();
        },
      });
    }
  }
}

/** The next target of a test. */
function next(scenario: string): string {
  return scenario.replace(/\d+$/, (number) => String(Number(number) + 1));
}

/** Without the addresses that are none. */
function interfacesOf({ Addresses }: Detail): string[] {
  return Addresses.filter(({ address }) => /^\d+\.\d+\.\d+\.\d+$/.test(address)).map(({ address, mac }) =>
    `${mac?.toUpperCase() ?? "no MAC"}: ${address}/32`
  ).sort();
}
