import assert from "node:assert/strict";
import type { Json } from "oss-watcher";
import { LdapDirectory } from "oss-watcher/plugins";
import { testPlugin } from "oss-watcher/testing";
import { LdapHarness } from "../support/ldap_harness.ts";
import { type Attributes, SERVERS, WATCHER } from "../support/ldap_server.ts";
import { CAN_RUN_SAMBA, type Samba, startSamba } from "../support/samba.ts";
import { TestPki } from "../wire/pki.ts";

let pki: TestPki;
let samba: Samba;
Deno.test.beforeAll(async () => {
  if (!CAN_RUN_SAMBA) return;
  pki = await TestPki.make();
  const { certFile, keyFile } = await pki.issue("dc", "IP:127.0.0.1");
  samba = await startSamba({ cert: certFile, key: keyFile, ca: pki.caFile });
});
Deno.test.afterAll(async () => {
  await samba?.[Symbol.asyncDispose]();
  await pki?.[Symbol.asyncDispose]();
});

const COMPUTER = { ...WATCHER, baseDn: SERVERS, preset: "computer" } as const;
const FIXED = "Samba cannot be made to say it";

function valuesOf(lines: readonly string[]): Attributes {
  const grouped = Object.groupBy(lines.map((line) => line.split(/: (.*)/s)), ([name = ""]) => name.toLowerCase());
  return Object.fromEntries(
    Object.entries(grouped).map(([name, list = []]) => [name, list.map(([, value = ""]) => value).sort()]),
  );
}

if (CAN_RUN_SAMBA) {
  testPlugin<LdapHarness>({
    name: "LdapDirectory, computers (Samba AD DC)",
    openTarget: () => LdapHarness.open(samba, "server", "info=oss-watcher"),
    make: ({ url }) => new LdapDirectory({ ...COMPUTER, url, startTls: true, caFile: pki.caFile }),
    secrets: [WATCHER.password],
    subjects: ["server"],
    cannot: { busy: FIXED, fails: FIXED, refuses: FIXED },
    foreign: async () => {
      const others = ["info: by hand", "info: oss-watcher-2", "description: oss-watcher"];
      await samba.ldif(
        others.map((line, index) =>
          `dn: cn=foreign ${index},${SERVERS}\nobjectClass: computer\nsAMAccountName: foreign${index}$\n` +
          `userAccountControl: 4098\n${line}`
        ).join("\n\n"),
      );
    },
    right: () => new LdapDirectory({ ...COMPUTER, url: "ldaps://dc.example.com" }),
    wrong: {
      make: () => new LdapDirectory({ ...COMPUTER, url: "dc.example.com", attributes: { cn: () => "x" } }),
      names: ["url", "attributes"],
    },
    identify: ({ cn }) => cn?.[0] ?? "",
    assertTaken: (entry, { detail }) => {
      assert.deepEqual(entry["cn"], [detail.ID]);
      assert.deepEqual(entry["info"], ["oss-watcher"]);
      assert.deepEqual(entry["useraccountcontrol"], ["4098"]);
    },
    assertPreview: (preview: Json, { objectclass: _, ...entry }) => {
      const [dn, changetype, ...lines] = String(preview).split("\n");
      assert.equal(dn, `dn: cn=${entry["cn"]},${SERVERS}`);
      assert.equal(changetype, "changetype: add");
      const { objectclass, ...shown } = valuesOf(lines);
      assert.deepEqual(objectclass, ["computer"]);
      assert.deepEqual(shown, entry);
    },
    assertUpdated: (entry, { detail }) => {
      assert.deepEqual(entry["cn"], [detail.ID]);
      if (/^[\w.-]{1,100}$/.test(detail.FQDN ?? "")) assert.deepEqual(entry["displayname"], [detail.FQDN]);
    },
    assertUpdatePreview: () => {},
  });
}
