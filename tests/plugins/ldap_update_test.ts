import assert from "node:assert/strict";
import { DeliveryError, type Detail, PermanentError, type UpdateContext } from "../../mod.ts";
import { LdapDirectory } from "../../plugins/ldap_directory.ts";
import type { LdapDirectoryOptions } from "../../plugins/ldap_options.ts";
import { dnValue } from "../../src/kit/mod.ts";
import { type Dirsrv, startDirsrv } from "../support/dirsrv.ts";
import { type Attributes, type LdapServer, SERVERS, WATCHER } from "../support/ldap_server.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { context, detail, updateContext } from "./notification.ts";

const UUID = "5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11";
const DN = `serialNumber=${UUID},${SERVERS}`;
const association = context({ subject: "floatingip", key: "floatingip/f/1/creation" });

const web: Detail = {
  ...detail,
  FQDN: "web-1.example.com",
  IP: "10.0.0.5",
  Description: "The shop",
  ProjectName: "physics",
  Addresses: [{ address: "10.0.0.5", mac: "fa:16:3e:00:00:01", type: "fixed", network: "private", version: 4 }],
};
const db: Detail = {
  ...web,
  FQDN: "db-1.example.com",
  Description: "The shop's base",
  Addresses: [{ address: "10.0.0.6", mac: "fa:16:3e:00:00:02", type: "fixed", network: "private", version: 4 }],
  MAC: "fa:16:3e:00:00:02",
  FloatingIPs: [{ id: "f", address: "203.0.113.7", fixedAddress: "10.0.0.6" }],
};
const floating: Detail = { ...web, IP: "203.0.113.7", IPType: "Public" };
const entryOfDb: Attributes = {
  objectclass: ["device", "ieee802Device", "ipHost"],
  cn: ["db-1.example.com"],
  description: ["floating 203.0.113.7", "oss-watcher", "text The shop's base"],
  iphostnumber: ["10.0.0.6", "203.0.113.7"],
  l: ["KDC"],
  macaddress: ["fa:16:3e:00:00:02"],
  serialnumber: [UUID],
};

/** Entries are named by the hostname, and are below their projects. */
const NAMED = {
  rdn: ["cn", "serialNumber"],
  parent: ({ ProjectName }: Detail) => `ou=${dnValue(ProjectName ?? "none")}`,
} satisfies Partial<LdapDirectoryOptions>;
const nameOf = (name: string, project: string) =>
  `cn=${name}.example.com+serialNumber=${UUID},ou=${project},${SERVERS}`;

let slapd: Slapd;
let dirsrv: Dirsrv;
Deno.test.beforeAll(async () => {
  [slapd, dirsrv] = await Promise.all([startSlapd(), startDirsrv()]);
});
Deno.test.afterAll(async () => {
  for (const one of [slapd, dirsrv]) await one[Symbol.asyncDispose]();
});

/** One behaviour with every kind of server, which holds two projects and nothing else. */
function withServers(name: string, behave: (server: LdapServer) => Promise<void>): void {
  for (const [kind, server] of [["slapd", () => slapd], ["389-ds", () => dirsrv]] as const) {
    Deno.test(`${name} (${kind})`, async () => {
      await server().clear();
      const places = ["physics", "chemistry"].map((ou) => `dn: ou=${ou},${SERVERS}\nobjectClass: organizationalUnit`);
      await server().ldif(places.join("\n\n"));
      await behave(server());
    });
  }
}

function directory(server: LdapServer, options: Partial<LdapDirectoryOptions> = {}): LdapDirectory {
  return new LdapDirectory({ url: server.url, ...WATCHER, baseDn: SERVERS, ...options });
}

function updated(before: Detail, changes: Partial<UpdateContext> = {}): UpdateContext {
  return updateContext({ before, changed: ["FQDN"], ...changes });
}

/** The entries of servers by their DNs, without the class that some servers add. */
async function held(server: LdapServer): Promise<Record<string, Attributes>> {
  const entries = await server.entries(SERVERS, "(objectClass=device)");
  return Object.fromEntries(
    Object.entries(entries).map(([dn, entry]) => [
      dn,
      { ...entry, objectclass: (entry["objectclass"] ?? []).filter((name) => name !== "top") },
    ]),
  );
}

function modrdn(dn: string, rdn: string, more: readonly string[] = ["deleteoldrdn: 0"]): string {
  return [`dn: ${dn}`, "changetype: modrdn", `newrdn: ${rdn}`, ...more].join("\n");
}

withServers("update() changes what ours is in an entry, and keeps floating IPs and all else", async (server) => {
  await using plugin = directory(server);
  await plugin.notify(web, true, context());
  await plugin.notify(floating, true, association);
  await server.ldif(`dn: ${DN}\nchangetype: modify\nadd: o\no: Inventory\n-\nadd: cn\ncn: alias\n-`);

  await plugin.update(db, updated(web));
  await plugin.update(db, updated(web, { attempt: 2 }));

  assert.deepEqual(await held(server), { [DN]: { ...entryOfDb, o: ["Inventory"] } });
});

withServers("update() keeps a floating IP that the detail does not list yet", async (server) => {
  await using plugin = directory(server);
  await plugin.notify(web, true, context());
  await plugin.notify(floating, true, association);

  await plugin.update({ ...db, FloatingIPs: [] }, updated(web));

  assert.deepEqual(await held(server), { [DN]: entryOfDb });
});

withServers("update() repairs an entry: of its floating IPs those in the detail stay", async (server) => {
  await using plugin = directory(server);
  await plugin.notify(web, true, context());
  await plugin.notify({ ...floating, IP: "198.51.100.7" }, true, association);

  await plugin.update(db, updated(web, { repair: true }));

  assert.deepEqual(await held(server), { [DN]: entryOfDb });
});

withServers("update() adds an entry that is missing, with its floating IPs", async (server) => {
  await using plugin = directory(server, NAMED);

  await plugin.update(db, updated(web));

  assert.deepEqual(await held(server), { [nameOf("db-1", "physics")]: entryOfDb });
});

for (
  const [what, changes, dn] of [
    ["renames", {}, nameOf("db-1", "physics")],
    ["moves", { FQDN: web.FQDN, ProjectName: "chemistry" }, nameOf("web-1", "chemistry")],
    ["renames and moves", { ProjectName: "chemistry" }, nameOf("db-1", "chemistry")],
  ] as const
) {
  withServers(`update() ${what} an entry, which keeps floating IPs and all else`, async (server) => {
    await using plugin = directory(server, NAMED);
    await plugin.notify(web, true, context());
    await plugin.notify(floating, true, association);
    const old = nameOf("web-1", "physics");
    await server.ldif(`dn: ${old}\nchangetype: modify\nadd: o\no: Inventory\n-`);
    const detail = { ...db, ...changes };

    await plugin.update(detail, updated(web));
    await plugin.update(detail, updated(web, { attempt: 2 }));

    const entry = { ...entryOfDb, cn: [String(detail.FQDN)], o: ["Inventory"] };
    assert.deepEqual(await held(server), { [dn]: entry });
    const delivered = [
      { key: "server/u/update/1", subject: "server", created: true, detail },
      { key: "floatingip/f/1/creation", subject: "floatingip", created: true, detail: floating },
    ] as const;
    const listed = await Array.fromAsync(plugin.list(new AbortController().signal));
    assert.deepEqual(listed, await plugin.expected(delivered));
  });

  withServers(`update() ends what an earlier attempt began when it ${what} an entry`, async (server) => {
    await using plugin = directory(server, NAMED);
    await plugin.notify(web, true, context());
    await plugin.notify(floating, true, association);
    const [rdn = "", ...parent] = dn.split(",");
    const name = ["deleteoldrdn: 1", `newsuperior: ${parent.join(",")}`];
    await server.ldif(modrdn(nameOf("web-1", "physics"), rdn, name));

    await plugin.update({ ...db, ...changes }, updated(web));

    const cn = [String({ ...db, ...changes }.FQDN)];
    assert.deepEqual(await held(server), { [dn]: { ...entryOfDb, cn } });
  });
}

withServers("update() renames an entry where somebody has moved it", async (server) => {
  await using plugin = directory(server, NAMED);
  await plugin.notify(web, true, context());
  const place = ["deleteoldrdn: 0", `newsuperior: ou=chemistry,${SERVERS}`];
  await server.ldif(modrdn(nameOf("web-1", "physics"), `cn=web-1.example.com+serialNumber=${UUID}`, place));

  await plugin.update(db, updated(web));

  assert.deepEqual(await held(server), { [nameOf("db-1", "chemistry")]: entryOfDb });
});

withServers("update() moves an entry under the name that somebody gave it", async (server) => {
  await using plugin = directory(server, NAMED);
  await plugin.notify(web, true, context());
  await server.ldif(modrdn(nameOf("web-1", "physics"), "o=by\\, hand"));

  await plugin.update({ ...db, ProjectName: "chemistry" }, updated(web));

  const [[dn = "", entry] = []] = Object.entries(await held(server));
  assert.match(dn, new RegExp(`^o=by(\\\\2C|\\\\,) hand,ou=chemistry,${SERVERS}$`));
  assert.deepEqual(entry, { ...entryOfDb, o: ["by, hand"] });
});

withServers("update() leaves an entry the name that holds its ID when config.ts has another now", async (server) => {
  await using before = directory(server);
  await before.notify(web, true, context());
  await using plugin = directory(server, { rdn: ["cn"] });

  await plugin.update(db, updated(web));

  assert.deepEqual(await held(server), { [DN]: entryOfDb });
});

withServers("update() does not rename an entry for another case of its name", async (server) => {
  await using plugin = directory(server, NAMED);
  await plugin.notify(web, true, context());

  await plugin.update({ ...web, FQDN: "WEB-1.example.com", ProjectName: "Physics" }, updated(web));

  assert.deepEqual(Object.keys(await held(server)), [nameOf("web-1", "physics")]);
});

withServers("update() gives up when another entry has the new name, and changes neither", async (server) => {
  await using plugin = directory(server, { rdn: ["cn"] });
  await plugin.notify({ ...web, FQDN: "web-1.example.com" }, true, context());
  await server.ldif(`dn: cn=db-1.example.com,${SERVERS}\nobjectClass: device\ndescription: by hand`);
  const before = await held(server);

  await assert.rejects(plugin.update(db, updated(web)), (error: unknown) => {
    assert(error instanceof PermanentError, String(error));
    assert.match(error.message, /^Cannot rename "cn=web-1\.example\.com,.*" to "cn=db-1\.example\.com": an entry of/);
    return true;
  });

  assert.deepEqual(await held(server), before);
});

withServers("update() is tried again while the entry above the new one is missing", async (server) => {
  await using plugin = directory(server, NAMED);
  await plugin.notify(web, true, context());
  const detail = { ...db, ProjectName: "R+D, Köln" };

  await assert.rejects(plugin.update(detail, updated(web)), (error: unknown) => {
    assert(error instanceof DeliveryError, String(error));
    assert.equal(error.reason, "client_error");
    assert.match(error.message, /^Cannot rename .*create it, or the entry above it, first$/);
    return true;
  });
  await server.ldif(`dn: ou=R\\+D\\, Köln,${SERVERS}\nobjectClass: organizationalUnit`);
  await plugin.update(detail, updated(web));

  assert.deepEqual(Object.values(await held(server)), [entryOfDb]);
});

withServers("update() changes no entry without our mark", async (server) => {
  await using plugin = directory(server);
  const foreign =
    `dn: cn=by hand,${SERVERS}\nobjectClass: device\nserialNumber: ${UUID}\ndescription: text oss-watcher`;
  await server.ldif(foreign);

  await plugin.update(db, updated(web));

  const entries = await held(server);
  assert.deepEqual(entries[`cn=by hand,${SERVERS}`]?.["description"], ["text oss-watcher"]);
  assert.deepEqual(entries[DN], entryOfDb);
});

const FOUND = `(&(serialNumber=${UUID})(description=oss-watcher)) finds below ${SERVERS}`;

Deno.test("previewUpdate() shows a new name, then changes, as records of LDIF", async () => {
  const plugin = new LdapDirectory({ ...WATCHER, url: "ldaps://localhost", baseDn: SERVERS, ...NAMED });
  const now = { ...db, ProjectName: "chemistry", Addresses: web.Addresses, MAC: web.MAC, FloatingIPs: [] };

  assert.equal(
    await plugin.previewUpdate(now, updated({ ...web, FloatingIPs: [] })),
    `# the entry that ${FOUND}, or a new one
dn: (its name)
changetype: modrdn
newrdn: cn=db-1.example.com+serialNumber=${UUID}
deleteoldrdn: 1
newsuperior: ou=chemistry,${SERVERS}

dn: (its name)
changetype: modify
replace: description
description: oss-watcher
description: text The shop's base
-`,
  );
});

Deno.test("a former detail that makes no name, because rdn was another then, does not hinder an update", async () => {
  const server = { ...WATCHER, url: "ldaps://localhost", baseDn: SERVERS };
  const plugin = new LdapDirectory({ ...server, rdn: ["cn"], attributes: { cn: (detail) => detail.Name ?? null } });
  const now = { ...web, Name: "web" };

  assert.match(await plugin.previewUpdate(now, updated({ ...web, Name: null })), /^# the entry that .*finds/);
});

Deno.test("previewUpdate() says so when nothing of the entry changes", async () => {
  const plugin = new LdapDirectory({ ...WATCHER, url: "ldaps://localhost", baseDn: SERVERS });

  assert.equal(
    await plugin.previewUpdate({ ...web, Owner: "bert" }, updated(web, { changed: ["Owner"] })),
    `# the entry that ${FOUND}, or a new one\n# nothing of it changes`,
  );
});
