import assert from "node:assert/strict";
import { DeliveryError } from "../../../mod.ts";
import { type LdapEntry, LdapOwnEntries, type LdapSearch, LdapTarget } from "../../../src/kit/mod.ts";
import { SERVERS, WATCHER } from "../../support/ldap_server.ts";
import { startSlapd } from "../../support/slapd.ts";

const never = new AbortController().signal;

/** Something happens between a search and what follows from it. */
class Interrupted extends LdapTarget {
  meanwhile: () => Promise<void> = () => Promise.resolve();

  override async search(search: LdapSearch, signal: AbortSignal): Promise<readonly LdapEntry[]> {
    const found = await super.search(search, signal);
    await this.meanwhile();
    return found;
  }
}

Deno.test("remove() and addValues() leave an entry alone that has just taken the name of ours", async () => {
  await using slapd = await startSlapd();
  await using target = new Interrupted({ url: slapd.url, ...WATCHER });
  const entries = new LdapOwnEntries(target, {
    baseDn: SERVERS,
    objectClasses: ["device"],
    rdn: ["cn"],
    idAttribute: "serialNumber",
    markAttribute: "description",
    mark: "oss-watcher",
  });
  const put = (id: string, cn: string) =>
    entries.put(entries.entry(id, [["cn", cn]]), { id, kept: () => [], signal: never });
  await put("1", "web");
  target.meanwhile = async () => {
    target.meanwhile = () => Promise.resolve();
    await slapd.ldif(`dn: cn=web,${SERVERS}\nchangetype: modrdn\nnewrdn: cn=old\ndeleteoldrdn: 1`);
    await put("2", "web");
  };
  const isLate = (error: unknown) => {
    assert(error instanceof DeliveryError);
    assert.equal(error.reason, "other");
    assert.match(error.message, /assertionFailed \(122\)/);
    return true;
  };

  await assert.rejects(entries.remove("1", never), isLate);
  assert.deepEqual(Object.keys(await slapd.entries(SERVERS, "(cn=*)")), [`cn=old,${SERVERS}`, `cn=web,${SERVERS}`]);
  await entries.remove("1", never);
  target.meanwhile = async () => {
    target.meanwhile = () => Promise.resolve();
    await slapd.ldif(`dn: cn=web,${SERVERS}\nchangetype: modrdn\nnewrdn: cn=old\ndeleteoldrdn: 1`);
    await put("3", "web");
  };
  await assert.rejects(entries.addValues({ id: "2", values: [["l", "Köln"]] }, never), isLate);
  await entries.addValues({ id: "2", values: [["l", "Köln"]] }, never);

  const left = await slapd.entries(SERVERS, "(cn=*)");
  assert.deepEqual(
    Object.entries(left).map(([dn, { serialnumber, l }]) => [dn, serialnumber, l]),
    [[`cn=old,${SERVERS}`, ["2"], ["Köln"]], [`cn=web,${SERVERS}`, ["3"], undefined]],
  );
});
