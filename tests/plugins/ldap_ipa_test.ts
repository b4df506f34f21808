import assert from "node:assert/strict";
import { LdapDirectory } from "oss-watcher/plugins";
import { sampleEvent, sampleUpdate } from "oss-watcher/testing";
import { type Dirsrv, startDirsrv } from "../support/dirsrv.ts";
import { IPA_SCHEMA } from "../support/ipa_schema.ts";
import { SERVERS, WATCHER } from "../support/ldap_server.ts";

let dirsrv: Dirsrv;
Deno.test.beforeAll(async () => {
  dirsrv = await startDirsrv({ schema: IPA_SCHEMA });
});
Deno.test.afterAll(async () => {
  await dirsrv[Symbol.asyncDispose]();
});

function plugin(): LdapDirectory {
  return new LdapDirectory({ ...WATCHER, url: dirsrv.url, baseDn: SERVERS, preset: "ipaHost" });
}

async function hosts(): Promise<Record<string, Record<string, string[]>>> {
  return await dirsrv.entries(SERVERS, "(objectClass=ipaHost)");
}

Deno.test("a host of FreeIPA is named by its FQDN, and renamed with its server; ipaUniqueID stays", async () => {
  await dirsrv.clear();
  await using ipa = plugin();
  const { detail, context } = sampleEvent({ detail: { FQDN: "Web-1.Example.com" } });
  await ipa.check(context.signal);
  await ipa.notify(detail, true, context);
  // As FreeIPA does by itself.
  const dn = `fqdn=web-1.example.com,${SERVERS}`;
  await dirsrv.ldif(`dn: ${dn}\nchangetype: modify\nreplace: ipaUniqueID\nipaUniqueID: 57a1`);
  const update = sampleUpdate();
  await ipa.update({ ...detail, FQDN: "db-1.example.com" }, { ...update.context, before: detail });
  assert.deepEqual(await hosts(), {
    [`fqdn=db-1.example.com,${SERVERS}`]: {
      objectclass: [
        ...["device", "ieee802Device", "ipHost", "ipaHost", "ipaObject", "ipaService", "nsHost", "pkiUser", "top"],
      ],
      fqdn: ["db-1.example.com"],
      cn: ["db-1.example.com"],
      serverhostname: ["db-1"],
      serialnumber: [detail.ID],
      description: ["oss-watcher", `text ${detail.Description}`],
      nsosversion: [detail.OS],
      iphostnumber: [detail.IP],
      macaddress: [detail.MAC],
      ipauniqueid: ["57a1"],
    },
  });
  await ipa.notify({ ...detail, FQDN: "db-1.example.com" }, false, context);
  assert.deepEqual(await hosts(), {});
});

Deno.test("a second server of one FQDN, and one without a name of DNS, become dead letters", async () => {
  await dirsrv.clear();
  await using ipa = plugin();
  const [one, other] = [sampleEvent(), sampleEvent({ server: 2 })];
  await ipa.notify(one.detail, true, one.context);
  for (const FQDN of [one.detail.FQDN, "two words", "-x.example.com", null]) {
    await assert.rejects(
      ipa.notify({ ...other.detail, FQDN }, true, other.context),
      { name: "PermanentError" },
      `${FQDN}`,
    );
  }
  assert.deepEqual(Object.keys(await hosts()), [`fqdn=${one.detail.FQDN},${SERVERS}`]);
});
