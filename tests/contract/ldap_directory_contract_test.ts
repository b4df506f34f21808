import assert from "node:assert/strict";
import type { Json } from "oss-watcher";
import { LdapDirectory, type LdapDirectoryOptions } from "oss-watcher/plugins";
import { type PluginContract, testPlugin } from "oss-watcher/testing";
import { type Dirsrv, startDirsrv } from "../support/dirsrv.ts";
import { LdapHarness } from "../support/ldap_harness.ts";
import { type Attributes, SERVERS, WATCHER } from "../support/ldap_server.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";

let slapd: Slapd;
let dirsrv: Dirsrv;
Deno.test.beforeAll(async () => {
  [slapd, dirsrv] = await Promise.all([startSlapd(), startDirsrv()]);
});
Deno.test.afterAll(async () => {
  for (const server of [slapd, dirsrv]) await server[Symbol.asyncDispose]();
});

const common = {
  make: ({ url }: LdapHarness) => new LdapDirectory({ ...WATCHER, url, baseDn: SERVERS }),
  secrets: [WATCHER.password],
  foreign: (target: LdapHarness) => target.addForeign(),
  right: () => new LdapDirectory({ ...WATCHER, url: "ldaps://ldap.example.com", baseDn: SERVERS }),
  wrong: {
    make: () =>
      new LdapDirectory({ url: "ldap.example.com", baseDn: "servers", preset: "x" } as unknown as LdapDirectoryOptions),
    names: ["url", "baseDn", "preset"],
  },
};

const ANOTHER_NAME = "the server answers so to changes of the entry of another name";

/** The record of changes says what the entry holds in the attributes that it changes. */
function assertUpdatePreview(preview: Json, entry: Attributes): void {
  const [comment = "", ...lines] = (String(preview).split("\n\n").at(-1) ?? "").split("\n");
  const changes = comment.startsWith("#") ? lines : [comment, ...lines];
  assert.deepEqual(changes.slice(0, 2), ["dn: (its name)", "changetype: modify"]);
  for (const change of changes.slice(2).join("\n").split("\n-").filter((text) => text.trim() !== "")) {
    const [operation = "", ...values] = change.trim().split("\n");
    const [verb, name = ""] = operation.split(": ");
    const held = entry[name.toLowerCase()] ?? [];
    const named = values.map((line) => line.slice(name.length + 2)).sort();
    if (verb === "replace") assert.deepEqual(held, named, change);
    else assert.ok(named.every((value) => held.includes(value) === (verb === "add")), change);
  }
}

const servers: Omit<PluginContract<LdapHarness>, "name" | "openTarget"> = {
  ...common,
  // A floating IP is part of its server's entry.
  subjects: ["server"],
  identify: ({ serialnumber }) => serialnumber?.[0] ?? "",
  assertTaken: (entry, { detail }) => {
    assert.deepEqual(entry["serialnumber"], [detail.ID]);
    assert.ok(entry["description"]?.includes("oss-watcher"));
  },
  assertPreview: (preview, { objectclass = [], ...entry }) => {
    const [dn, changetype, ...lines] = String(preview).split("\n");
    assert.ok(dn?.startsWith(`dn: serialNumber=${entry["serialnumber"]},`) && dn.endsWith(`,${SERVERS}`), dn);
    assert.equal(changetype, "changetype: add");
    assert.deepEqual(valuesOf(lines), { ...entry, objectclass: objectclass.filter((name) => name !== "top") });
  },
  assertUpdated: (entry, { detail }) => {
    assert.deepEqual(entry["serialnumber"], [detail.ID]);
    assert.ok(entry["description"]?.includes("oss-watcher"));
    if (/^[\w.-]{1,100}$/.test(detail.FQDN ?? "")) assert.deepEqual(entry["cn"], [detail.FQDN]);
  },
  assertUpdatePreview,
};

/** Updates of servers whose names are in their DNs. */
const renamed: Omit<PluginContract<LdapHarness>, "name" | "openTarget"> = {
  ...servers,
  make: ({ url }) => new LdapDirectory({ ...WATCHER, url, baseDn: SERVERS, rdn: ["cn", "serialNumber"] }),
  cannot: { busy: ANOTHER_NAME, fails: ANOTHER_NAME, refuses: ANOTHER_NAME },
  assertPreview: () => {},
  assertUpdatePreview: (preview, entry) => {
    assertUpdatePreview(preview, entry);
    const records = String(preview).split("\n\n");
    const newRdn = `newrdn: cn=${entry["cn"]}+serialNumber=${entry["serialnumber"]}`;
    assert.deepEqual(records[0]?.split("\n").slice(1), [
      "dn: (its name)",
      "changetype: modrdn",
      newRdn,
      "deleteoldrdn: 1",
    ]);
  },
};

/** What comes and goes with an association, in the entry of a server that is there. */
const floatingIps: Omit<PluginContract<LdapHarness>, "name" | "openTarget"> = {
  ...common,
  subjects: ["floatingip"],
  identify: ({ serialnumber, iphostnumber }) => `${serialnumber} ${iphostnumber}`,
  assertTaken: (entry, { detail: { ID, IP } }) => {
    assert.deepEqual(entry["serialnumber"], [ID]);
    assert.equal(entry["iphostnumber"]?.length, 2);
    assert.ok(entry["iphostnumber"]?.includes(String(IP)));
    assert.ok(entry["description"]?.includes(`floating ${IP}`));
  },
  assertPreview: (preview, entry) => {
    const [comment = "", dn, changetype, ...lines] = String(preview).split("\n");
    assert.match(comment, /^# the entry that \(&\(serialNumber=.*\)\(description=oss-watcher\)\) finds/);
    assert.deepEqual([dn, changetype], ["dn: (its name)", "changetype: modify"]);
    const added = lines.filter((line) => line !== "-" && !line.startsWith("add: "));
    for (const [name, values] of Object.entries(valuesOf(added))) {
      for (const value of values) assert.ok(entry[name]?.includes(value), value);
    }
    assert.equal(added.length, 2);
  },
};

/** `attribute: value` lines, as the server would give them. */
function valuesOf(lines: readonly string[]): Attributes {
  const pairs = lines.map((line) => line.split(/: (.*)/s));
  const grouped = Object.groupBy(pairs, ([name = ""]) => name.toLowerCase());
  return Object.fromEntries(
    Object.entries(grouped).map(([name, list = []]) => [name, list.map(([, value = ""]) => value).sort()]),
  );
}

testPlugin({
  ...servers,
  name: "LdapDirectory (slapd)",
  openTarget: () => LdapHarness.open(slapd, "server"),
  make: ({ url }) => new LdapDirectory({ ...WATCHER, url, baseDn: SERVERS, parent: () => "ou=answering" }),
});

testPlugin({
  ...floatingIps,
  name: "LdapDirectory, floating IPs (slapd)",
  openTarget: () => LdapHarness.open(slapd, "floatingip"),
});

for (const [kind, server] of [["slapd", () => slapd], ["389-ds", () => dirsrv]] as const) {
  testPlugin({
    ...renamed,
    name: `LdapDirectory, names of tenants (${kind})`,
    openTarget: () => LdapHarness.open(server(), "server"),
  });
}

const cannot = {
  busy: "389-ds cannot be made to say it",
  refuses: "no setting of 389-ds refuses for good both to add and to remove",
};

testPlugin({
  ...servers,
  cannot,
  name: "LdapDirectory (389-ds)",
  openTarget: () => LdapHarness.open(dirsrv, "server"),
});

testPlugin({
  ...floatingIps,
  cannot,
  name: "LdapDirectory, floating IPs (389-ds)",
  openTarget: () => LdapHarness.open(dirsrv, "floatingip"),
});
