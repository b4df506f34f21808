import assert from "node:assert/strict";
import type { DeliveredEvent, Detail } from "../../mod.ts";
import { LdapDirectory } from "../../plugins/ldap_directory.ts";
import type { LdapDirectoryOptions } from "../../plugins/ldap_options.ts";
import { SERVERS, WATCHER } from "../support/ldap_server.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { context, detail } from "./notification.ts";

let slapd: Slapd;
Deno.test.beforeAll(async () => {
  slapd = await startSlapd();
});
Deno.test.afterAll(() => slapd[Symbol.asyncDispose]());

const SERVER: Detail = {
  ...detail,
  FQDN: "web-1",
  Addresses: [{ address: "10.0.0.5", mac: "fa:16:3e:00:00:01", type: "fixed", network: "net", version: 4 }],
};
const CREATION: DeliveredEvent = { key: "server/s/creation", subject: "server", created: true, detail: SERVER };
const ASSOCIATION: DeliveredEvent = {
  ...{ key: "floatingip/f/1/creation", subject: "floatingip", created: true },
  detail: { ...SERVER, IP: "203.0.113.7" },
};
const DN = `serialNumber=${SERVER.ID},${SERVERS}`;

function plugin(options: Partial<LdapDirectoryOptions> = {}): LdapDirectory {
  return new LdapDirectory({ url: slapd.url, ...WATCHER, baseDn: SERVERS, ...options });
}

async function deliver(target: LdapDirectory, { detail, created, subject }: DeliveredEvent, repair = false) {
  await target.notify(detail, created, context({ subject, repair }));
}

/** Whether the directory holds what was delivered: a server with a floating IP. */
async function isAsDelivered(target: LdapDirectory): Promise<boolean> {
  const listed = await Array.fromAsync(target.list(new AbortController().signal));
  assert.deepEqual(listed.map(({ subject, id }) => [subject, id]), [["server", SERVER.ID]]);
  return listed[0]?.fingerprint === (await target.expected([CREATION, ASSOCIATION]))[0]?.fingerprint;
}

interface Edit {
  readonly what: string;
  readonly ldif: string;
  readonly options?: Partial<LdapDirectoryOptions>;
}

const modify = (...lines: readonly string[]) => [`dn: ${DN}`, "changetype: modify", ...lines, "-"].join("\n");

const EQUAL: readonly Edit[] = [
  {
    what: "has another attribute and another class",
    ldif: modify("add: objectClass", "objectClass: uidObject", "-", "add: uid", "uid: by hand"),
  },
  { what: "has other case", ldif: modify("replace: cn", "cn: WEB-1") },
  {
    what: "was moved",
    ldif:
      `dn: ou=moved,${SERVERS}\nobjectClass: organizationalUnit\n\ndn: ${DN}\nchangetype: modrdn\nnewrdn: serialNumber=${SERVER.ID}\ndeleteoldrdn: 0\nnewsuperior: ou=moved,${SERVERS}`,
  },
  { what: "was renamed", ldif: `dn: ${DN}\nchangetype: modrdn\nnewrdn: cn=by hand\ndeleteoldrdn: 0` },
];

const DIFFERENT: readonly Edit[] = [
  { what: "lacks a value", ldif: modify("delete: macAddress") },
  { what: "has another name", ldif: modify("replace: cn", "cn: web-2") },
  { what: "has a note in an attribute of ours", ldif: modify("add: description", "description: by hand") },
  {
    what: "has an association that was never delivered",
    ldif: modify("add: description", "description: floating 198.51.100.7"),
  },
  { what: "lacks an association", ldif: modify("delete: description", "description: floating 203.0.113.7") },
  {
    what: "lacks a class",
    ldif: modify("delete: macAddress", "-", "delete: objectClass", "objectClass: ieee802Device"),
  },
  { what: "has another ID, too", ldif: modify("add: serialNumber", "serialNumber: by hand"), options: { rdn: ["cn"] } },
  {
    what: "has an address where floating IPs cannot be told apart",
    ldif: modify("add: ipHostNumber", "ipHostNumber: 198.51.100.7"),
    options: { addressAttribute: "ipHostNumber" },
  },
];

for (const { what, ldif } of EQUAL) {
  Deno.test(`list() tells that an entry is as it was delivered when it ${what}`, async () => {
    await slapd.clear();
    await using target = plugin();
    for (const event of [CREATION, ASSOCIATION]) await deliver(target, event);
    assert.ok(await isAsDelivered(target));
    await slapd.ldif(ldif);
    assert.ok(await isAsDelivered(target));
  });
}

for (const { what, ldif, options = {} } of DIFFERENT) {
  Deno.test(`list() tells that an entry is different when it ${what}, and a repair makes it right`, async () => {
    await slapd.clear();
    await using target = plugin(options);
    for (const event of [CREATION, ASSOCIATION]) await deliver(target, event);
    assert.ok(await isAsDelivered(target));
    const [dn = ""] = Object.keys(await slapd.entries(SERVERS, "(serialNumber=*)"));
    await slapd.ldif(ldif.replace(DN, dn));
    const listed = await Array.fromAsync(target.list(new AbortController().signal));
    const [expected] = await target.expected([CREATION, ASSOCIATION]);
    assert.ok(listed.every(({ fingerprint }) => fingerprint !== expected?.fingerprint));

    for (const event of [CREATION, ASSOCIATION]) await deliver(target, event, true);

    assert.ok(await isAsDelivered(target));
  });
}
