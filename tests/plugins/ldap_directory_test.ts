import assert from "node:assert/strict";
import { DeliveryError, type Detail, PermanentError } from "../../mod.ts";
import { dnValue } from "../../src/kit/mod.ts";
import { LdapDirectory } from "../../plugins/ldap_directory.ts";
import type { LdapDirectoryOptions } from "../../plugins/ldap_options.ts";
import { type Dirsrv, startDirsrv } from "../support/dirsrv.ts";
import { type Attributes, type LdapServer, type LdapServerFiles, SERVERS, WATCHER } from "../support/ldap_server.ts";
import { CODES, type Slapd, startSlapd } from "../support/slapd.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { KeptLog } from "../support/loggers.ts";
import { until } from "../support/until.ts";
import { TestPki } from "../wire/pki.ts";
import { closedPort } from "../wire/server.ts";
import { HOSTILE_TEXTS } from "./hostile_texts.ts";
import { context, detail } from "./notification.ts";

const UUID = "5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11";
const DN = `serialNumber=${UUID},${SERVERS}`;
const never = new AbortController().signal;
const association = context({
  subject: "floatingip",
  eventType: "floatingip.update.end",
  key: "floatingip/f/1/creation",
});

const web: Detail = {
  ...detail,
  FQDN: "web-1.example.com",
  IP: "10.0.0.5",
  Description: "The shop",
  Addresses: [{ address: "10.0.0.5", mac: "fa:16:3e:00:00:01", type: "fixed", network: "private", version: 4 }],
};
/** What an event says of a floating IP on {@linkcode web}. */
const floating: Detail = { ...web, IP: "203.0.113.7", IPType: "Public" };
const entryOfWeb: Attributes = {
  objectclass: ["device", "ieee802Device", "ipHost"],
  cn: ["web-1.example.com"],
  description: ["oss-watcher", "text The shop"],
  iphostnumber: ["10.0.0.5"],
  l: ["KDC"],
  macaddress: ["fa:16:3e:00:00:01"],
  serialnumber: [UUID],
};
const entryWithFloating: Attributes = {
  ...entryOfWeb,
  description: ["floating 203.0.113.7", "oss-watcher", "text The shop"],
  iphostnumber: ["10.0.0.5", "203.0.113.7"],
};

let pki: TestPki;
let client: { certFile: string; keyFile: string };
let slapd: Slapd;
let dirsrv: Dirsrv;

Deno.test.beforeAll(async () => {
  pki = await TestPki.make();
  const { certFile, keyFile } = await pki.issue("localhost");
  client = await pki.issue("watcher");
  const tls: LdapServerFiles = { ca: pki.caFile, cert: certFile, key: keyFile };
  [slapd, dirsrv] = await Promise.all([startSlapd({ tls }), startDirsrv({ tls })]);
});

Deno.test.afterAll(async () => {
  for (const one of [slapd, dirsrv, pki]) await one[Symbol.asyncDispose]();
});

/** One behaviour with every kind of server, which holds nothing of earlier tests. */
function withServers(name: string, behave: (server: LdapServer) => Promise<void>): void {
  for (const [kind, server] of [["slapd", () => slapd], ["389-ds", () => dirsrv]] as const) {
    Deno.test(`${name} (${kind})`, async () => {
      await server().clear();
      await behave(server());
    });
  }
}

function directory(server: LdapServer, options: Partial<LdapDirectoryOptions> = {}): LdapDirectory {
  return new LdapDirectory({ url: server.url, ...WATCHER, baseDn: SERVERS, ...options });
}

/** What the server holds of one entry, without the class that some servers add. */
async function held(server: LdapServer, dn = DN): Promise<Attributes | undefined> {
  const entry = await server.entry(dn);
  return entry && { ...entry, objectclass: (entry["objectclass"] ?? []).filter((name) => name !== "top") };
}

async function names(server: LdapServer): Promise<string[]> {
  return Object.keys(await server.entries()).filter((dn) => dn !== SERVERS).sort();
}

function isDeliveryError(reason: string, pattern = /^/): (error: unknown) => true {
  return (error) => {
    assert(error instanceof DeliveryError, String(error));
    assert.equal(error.reason, reason, error.message);
    assert.match(error.message, pattern);
    assert.ok(!error.message.includes(WATCHER.password));
    return true;
  };
}

withServers("notify() adds an entry when a server came, once however often it is told", async (server) => {
  await using plugin = directory(server);

  await plugin.notify(web, true, context());
  await plugin.notify(web, true, context({ attempt: 2 }));

  assert.deepEqual(await held(server), entryOfWeb);
  assert.deepEqual(await names(server), [DN]);
});

withServers("notify() adds an entry that any server's schema allows when the preset is device", async (server) => {
  await using plugin = directory(server, { preset: "device" });

  await plugin.notify(web, true, context());
  await plugin.notify(floating, true, association);

  assert.deepEqual(await held(server), {
    objectclass: ["device"],
    cn: ["web-1.example.com"],
    description: [
      "floating 203.0.113.7",
      "ip 10.0.0.5",
      "mac fa:16:3e:00:00:01",
      "os Ubuntu",
      "oss-watcher",
      "owner some_owner",
      "text The shop",
    ],
    l: ["KDC"],
    serialnumber: [UUID],
  });
});

withServers("notify() fills what its own attributes, names and parents say", async (server) => {
  await server.ldif(`dn: ou=KDC,${SERVERS}\nobjectClass: organizationalUnit`);
  await using plugin = directory(server, {
    objectClasses: ["device"],
    attributes: {
      ou: ({ ProjectName, AdditionalUsers }) => [ProjectName ?? "none", ...AdditionalUsers],
      ipHostNumber: () => null,
      MACAddress: () => null,
      DESCRIPTION: ({ Metadata }) => Metadata["__proto__"] ?? null,
    },
    addressAttribute: "o",
    rdn: ["cn", "serialNumber"],
    parent: ({ Datacenter }) => `ou=${dnValue(Datacenter ?? "none")}`,
    mark: "cloud 1",
  });

  await plugin.notify({ ...web, AdditionalUsers: ["ann", "Bob", "ANN"] }, true, context());
  await plugin.notify(floating, true, association);

  assert.deepEqual(await held(server, `cn=web-1.example.com+serialNumber=${UUID},ou=KDC,${SERVERS}`), {
    objectclass: ["device"],
    cn: ["web-1.example.com"],
    description: ["cloud 1"],
    l: ["KDC"],
    o: ["203.0.113.7"],
    ou: ["Bob", "ann", "none"],
    serialnumber: [UUID],
  });
});

withServers("notify() changes what its attributes say, and nothing else, when the entry is there", async (server) => {
  await using plugin = directory(server);
  await plugin.notify({ ...web, Datacenter: null, Description: "old" }, true, context());
  await server.ldif(`dn: ${DN}\nchangetype: modify\nadd: o\no: Inventory\n-\nadd: cn\ncn: alias\n-`);

  await plugin.notify(web, true, context());

  assert.deepEqual(await held(server), { ...entryOfWeb, o: ["Inventory"] });
});

withServers("notify() adds and removes floating IPs, once however often it is told", async (server) => {
  await using plugin = directory(server);
  await plugin.notify(web, true, context());

  await plugin.notify(floating, true, association);
  await plugin.notify(floating, true, association);
  assert.deepEqual(await held(server), entryWithFloating);
  await plugin.notify(web, true, context({ attempt: 2 }));
  assert.deepEqual(await held(server), entryWithFloating);
  await plugin.notify(floating, false, association);
  await plugin.notify(floating, false, association);

  assert.deepEqual(await held(server), entryOfWeb);
});

withServers("notify() makes an entry an ipHost only while it has an address", async (server) => {
  await using plugin = directory(server);

  await plugin.notify({ ...web, Addresses: [], IP: null }, true, context());
  assert.deepEqual((await held(server))?.["objectclass"], ["device", "ieee802Device"]);
  await plugin.notify(floating, true, association);
  assert.deepEqual((await held(server))?.["objectclass"], ["device", "ieee802Device", "ipHost"]);
  await plugin.notify(floating, false, association);

  const { iphostnumber: _, ...others } = entryOfWeb;
  assert.deepEqual(await held(server), { ...others, objectclass: ["device", "ieee802Device"] });
});

withServers("notify() writes a floating IP with its server when the association came first", async (server) => {
  await using plugin = directory(server);

  await plugin.notify({ ...floating, FQDN: null }, true, association);
  assert.deepEqual(await names(server), []);
  const floatingIps = [{ id: "f", address: "203.0.113.7", fixedAddress: "10.0.0.5" }];
  await plugin.notify({ ...web, FloatingIPs: floatingIps }, true, context());

  assert.deepEqual(await held(server), entryWithFloating);
});

withServers("notify() moves a floating IP from one server to another", async (server) => {
  await using plugin = directory(server);
  const other = { ...web, ID: "other", FQDN: "web-2.example.com", Addresses: [] };
  await plugin.notify(web, true, context());
  await plugin.notify(other, true, context());
  await plugin.notify(floating, true, association);

  await plugin.notify(floating, false, association);
  await plugin.notify({ ...other, IP: "203.0.113.7" }, true, association);

  assert.deepEqual(await held(server), entryOfWeb);
  assert.deepEqual((await held(server, `serialNumber=other,${SERVERS}`))?.["iphostnumber"], ["203.0.113.7"]);
});

withServers("notify() brings nothing back when a floating IP comes after its server went", async (server) => {
  await using plugin = directory(server);
  await plugin.notify(web, true, context());
  await plugin.notify(web, false, context());

  await plugin.notify(floating, true, association);
  await plugin.notify(floating, false, association);
  await plugin.notify({ ...floating, ID: null }, true, association);

  assert.deepEqual(await names(server), []);
});

withServers(
  "notify() removes the server's entry, whatever it is called by now, and may be told twice",
  async (server) => {
    await using plugin = directory(server, { rdn: ["cn"] });
    await plugin.notify(web, true, context());
    await server.ldif(`dn: ou=old,${SERVERS}\nobjectClass: organizationalUnit`);
    const move = `changetype: modrdn\nnewrdn: cn=renamed\ndeleteoldrdn: 1\nnewsuperior: ou=old,${SERVERS}`;
    await server.ldif(`dn: cn=web-1.example.com,${SERVERS}\n${move}`);

    await plugin.notify({ ...web, FQDN: "web-9.example.com" }, false, context());
    await plugin.notify(web, false, context());

    assert.deepEqual(await names(server), [`ou=old,${SERVERS}`]);
  },
);

withServers("notify() refuses for good, and changes nothing, when another's entry has the name", async (server) => {
  const foreign = `dn: cn=web-1.example.com,${SERVERS}\nobjectClass: device\ndescription: `;
  await using plugin = directory(server, { rdn: ["cn"] });
  for (const text of ["by hand", `by hand\nserialNumber: ${UUID}`, "oss-watcher\nserialNumber: another"]) {
    await server.clear();
    await server.ldif(foreign + text);
    const before = await server.entries();

    await assert.rejects(plugin.notify(web, true, context()), (error: unknown) => {
      assert(error instanceof PermanentError);
      assert.match(
        error.message,
        /^Cannot add "cn=web-1\.example\.com,ou=servers,dc=example,dc=com": an entry of this name/,
      );
      return true;
    });
    await plugin.notify(floating, true, association);
    await plugin.notify(web, false, context());

    assert.deepEqual(await server.entries(), before);
  }
});

withServers("notify() leaves an entry to which somebody has added others below it", async (server) => {
  await using plugin = directory(server);
  await plugin.notify(web, true, context());
  await server.ldif(`dn: cn=child,${DN}\nobjectClass: device`);

  await assert.rejects(plugin.notify(web, false, context()), isDeliveryError("client_error", /below it/));

  assert.equal((await names(server)).length, 2);
});

withServers("notify() keeps hostile texts as texts, in names as in values", async (server) => {
  const ou = (text: string) => `ou=${dnValue(text.replace(/[\0\ud800\udfff]/g, ""))}`;
  const parents = new Set(HOSTILE_TEXTS.map(([text]) => `dn:: ${base64(`${ou(text)},${SERVERS}`)}`));
  await server.ldif([...parents].map((dn) => `${dn}\nobjectClass: organizationalUnit\n`).join("\n"));
  await using plugin = directory(server, {
    rdn: ["cn", "serialNumber"],
    parent: ({ ApplicationName }) => ou(ApplicationName ?? ""),
  });
  const hostile = HOSTILE_TEXTS.map(([text], index) => {
    const words = { FQDN: text, Description: text, Datacenter: text, MAC: text, ApplicationName: text };
    return { ...web, ...words, ID: `server-${index}`, Metadata: JSON.parse(`{"__proto__": "x"}`) };
  });

  for (const one of hostile) {
    await plugin.notify(one, true, context());
    await plugin.notify(one, true, context());
    await plugin.notify({ ...one, IP: one.FQDN }, true, association);
  }

  const entries = Object.values(await server.entries(SERVERS, "(objectClass=device)"));
  const heldById = entries.map(({ serialnumber, cn, l, description, macaddress, iphostnumber }) => [
    serialnumber?.[0],
    { cn, l, description, macaddress, iphostnumber },
  ]);
  const expected = HOSTILE_TEXTS.map(([, kept], index) => [`server-${index}`, {
    cn: [kept],
    l: [kept],
    description: [`floating ${kept}`, "oss-watcher", `text ${kept}`].sort(),
    macaddress: ["fa:16:3e:00:00:01"],
    iphostnumber: ["10.0.0.5"],
  }]);
  assert.deepEqual(Object.fromEntries(heldById), Object.fromEntries(expected));
  assert.equal(entries.length, HOSTILE_TEXTS.length);
  for (const one of hostile) await plugin.notify(one, false, context());
  assert.deepEqual(await server.entries(SERVERS, "(objectClass=device)"), {});
});

withServers("notify() cuts what is too long, and leaves out what is empty", async (server) => {
  await using plugin = directory(server, { rdn: ["cn"] });
  for (const unit of ["x", "東", "😀", ",", "ﷺ", "\0"]) {
    await server.clear();
    const long = unit.repeat(65_536);

    await plugin.notify({ ...web, FQDN: long, Description: long, Datacenter: " \t " }, true, context());

    const [entry] = Object.values(await server.entries(SERVERS, "(objectClass=device)"));
    const [cn = ""] = entry?.["cn"] ?? [];
    assert.ok(cn.length > 5 && cn.length <= 220, String(cn.length));
    const text = entry?.["description"]?.find((value) => value !== "oss-watcher") ?? "";
    assert.ok(text.endsWith("…") && text.length > 1000 && text.length <= 1024, String(text.length));
    assert.equal(entry?.["l"], undefined);
    await plugin.notify(web, false, context());
    assert.deepEqual(await names(server), []);
  }
});

withServers(
  "notify() adds no second entry when a creation comes again under another name or parent",
  async (server) => {
    await server.ldif(["a", "b"].map((ou) => `dn: ou=${ou},${SERVERS}\nobjectClass: organizationalUnit\n`).join("\n"));
    const ways: Partial<LdapDirectoryOptions>[] = [
      { rdn: ["cn"] },
      { rdn: ["serialNumber", "cn"] },
      { parent: ({ Datacenter }) => Datacenter === null ? "" : `ou=${Datacenter}` },
    ];
    for (const options of ways) {
      await using plugin = directory(server, options);
      await plugin.notify({ ...web, FQDN: "old.example.com", Datacenter: "a" }, true, context());
      const [first] = Object.keys(await server.entries(SERVERS, "(objectClass=device)"));

      for (const Datacenter of ["b", null]) {
        await plugin.notify({ ...web, Datacenter }, true, context());

        const entries = await server.entries(SERVERS, "(objectClass=device)");
        assert.deepEqual(Object.keys(entries), [first]);
        assert.deepEqual(entries[first ?? ""]?.["l"], Datacenter === null ? undefined : [Datacenter]);
      }
      await plugin.notify(web, false, context());
      assert.deepEqual(await server.entries(SERVERS, "(objectClass=device)"), {});
    }
  },
);

withServers(
  "notify() leaves nothing of what is no longer true when a creation comes again, but floating IPs",
  async (server) => {
    const old: Detail = {
      ...web,
      Description: "The old shop, floating 198.51.100.1",
      Owner: "old",
      OS: "CirrOS",
      MAC: null,
      Addresses: [{ address: "10.0.0.4", mac: "fa:16:3e:00:00:04", type: "fixed", network: "private", version: 4 }],
      FloatingIPs: [{ id: "g", address: "203.0.113.8", fixedAddress: null }],
    };
    for (
      const [options, expected] of [
        [{}, {
          ...entryOfWeb,
          description: ["floating 203.0.113.7", "floating 203.0.113.8", "oss-watcher", "text The shop"],
          iphostnumber: ["10.0.0.5", "203.0.113.7", "203.0.113.8"],
        }],
        [{ preset: "device" }, {
          objectclass: ["device"],
          cn: ["web-1.example.com"],
          description: [
            "floating 203.0.113.7",
            "floating 203.0.113.8",
            "ip 10.0.0.5",
            "mac fa:16:3e:00:00:01",
            "os Ubuntu",
            "oss-watcher",
            "owner some_owner",
            "text The shop",
          ],
          l: ["KDC"],
          serialnumber: [UUID],
        }],
      ] as const
    ) {
      await server.clear();
      await using plugin = directory(server, options);
      await plugin.notify(old, true, context());
      await plugin.notify(floating, true, association);

      await plugin.notify(web, true, context());
      assert.deepEqual(await held(server), expected);

      // Both leave by events of their own, whichever way they came.
      await plugin.notify(floating, false, association);
      await plugin.notify({ ...floating, IP: "203.0.113.8" }, false, association);
      await plugin.notify({ ...floating, IP: "203.0.113.9" }, true, association);
      await plugin.notify({ ...floating, IP: "203.0.113.9" }, false, association);
      await plugin.notify(web, true, context());
      const { iphostnumber, description } = await held(server) ?? {};
      assert.deepEqual(iphostnumber ?? ["10.0.0.5"], ["10.0.0.5"]);
      assert.ok(!description?.some((value) => value.startsWith("floating")), String(description));
    }
  },
);

withServers("notify() keeps floating IPs in an attribute of one's own, and in no other", async (server) => {
  await using plugin = directory(server, { addressAttribute: "o" });
  const floatingIps = [{ id: "g", address: "203.0.113.8", fixedAddress: null }];

  await plugin.notify({ ...web, FloatingIPs: floatingIps }, true, context());
  await plugin.notify(floating, true, association);
  await plugin.notify({ ...web, FloatingIPs: floatingIps }, true, context());
  assert.deepEqual(await held(server), { ...entryOfWeb, o: ["203.0.113.7", "203.0.113.8"] });
  await plugin.notify(floating, false, association);
  await plugin.notify({ ...floating, IP: "203.0.113.8" }, false, association);

  assert.deepEqual(await held(server), entryOfWeb);
});

withServers("notify() never takes what a tenant writes for a mark or an ID", async (server) => {
  const hostile = {
    ...web,
    FQDN: "victim",
    Description: "cloud-b",
    Owner: "cloud-b",
    OS: "cloud-b",
    Datacenter: "victim",
  };
  for (const preset of ["host", "device"] as const) {
    await server.clear();
    await using ours = directory(server, { preset });
    await using theirs = directory(server, { preset, mark: "cloud-b" });
    await using named = directory(server, { preset, idAttribute: "cn", markAttribute: "l", mark: "cloud-c" });
    await using marked = directory(server, { preset, idAttribute: "cn", markAttribute: "l", mark: "victim" });
    await ours.notify(hostile, true, context());
    await named.notify({ ...hostile, ID: "attacker" }, true, context());
    const before = await server.entries();

    await theirs.notify(floating, true, association);
    await theirs.notify(web, false, context());
    await named.notify({ ...floating, ID: "victim" }, true, association);
    await named.notify({ ...web, ID: "victim" }, false, context());
    await marked.notify({ ...web, ID: "attacker" }, false, context());

    assert.deepEqual(await server.entries(), before);
    assert.equal(Object.keys(before).length, 3);
  }
});

withServers("notify() names a function of config.ts that makes a mistake, and adds nothing", async (server) => {
  const throws = () => {
    throw new Error("no \x1b[2J such key, password=hush-4711");
  };
  const threw = "threw: no \\u{1b}[2J such key, password=***";
  const mistakes: readonly (readonly [options: unknown, option: string, state: string])[] = [
    [{ attributes: { l: throws } }, "attributes.l", threw],
    [
      { attributes: { CN: () => undefined } },
      "attributes.CN",
      "returned nothing; it must return a text, a list of texts, or null",
    ],
    [{ attributes: { l: () => 5 } }, "attributes.l", "returned the number 5; it must return a text, a list"],
    [{ attributes: { l: () => ["a", null] } }, "attributes.l", "returned a list that holds null; it must"],
    [
      { attributes: { l: () => Promise.resolve("a") } },
      "attributes.l",
      "returned a promise: it must not be async; it must",
    ],
    [{ parent: throws }, "parent", threw],
    [{ parent: () => undefined }, "parent", `returned nothing; it must return a distinguished name, or ""`],
    [{ parent: () => "no\nname" }, "parent", `returned the text "no\\u{a}name"; it must`],
    [{ parent: () => 0 }, "parent", "returned the number 0; it must"],
  ];
  for (const [options, option, state] of mistakes) {
    await using plugin = directory(server, { name: "Inventory", ...options as LdapDirectoryOptions });
    const isRight = (error: unknown) => {
      assert(error instanceof PermanentError);
      const expected = `Cannot make ${option} of Inventory: its function in config.ts ${state}`;
      assert.ok(error.message.startsWith(expected), error.message);
      assert.doesNotMatch(Deno.inspect(error), /hush/);
      return true;
    };
    await assert.rejects(plugin.notify(web, true, context()), isRight);
    await assert.rejects(plugin.preview(web, true, context()), isRight);
    await plugin.notify(web, false, context());
  }
  assert.deepEqual(await names(server), []);
});

Deno.test("notify() and preview() say what they leave out", async () => {
  const log = new KeptLog();
  await using plugin = directory(slapd, { attributes: { ou: ({ AdditionalUsers }) => AdditionalUsers } });
  await slapd.clear();
  const odd: Detail = {
    ...web,
    IP: "x",
    MAC: "not a MAC",
    AdditionalUsers: ["", ...Array.from({ length: 300 }, (_, index) => `user-${index}`)],
    Addresses: [{ address: "no address", mac: null, type: null, network: null, version: null }],
  };

  assert.ok(
    (await plugin.preview(odd, true, context())).startsWith(
      "# left out: what does not fit into ipHostNumber: 1\n# left out: what does not fit into macAddress: 1\n# left out: what does not fit into ou: 44\ndn: ",
    ),
  );
  await plugin.notify(odd, true, context({ log }));

  assert.deepEqual(
    log.lines,
    ["ipHostNumber: 1", "macAddress: 1", "ou: 44"].map((what) =>
      `info LdapDirectory: left out of ${UUID} what does not fit into ${what}`
    ),
  );
});

withServers("notify() gives up at once what the schema forbids", async (server) => {
  const wrong: Partial<LdapDirectoryOptions>[] = [
    { objectClasses: ["device", "noSuchClass"] },
    { objectClasses: ["ieee802Device"] },
    { attributes: { noSuchAttribute: () => "x" } },
    { attributes: { mail: () => "x" } },
    { attributes: { owner: () => "no name of anything" } },
    { attributes: { cn: () => "" }, rdn: ["cn"] },
  ];
  for (const options of wrong) {
    await using plugin = directory(server, options);
    await assert.rejects(plugin.notify(web, true, context()), PermanentError, JSON.stringify(options));
  }
  await using plugin = directory(server);
  for (const ID of [null, "", " a", "a\0b", "ü", "x".repeat(300)]) {
    await assert.rejects(plugin.notify({ ...web, ID }, true, context()), PermanentError);
  }
  assert.deepEqual(await names(server), []);
});

/** What a server may say to an addition, and what becomes of it. */
const ANSWERS: Readonly<Record<number, string>> = {
  1: "server_error",
  2: "permanent",
  3: "timeout",
  8: "unauthorized",
  11: "server_error",
  13: "unauthorized",
  17: "permanent",
  19: "permanent",
  20: "other",
  21: "permanent",
  32: "client_error",
  34: "permanent",
  50: "unauthorized",
  51: "server_error",
  52: "server_error",
  53: "server_error",
  64: "permanent",
  65: "permanent",
  68: "permanent",
  71: "permanent",
  80: "server_error",
};

Deno.test("notify() gives up, or has it tried again, as the server's answer says", async () => {
  await using server = await startSlapd({ codes: Object.keys(ANSWERS).map(Number) });
  await using plugin = directory(server, { baseDn: CODES });
  for (const [code, expected] of Object.entries(ANSWERS)) {
    await assert.rejects(plugin.notify({ ...web, ID: `code-${code}` }, true, context()), (error: unknown) => {
      assert(error instanceof DeliveryError || error instanceof PermanentError);
      assert.equal(error instanceof DeliveryError ? error.reason : "permanent", expected, error.message);
      if (code !== "68") assert.match(error.message, new RegExp(`\\(${code}\\): "says the server"`));
      return true;
    });
  }
});

withServers("notify() says what to do when the place of the entries is missing", async (server) => {
  await using plugin = directory(server, { baseDn: `ou=missing,${SERVERS}` });

  await assert.rejects(
    plugin.notify(web, true, context()),
    isDeliveryError("client_error", /noSuchObject \(32\).*create it/),
  );
  await assert.rejects(plugin.notify(web, false, context()), isDeliveryError("client_error", /noSuchObject/));
  await assert.rejects(plugin.check(never), isDeliveryError("client_error", /noSuchObject/));
});

withServers("notify() waits for better rights and passwords", async (server) => {
  await using stranger = directory(server, { password: "s3cret-but-wrong" });
  await using guest = directory(server, { baseDn: "dc=example,dc=com" });

  await assert.rejects(stranger.notify(web, true, context()), (error: unknown) => {
    assert.doesNotMatch(String(error), /s3cret/);
    return isDeliveryError(
      "unauthorized",
      /^Cannot bind to ldap:\/\/localhost:\d+ as "cn=watcher,.*invalidCredentials \(49\)/,
    )(error);
  });
  await assert.rejects(
    guest.notify(web, true, context()),
    isDeliveryError("unauthorized", /insufficientAccessRights \(50\)/),
  );
});

withServers("notify() does not follow referrals, and tries the next server", async (server) => {
  const referral = `ldap://localhost:${closedPort()}/`;
  const refuseWrites = (state: string) =>
    server.ldif(`dn: cn="dc=example,dc=com",cn=mapping tree,cn=config
changetype: modify
replace: nsslapd-state
nsslapd-state: ${state}
-
replace: nsslapd-referral
nsslapd-referral: ${referral}
-`);
  await (server === dirsrv ? refuseWrites("referral on update") : server.ldif(
    `dn: ou=away,${SERVERS}\nobjectClass: referral\nobjectClass: extensibleObject\nou: away\nref: ${referral}`,
    ["-M"],
  ));
  await using proxy = new TcpProxy(server.port);
  const url = [server.url, `ldap://localhost:${proxy.port}`];
  await using plugin = directory(server, { url, parent: () => server === dirsrv ? "" : "ou=away" });

  await assert.rejects(
    plugin.notify(web, true, context()),
    isDeliveryError("server_error", /referral \(10\).*not followed/),
  );
  await assert.rejects(plugin.notify(web, true, context()), isDeliveryError("server_error", /referral \(10\)/));

  assert.equal(proxy.connections, 1);
  if (server === dirsrv) await refuseWrites("backend");
});

withServers("notify() trusts the authority of caFile, over LDAPS and StartTLS", async (server) => {
  for (const options of [{ url: server.tlsUrl }, { startTls: true }]) {
    await server.clear();
    await using plugin = directory(server, { caFile: pki.caFile, ...options });

    await plugin.notify(web, true, context());
    await plugin.check(never);

    assert.deepEqual(await held(server), entryOfWeb);
  }
});

withServers("notify() sends no password to a server whose certificate is not to be trusted", async (server) => {
  await using other = await TestPki.make();
  const stranger = { caFile: other.caFile };
  const atAddress = { caFile: pki.caFile, url: server.url.replace("localhost", "127.0.0.1") };
  const wrong: Partial<LdapDirectoryOptions>[] = [
    { url: server.tlsUrl },
    { url: server.tlsUrl, ...stranger },
    { startTls: true },
    { startTls: true, ...stranger },
    { ...atAddress, url: server.tlsUrl.replace("localhost", "127.0.0.1") },
    { ...atAddress, startTls: true },
    { url: server.tlsUrl, caFile: "/no/such/file" },
    { url: server.tlsUrl, caFile: "/etc/hostname" },
  ];
  for (const options of wrong) {
    await using plugin = directory(server, options);
    await assert.rejects(plugin.notify(web, true, context()), isDeliveryError("connection"));
  }
  assert.deepEqual(await names(server), []);
});

withServers("notify() is who its certificate says with SASL EXTERNAL", async (server) => {
  const { bindDn: _, password: __, ...nobody } = { ...WATCHER, url: server.url, baseDn: SERVERS };
  for (const how of [{ url: server.tlsUrl }, { startTls: true }]) {
    await server.clear();
    await using plugin = new LdapDirectory({
      ...nobody,
      sasl: "EXTERNAL",
      caFile: pki.caFile,
      certFile: client.certFile,
      keyFile: client.keyFile,
      ...how,
    });

    await plugin.notify(web, true, context());

    assert.deepEqual(await held(server), entryOfWeb);
  }
});

withServers("notify() shares one connection among many at once", async (server) => {
  await using proxy = new TcpProxy(server.port);
  await using plugin = directory(server, { url: `ldap://localhost:${proxy.port}` });
  const ids = Array.from({ length: 100 }, (_, index) => `server-${index}`);

  await Promise.all(ids.map((ID) => plugin.notify({ ...web, ID }, true, context())));

  assert.deepEqual([(await names(server)).length, proxy.connections], [100, 1]);
});

withServers("notify() connects again when the server was restarted during delivery", async (server) => {
  for (const options of [{}, { startTls: true, caFile: pki.caFile }]) {
    await server.clear();
    await using plugin = directory(server, options);
    const ids = Array.from({ length: 60 }, (_, index) => `server-${index}`);
    let failures = 0;
    let stopped: Promise<void> | undefined;
    for (const [index, ID] of ids.entries()) {
      if (index === 20) stopped = server.stop().then(() => server.start());
      for (let isDone = false; !isDone;) {
        await plugin.notify({ ...web, ID }, true, context()).then(() => isDone = true, (error) => {
          failures++;
          isDeliveryError("connection")(error);
          return new Promise((resolve) => setTimeout(resolve, 10));
        });
      }
    }
    await stopped;

    assert.ok(failures > 0);
    assert.equal((await names(server)).length, 60);
  }
});

withServers("notify() tries the next server when one is not there, or does not answer", async (server) => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const urls = [`ldap://localhost:${closedPort()}`, `ldap://localhost:${silent.addr.port}`, server.url];
  await using plugin = directory(server, { url: urls, connectTimeoutSeconds: 0.3 });

  await plugin.notify(web, true, context());

  assert.deepEqual(await held(server), entryOfWeb);
});

withServers("notify() goes on with the next server when the one in use goes away or falls silent", async (server) => {
  let isSilent = false;
  await using first = new TcpProxy(server.port, () => isSilent ? "stall" : "pass");
  const urls = [`ldap://localhost:${first.port}`, server.url];
  await using plugin = directory(server, { url: urls, timeoutSeconds: 0.5 });
  await plugin.notify(web, true, context());

  isSilent = true;
  await assert.rejects(plugin.notify(web, false, context()), isDeliveryError("timeout", /no answer within 0\.5 s/));
  await plugin.notify(web, false, context());

  assert.deepEqual(await names(server), []);
});

Deno.test("notify() names every server when none is there", async () => {
  const urls = [closedPort(), closedPort()].map((port) => `ldap://localhost:${port}`);
  await using plugin = new LdapDirectory({ url: urls, ...WATCHER, baseDn: SERVERS });

  await assert.rejects(plugin.notify(web, true, context()), (error: unknown) => {
    for (const url of urls) assert.ok(String(error).includes(`Cannot connect to ${url}: `), String(error));
    return isDeliveryError("connection")(error);
  });
});

withServers("notify() ends when its signal is aborted, and leaves nothing that happens later", async (server) => {
  await using proxy = new TcpProxy(server.port, () => fates.shift() ?? "pass");
  const fates: ("pass" | "stall")[] = ["pass", "stall"];
  await using plugin = directory(server, { url: `ldap://localhost:${proxy.port}` });
  const stop = new AbortController();

  await assert.rejects(
    plugin.notify(web, true, context({ signal: AbortSignal.abort() })),
    isDeliveryError("interrupted"),
  );
  setTimeout(() => stop.abort(), 100);
  await assert.rejects(plugin.notify(web, true, context({ signal: stop.signal })), isDeliveryError("interrupted"));
  assert.deepEqual(await names(server), []);
  await plugin.notify(web, true, context());

  assert.deepEqual([await names(server), proxy.connections], [[DN], 2]);
});

/** A proxy that lets everything pass, and from when it is told to only what opens a connection. */
function silencing(server: LdapServer) {
  let isSilent = false;
  let bound = 0;
  let stalled = 0;
  const fate = () => {
    const isNew = proxy.connections > bound;
    bound = proxy.connections;
    if (!isSilent || isNew) return "pass";
    stalled++;
    return "stall";
  };
  const proxy: TcpProxy = new TcpProxy(server.port, fate);
  return {
    url: `ldap://localhost:${proxy.port}`,
    connections: () => proxy.connections,
    set: (silent: boolean) => {
      isSilent = silent;
      stalled = 0;
    },
    stalls: () => until(() => stalled > 0),
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

for (const reason of ["interrupted", "timeout"]) {
  withServers(
    `notify() is done on a new connection when another's ${reason} closes the one it uses`,
    async (server) => {
      await using proxy = silencing(server);
      await using plugin = directory(server, { url: proxy.url, timeoutSeconds: reason === "timeout" ? 0.5 : 10 });
      await plugin.check(never);
      proxy.set(true);

      const stop = new AbortController();
      const ended = plugin.notify({ ...web, ID: "ended" }, true, context({ signal: stop.signal }));
      const rejected = assert.rejects(ended, isDeliveryError(reason)).finally(() => proxy.set(false));
      const neighbours = ["a", "b"].map((ID) => plugin.notify({ ...web, ID }, true, context()));
      await proxy.stalls();
      if (reason === "interrupted") stop.abort();
      await Promise.all([rejected, ...neighbours]);

      assert.deepEqual(await names(server), ["a", "b"].map((ID) => `serialNumber=${ID},${SERVERS}`));
      assert.equal(proxy.connections(), 2);
    },
  );
}

withServers("notify() does not blame the connection when others' ends close it time and again", async (server) => {
  await using proxy = silencing(server);
  await using plugin = directory(server, { url: proxy.url });
  await plugin.check(never);
  proxy.set(true);

  const neighbour = assert.rejects(
    plugin.notify(web, true, context()),
    isDeliveryError("other", /^Cannot add "serialNumber=.*: another operation on the same connection was cut off$/),
  );
  for (const _ of [1, 2]) {
    const stop = new AbortController();
    const ended = plugin.notify({ ...web, ID: "ended" }, true, context({ signal: stop.signal }));
    await proxy.stalls();
    proxy.set(true);
    stop.abort();
    await assert.rejects(ended, isDeliveryError("interrupted"));
  }

  await neighbour;
  assert.equal(proxy.connections(), 2);
});

withServers("[Symbol.asyncDispose]() closes the connection, and a later event opens a new one", async (server) => {
  const plugin = directory(server);
  await plugin.notify(web, true, context());
  await plugin[Symbol.asyncDispose]();

  await plugin.notify(web, false, context());
  await plugin[Symbol.asyncDispose]();

  assert.deepEqual(await names(server), []);
});

withServers("preview() is LDIF that does what notify() does", async (server) => {
  await using plugin = directory(server, { rdn: ["cn", "serialNumber"] });
  const hostile = HOSTILE_TEXTS.map(([text], index) => ({
    ...web,
    ID: `server-${index}`,
    FQDN: text,
    Description: text,
  }));
  const previews = await Promise.all(hostile.map((one) => plugin.preview(one, true, context())));
  for (const one of hostile) await plugin.notify(one, true, context());
  const notified = await server.entries();
  await server.clear();

  await server.ldif(previews.join("\n\n"));

  assert.deepEqual(await server.entries(), notified);
});

Deno.test("preview() shows records of LDIF, and no secret", async () => {
  await using plugin = new LdapDirectory({ url: "ldap://localhost:1", ...WATCHER, baseDn: SERVERS });
  const found =
    `# the entry that (&(serialNumber=${UUID})(description=oss-watcher)) finds below ${SERVERS}, if there is one`;

  assert.equal(
    await plugin.preview({ ...web, Description: "Grüße" }, true, context()),
    `dn: ${DN}
changetype: add
objectClass: device
objectClass: ipHost
objectClass: ieee802Device
serialNumber: ${UUID}
description: oss-watcher
# description: text Grüße
description:: dGV4dCBHcsO8w59l
cn: web-1.example.com
l: KDC
ipHostNumber: 10.0.0.5
macAddress: fa:16:3e:00:00:01`,
  );
  assert.equal(await plugin.preview(web, false, context()), `${found}\ndn: (its name)\nchangetype: delete`);
  assert.equal(
    await plugin.preview(floating, true, association),
    `${found}\ndn: (its name)\nchangetype: modify\nadd: ipHostNumber\nipHostNumber: 203.0.113.7\n-\nadd: description\ndescription: floating 203.0.113.7\n-`,
  );
  assert.equal(
    await plugin.preview(floating, false, association),
    `${found}\ndn: (its name)\nchangetype: modify\ndelete: ipHostNumber\nipHostNumber: 203.0.113.7\n-\ndelete: description\ndescription: floating 203.0.113.7\n-`,
  );
  assert.equal(
    await plugin.preview({ ...floating, ID: null }, true, association),
    "# nothing: the address is no server's",
  );
});

withServers("check() says what the directory's schema lacks", async (server) => {
  await using good = directory(server);
  await using bad = directory(server, {
    objectClasses: ["device", "noSuchClass"],
    attributes: { noSuchAttribute: () => null },
  });

  await good.check(never);
  await assert.rejects(bad.check(never), /schema lacks noSuchClass, noSuchAttribute/);
});

Deno.test("check() and the preset device work with OpenLDAP's core schema alone", async () => {
  await using core = await startSlapd({ schemas: ["core", "cosine"] });
  await using host = directory(core);
  await using device = directory(core, { preset: "device" });

  await assert.rejects(host.check(never), /schema lacks ipHost, ieee802Device, ipHostNumber, macAddress/);
  await assert.rejects(host.notify(web, true, context()), PermanentError);
  await device.check(never);
  await device.notify(web, true, context());

  assert.deepEqual(await names(core), [DN]);
});

const right = { url: "ldaps://localhost", ...WATCHER, baseDn: SERVERS };

for (
  const [options, problems] of [
    [{}, ["url: must be ldaps:", "baseDn: must", "bindDn: needed, or sasl"]],
    [{ ...right, url: [], name: "", baseDn: "servers" }, ["url: must be ldaps:", "name: must", "baseDn: must"]],
    [{ ...right, url: "ldap://user@localhost/dc=x" }, ["url: must be ldaps:"]],
    [{ ...right, url: ["ldaps://a", "http://b"] }, ["url: must be ldaps:"]],
    [{ ...right, password: "" }, ["password: must be a text"]],
    [{ ...right, password: undefined }, ["bindDn: needs password"]],
    [{ ...right, startTls: true, timeoutSeconds: 0 }, ["startTls: is for ldap:", "timeoutSeconds: must"]],
    [{ ...right, url: "ldap://a", caFile: "ca", certFile: "c" }, [
      "caFile: needs",
      "certFile: needs ldaps",
      "certFile: needs keyFile",
    ]],
    [{ ...right, sasl: "GSSAPI" }, [`sasl: must be "EXTERNAL"`, "sasl: only without bindDn", "sasl: needs certFile"]],
    [{ ...right, preset: "toString", mark: "a  b" }, ["preset: must", "mark: must"]],
    [{ ...right, attributes: { "a_b": () => null }, objectClasses: [] }, ["attributes: must", "objectClasses: must"]],
    [{ ...right, attributes: { cn: "x" }, rdn: ["uid"] }, ["attributes: must", "rdn: must"]],
    [{ ...right, parent: "ou=x", idAttribute: "a b", markAttribute: 1 }, [
      "parent: must",
      "idAttribute: must",
      "markAttribute: must",
    ]],
    [{ ...right, attributes: { SerialNumber: () => "x" }, mark: "Text shop" }, [
      "attributes: must leave",
      "mark: must",
    ]],
    [{ ...right, idAttribute: "Description" }, ["idAttribute: must hold neither"]],
    [{ ...right, idAttribute: "commonName", attributes: { localityName: () => null } }, [
      "attributes: must be an object of short names",
      "idAttribute: must be the short name",
    ]],
    [{ ...right, rdn: ["cn", "CN"] }, ["rdn: must"]],
    [{ ...right, addressAttribute: "", pasword: "s3cret" }, ["addressAttribute: must", "pasword: unknown option"]],
  ] as const
) {
  Deno.test(`new LdapDirectory() names every wrong option when they are ${JSON.stringify(options)}`, () => {
    assert.throws(() => new LdapDirectory(options as unknown as LdapDirectoryOptions), (error: unknown) => {
      assert(error instanceof TypeError);
      for (const problem of problems) assert.ok(error.message.includes(problem), error.message);
      assert.equal(
        error.message.replace(/^Cannot make LdapDirectory: /, "").split("; ").filter((part) => /^\w+: /.test(part))
          .length,
        problems.length,
        error.message,
      );
      assert.doesNotMatch(error.message, /s3cret|watcher-password/);
      return true;
    });
  });
}

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
