import assert from "node:assert/strict";
import { LdapDirectory } from "oss-watcher/plugins";
import { testPlugin } from "oss-watcher/testing";
import { type Dirsrv, startDirsrv } from "../support/dirsrv.ts";
import { IPA_SCHEMA } from "../support/ipa_schema.ts";
import { LdapHarness } from "../support/ldap_harness.ts";
import { SERVERS, WATCHER } from "../support/ldap_server.ts";

let dirsrv: Dirsrv;
Deno.test.beforeAll(async () => {
  dirsrv = await startDirsrv({ schema: IPA_SCHEMA });
});
Deno.test.afterAll(async () => {
  await dirsrv[Symbol.asyncDispose]();
});

const IPA_HOST = { ...WATCHER, baseDn: SERVERS, preset: "ipaHost" } as const;

testPlugin<LdapHarness>({
  name: "LdapDirectory, hosts of FreeIPA (389-ds)",
  openTarget: () => LdapHarness.open(dirsrv, "server"),
  make: ({ url }) => new LdapDirectory({ ...IPA_HOST, url }),
  secrets: [WATCHER.password],
  subjects: ["server"],
  cannot: {
    busy: "389-ds cannot be made to say it",
    refuses: "no setting of 389-ds refuses for good both to add and to remove",
  },
  foreign: (target) => target.addForeign(),
  right: () => new LdapDirectory({ ...IPA_HOST, url: "ldaps://ipa.example.com" }),
  wrong: {
    make: () => new LdapDirectory({ ...IPA_HOST, url: "ipa.example.com", rdn: ["uid"] }),
    names: ["url", "rdn"],
  },
  identify: ({ serialnumber }) => serialnumber?.[0] ?? "",
  assertTaken: (entry, { detail }) => {
    assert.deepEqual(entry["serialnumber"], [detail.ID]);
    assert.ok(entry["description"]?.includes("oss-watcher"));
    assert.deepEqual(entry["fqdn"], [detail.FQDN?.toLowerCase()]);
    assert.deepEqual(entry["ipauniqueid"], ["autogenerate"]);
  },
  assertPreview: (preview, { objectclass = [], ...entry }) => {
    const [dn, changetype, ...lines] = String(preview).split("\n");
    assert.equal(dn, `dn: fqdn=${entry["fqdn"]},${SERVERS}`);
    assert.equal(changetype, "changetype: add");
    const grouped = Object.groupBy(lines.map((line) => line.split(/: (.*)/s)), ([name = ""]) => name.toLowerCase());
    const shown = Object.entries(grouped).map((
      [name, list = []],
    ) => [name, list.map(([, value = ""]) => value).sort()]);
    assert.deepEqual(Object.fromEntries(shown), {
      ...entry,
      objectclass: objectclass.filter((name) => name !== "top"),
    });
  },
  assertUpdated: (entry, { detail }) => assert.deepEqual(entry["serialnumber"], [detail.ID]),
  assertUpdatePreview: () => {},
});
