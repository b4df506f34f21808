import assert from "node:assert/strict";
import type { Detail } from "oss-watcher";
import { LdapDirectory, type LdapDirectoryOptions } from "oss-watcher/plugins";
import { sampleEvent, sampleUpdate } from "oss-watcher/testing";
import { SERVERS, WATCHER } from "../support/ldap_server.ts";
import { CAN_RUN_SAMBA, type Samba, startSamba } from "../support/samba.ts";
import { tool } from "../support/tool.ts";
import { TestPki } from "../wire/pki.ts";

let pki: TestPki;
let samba: Samba;
Deno.test.beforeAll(async () => {
  if (!CAN_RUN_SAMBA) return;
  pki = await TestPki.make();
  const { certFile, keyFile } = await pki.issue("dc", "DNS:dc.example.com,IP:127.0.0.1");
  samba = await startSamba({ cert: certFile, key: keyFile, ca: pki.caFile });
});
Deno.test.afterAll(async () => {
  await samba?.[Symbol.asyncDispose]();
  await pki?.[Symbol.asyncDispose]();
});

const test = (name: string, body: () => Promise<void>) =>
  Deno.test({
    name,
    ignore: !CAN_RUN_SAMBA,
    fn: async () => {
      await samba.clear();
      await body();
    },
  });

/** The certificate of a test names no loopback address but 127.0.0.1, so that a proxy is between. */
async function connected(
  options: Partial<LdapDirectoryOptions>,
  body: (plugin: LdapDirectory) => Promise<void>,
  scheme: "ldaps" | "ldap" = "ldaps",
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = scheme === "ldaps" ? samba.tlsPort : samba.port;
  const piping = pipeAll(listener, { hostname: samba.host, port });
  const tls = scheme === "ldap" ? { startTls: true } : {};
  const url = `${scheme}://127.0.0.1:${listener.addr.port}`;
  await using plugin = new LdapDirectory({
    ...{ ...WATCHER, ...tls, url, baseDn: SERVERS, preset: "computer", caFile: pki.caFile },
    ...options,
  });
  try {
    await body(plugin);
  } finally {
    await plugin[Symbol.asyncDispose]();
    listener.close();
    await piping;
  }
}

async function pipeAll(listener: Deno.TcpListener, to: { hostname: string; port: number }): Promise<void> {
  for await (const near of listener) {
    const far = await Deno.connect(to);
    near.readable.pipeTo(far.writable).catch(() => {});
    far.readable.pipeTo(near.writable).catch(() => {});
  }
}

function dnOf({ ID }: Detail): string {
  return `CN=${ID},OU=servers,DC=example,DC=com`;
}

for (const scheme of ["ldaps", "ldap"] as const) {
  test(`a computer is a disabled account without a password, over ${scheme}://`, async () => {
    const { detail, context } = sampleEvent();
    await connected({}, async (plugin) => {
      await plugin.check(context.signal);
      await plugin.notify(detail, true, context);
    }, scheme);
    assert.deepEqual(await samba.entries(SERVERS, "(objectClass=computer)"), {
      [dnOf(detail)]: {
        objectclass: ["computer", "organizationalPerson", "person", "top", "user"],
        cn: [detail.ID],
        info: ["oss-watcher"],
        samaccountname: ["os-00000001debe$"],
        useraccountcontrol: ["4098"],
        dnshostname: [detail.FQDN],
        displayname: [detail.FQDN],
        description: [`text ${detail.Description}`],
        operatingsystem: [detail.OS],
        iphostnumber: [detail.IP],
        networkaddress: [`mac ${detail.MAC}`],
      },
    });
    // Not even with the passwords that computers have by default.
    for (const password of ["os-00000001debe", "OS-00000001DEBE"]) {
      const login = ["-D", dnOf(detail), "-w", password, "-b", "", "-s", "base"];
      const { success, output } = await tool("ldapsearch", [
        ...["-x", "-o", "TLS_REQCERT=never", "-H", samba.url],
        ...login,
      ]);
      assert.ok(!success);
      assert.match(output, /Invalid credentials/);
    }
  });
}

test("a machine that has joined the domain stays enabled, whatever comes later", async () => {
  const { detail, context } = sampleEvent();
  const update = sampleUpdate({ detail: { FQDN: "db-1.example.com" } });
  await connected({}, async (plugin) => {
    await plugin.notify(detail, true, context);
    await samba.ldif(
      `dn: ${dnOf(detail)}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 4096\n-\n` +
        "add: servicePrincipalName\nservicePrincipalName: HOST/web-1",
    );
    const before = { ...update.context, before: detail };
    await plugin.update({ ...detail, FQDN: "db-1.example.com" }, before);
    await plugin.notify(detail, true, context);
  });
  const entry = (await samba.entries(SERVERS, "(objectClass=computer)"))[dnOf(detail)];
  assert.deepEqual(entry?.["useraccountcontrol"], ["4096"]);
  assert.deepEqual(entry?.["serviceprincipalname"], ["HOST/web-1"]);
  assert.deepEqual(entry?.["dnshostname"], [detail.FQDN]);
});

test("two servers of one name have two computers, and floating IPs come and go", async () => {
  const [one, other] = [sampleEvent(), sampleEvent({ server: 2 })];
  const twin = { ...other.detail, FQDN: one.detail.FQDN };
  const floating = sampleEvent({ subject: "floatingip" });
  await connected({}, async (plugin) => {
    await plugin.notify(one.detail, true, one.context);
    await plugin.notify(twin, true, other.context);
    await plugin.notify(floating.detail, true, floating.context);
  });
  const entry = async () => (await samba.entries(SERVERS, `(cn=${floating.detail.ID})`))[dnOf(floating.detail)];
  assert.equal(Object.keys(await samba.entries(SERVERS, "(objectClass=computer)")).length, 2);
  assert.ok((await entry())?.["networkaddress"]?.includes(`floating ${floating.detail.IP}`));
  await connected({}, (plugin) => plugin.notify(floating.detail, false, floating.context));
  assert.deepEqual((await entry())?.["networkaddress"], [`mac ${one.detail.MAC}`]);
  assert.deepEqual((await entry())?.["iphostnumber"], [one.detail.IP]);
});

test("names of accounts of config.ts are cut and cleaned, and one that is taken makes a dead letter", async () => {
  const { detail, context } = sampleEvent({ detail: { FQDN: `web*1"[a-very-long-name].example.com` } });
  const other = sampleEvent({ server: 2, detail: { FQDN: detail.FQDN } });
  await samba.ldif(
    `dn: cn=fileserver,cn=Computers,dc=example,dc=com\nobjectClass: computer\nsAMAccountName: fileserver$\nuserAccountControl: 4098`,
  );
  try {
    await connected({ attributes: { sAMAccountName: ({ FQDN }) => `${FQDN?.split(".")[0]}$` } }, async (plugin) => {
      await plugin.notify(detail, true, context);
      await assert.rejects(plugin.notify(other.detail, true, other.context), { name: "PermanentError" });
      const taken = { ...other.detail, FQDN: "fileserver" };
      await assert.rejects(plugin.notify(taken, true, other.context), { name: "PermanentError" });
    });
    const entries = await samba.entries(SERVERS, "(objectClass=computer)");
    assert.deepEqual(Object.values(entries).map(({ samaccountname }) => samaccountname), [["web-1--a-very-l$"]]);
    assert.ok(!("dnshostname" in Object.values(entries)[0]!));
  } finally {
    await samba.ldif("dn: cn=fileserver,cn=Computers,dc=example,dc=com\nchangetype: delete");
  }
});

test("the rights of docs/LDAP.md are enough, and reach no computer elsewhere", async () => {
  const { detail, context } = sampleEvent();
  await connected({ baseDn: "cn=Computers,dc=example,dc=com" }, async (plugin) => {
    await assert.rejects(async () => await plugin.notify(detail, true, context), /insufficientAccessRights/);
  });
});
