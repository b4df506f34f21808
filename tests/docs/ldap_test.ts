import assert from "node:assert/strict";
import { LdapDirectory } from "../../plugins/ldap_directory.ts";
import { startDirsrv } from "../support/dirsrv.ts";
import { ADMIN_PASSWORD, BASE, type LdapServer, SERVERS } from "../support/ldap_server.ts";
import { sampleEvent, sampleUpdate } from "../../src/testing/mod.ts";
import { previewOf } from "./example.ts";
import { startSlapd } from "../support/slapd.ts";
import { tool } from "../support/tool.ts";

const BIND_DN = `cn=oss-watcher,${BASE}`;
const PASSWORD = "s3cret";
const { detail, context } = sampleEvent();

interface Block {
  /** What follows the fence. */
  readonly info: string;
  readonly text: string;
}

const markdown = await Deno.readTextFile(new URL("../../docs/LDAP.md", import.meta.url));
const blocks: readonly Block[] = [...markdown.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info = "", text = ""]) => ({
  info,
  text,
}));

function block(info: string): string {
  const [found, ...more] = blocks.filter((one) => one.info === info);
  assert.ok(found !== undefined && more.length === 0, info);
  return found.text;
}

/** The three examples as configurations, and what each adds. */
function examples(): (readonly [example: string, shown: string])[] {
  const [host = "", own = ""] = blocks.filter(({ info }) => info === "ts").map(({ text }) => text);
  const device = host.replace(/\n\}\);/, `\n  preset: "device",\n});`);
  const shown = blocks.filter(({ info }) => info === "ldif shown").map(({ text }) => text.trim());
  assert.equal(shown.length, 3);
  return [host, device, own].map((example, index) => [example, shown[index] ?? ""]);
}

const SERVERS_OF_DOCS:
  readonly (readonly [kind: string, start: () => Promise<LdapServer>, login: readonly string[]])[] = [
    ["slapd", () => startSlapd({ fresh: true }), ["-D", "cn=config", "-w", ADMIN_PASSWORD]],
    ["389-ds", () => startDirsrv({ fresh: true }), ["-D", "cn=Directory Manager", "-w", ADMIN_PASSWORD]],
  ];

Deno.test("docs/LDAP.md shows what its examples would send", async () => {
  for (const [example, shown] of examples()) {
    assert.equal((await previewOf(example, { LDAP_PASSWORD: PASSWORD })).replace("\nchangetype: add", ""), shown);
  }
});

Deno.test("docs/LDAP.md shows what its example of Active Directory would send", async () => {
  const shown = await previewOf(block("ts computer"), { LDAP_PASSWORD: PASSWORD });
  assert.equal(shown.replace("\nchangetype: add", ""), block("ldif computer").trim());
});

for (const [kind, start, login] of SERVERS_OF_DOCS) {
  Deno.test(`docs/LDAP.md says what a fresh directory needs for what it shows (${kind})`, async () => {
    await using server = await start();
    await server.ldif(block("ldif both"));
    const set = await tool("ldapmodify", ["-x", "-H", server.url, ...login], block(`ldif ${kind}`));
    assert.ok(set.success, set.output);
    await server.ldif(`dn: ou=physics-191249,${SERVERS}\nobjectClass: organizationalUnit`);
    await using plugin = new LdapDirectory({ url: server.url, bindDn: BIND_DN, password: PASSWORD, baseDn: SERVERS });
    await plugin.check(new AbortController().signal);
    const asWatcher = ["-x", "-H", server.url, "-D", BIND_DN, "-w", PASSWORD];

    for (const [, shown] of examples()) {
      const { success, output } = await tool("ldapmodify", [...asWatcher, "-a"], `${shown}\n`);
      assert.ok(success, output);
      const dn = /^dn: (.*)$/m.exec(shown)?.[1] ?? "";
      const filter = "(&(serialNumber=4818c5b1-ac0b-4458-9eed-faf8936ad379)(description=oss-watcher))";
      const found = await tool("ldapsearch", [...asWatcher, "-LLL", "-b", SERVERS, filter, "1.1"]);
      assert.ok(found.output.replace(/\n /g, "").startsWith(`dn: ${dn}`), found.output);
      assert.ok((await tool("ldapdelete", [...asWatcher, dn])).success);
    }
    const place = { ...detail, ProjectName: "physics-191249" };
    const moving = {
      url: server.url,
      bindDn: BIND_DN,
      password: PASSWORD,
      baseDn: SERVERS,
      rdn: ["cn", "serialNumber"],
    };
    await using follower = new LdapDirectory({
      ...moving,
      parent: ({ ProjectName }) => ProjectName === place.ProjectName ? `ou=${ProjectName}` : "",
    });
    await follower.notify(detail, true, context);
    for (const now of [{ ...detail, FQDN: "renamed" }, { ...place, FQDN: "moved" }]) {
      await follower.update(now, sampleUpdate({ detail: now }).context);
    }
    const names = Object.keys(await server.entries(SERVERS, "(objectClass=device)"));
    assert.deepEqual(names, [`cn=moved+serialNumber=${detail.ID},ou=physics-191249,${SERVERS}`]);
    await follower.notify(detail, false, context);
    const elsewhere = await tool("ldapmodify", [...asWatcher, "-a"], `dn: cn=x,${BASE}\nobjectClass: device\n`);
    assert.match(elsewhere.output, /Insufficient access \(50\)/);
  });
}

for (const [kind, start, login] of SERVERS_OF_DOCS) {
  Deno.test(`docs/LDAP.md gives the rights to list 10,000 entries (${kind})`, async () => {
    await using server = await start();
    await server.ldif(block("ldif both"));
    const set = await tool("ldapmodify", ["-x", "-H", server.url, ...login], block(`ldif ${kind}`));
    assert.ok(set.success, set.output);
    const lines = (id: number) => `objectClass: device\nserialNumber: s${id}\ncn: web\ndescription: oss-watcher`;
    const entries = Array.from({ length: 10_000 }, (_, id) => `dn: serialNumber=s${id},${SERVERS}\n${lines(id)}`);
    await server.ldif(entries.join("\n\n"));
    await using plugin = new LdapDirectory({ url: server.url, bindDn: BIND_DN, password: PASSWORD, baseDn: SERVERS });

    const ids = new Set<string>();
    for await (const { id } of plugin.list(new AbortController().signal)) ids.add(id);

    assert.equal(ids.size, 10_000);
  });
}
