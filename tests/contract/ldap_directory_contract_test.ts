import assert from "node:assert/strict";
import { LdapDirectory, type LdapDirectoryOptions } from "oss-watcher/plugins";
import { testPlugin } from "oss-watcher/testing";
import { LdapHarness } from "../support/ldap_harness.ts";
import { SERVERS, WATCHER } from "../support/ldap_server.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";

let slapd: Slapd;
Deno.test.beforeAll(async () => {
  slapd = await startSlapd();
});
Deno.test.afterAll(() => slapd[Symbol.asyncDispose]());

testPlugin({
  name: "LdapDirectory",
  openTarget: () => LdapHarness.open(slapd),
  make: ({ url }) => new LdapDirectory({ ...WATCHER, url, baseDn: SERVERS }),
  cannot: {
    busy: "slapd cannot be made to say it",
    fails: "slapd cannot be made to say it",
    refuses:
      "no directory refuses both to add and to remove; tests/plugins/ldap_directory_test.ts has what it refuses to add",
  },
  secrets: [WATCHER.password],
  right: () => new LdapDirectory({ ...WATCHER, url: "ldaps://ldap.example.com", baseDn: SERVERS }),
  wrong: {
    make: () =>
      new LdapDirectory({ url: "ldap.example.com", baseDn: "servers", preset: "x" } as unknown as LdapDirectoryOptions),
    names: ["url", "baseDn", "preset"],
  },
  // A floating IP is part of its server's entry.
  subjects: ["server"],
  identify: ({ serialnumber }) => serialnumber?.[0] ?? "",
  assertTaken: (entry, { detail }) => {
    assert.deepEqual(entry["serialnumber"], [detail.ID]);
    assert.ok(entry["description"]?.includes("oss-watcher"));
  },
});
