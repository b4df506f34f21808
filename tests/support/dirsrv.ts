import { ADMIN_PASSWORD, BASE, LdapServer, type LdapServerFiles, ROOT, SERVERS, TREE, WATCHER } from "./ldap_server.ts";
import { program, tool } from "./tool.ts";

export interface DirsrvOptions {
  /** Listen with TLS too, and trust client certificates of the same authority. */
  readonly tls?: LdapServerFiles | null;
  /** Write as safely as in production. @default false */
  readonly durable?: boolean;
  /** It holds nothing but its suffix, and nobody has any rights. @default false */
  readonly fresh?: boolean;
  /** LDIF of a further schema. @default none */
  readonly schema?: string;
}

/** Starts a private 389 Directory Server, as `dscreate` would set it up. */
export async function startDirsrv(options: DirsrvOptions = {}): Promise<Dirsrv> {
  const { tls = null, durable = false, fresh = false, schema = "" } = options;
  const server = new Dirsrv({ tls, durable, schema });
  try {
    await server.setUpCertificates(tls);
    await server.start();
    await server.ldif(BACKEND);
    await server.ldif(fresh ? ROOT : `${TREE}${ACCESS}`);
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

/** 389 Directory Server, with one database. `dscreate` itself wants systemd and writes into /etc and /var: this fills in the same template. */
export class Dirsrv extends LdapServer {
  override readonly name = "389-ds";
  protected override readonly adminDn = "cn=Directory Manager";

  constructor({ tls, durable, schema }: Required<Omit<DirsrvOptions, "fresh">>) {
    super();
    for (const folder of ["lock", "tmp", "ldif", "bak", "run", "log", "db", "conf"]) {
      Deno.mkdirSync(`${this.dir}/${folder}`);
    }
    Deno.mkdirSync(`${this.dir}/conf/schema`);
    for (const { name } of Deno.readDirSync("/etc/dirsrv/schema")) {
      Deno.copyFileSync(`/etc/dirsrv/schema/${name}`, `${this.dir}/conf/schema/${name}`);
    }
    if (schema !== "") Deno.writeTextFileSync(`${this.dir}/conf/schema/98more.ldif`, schema);
    Deno.copyFileSync("/etc/dirsrv/config/slapd-collations.conf", `${this.dir}/conf/slapd-collations.conf`);
    // Who a client certificate belongs to: the entry with its common name.
    Deno.writeTextFileSync(
      `${this.dir}/conf/certmap.conf`,
      "certmap default default\ndefault:DNComps\ndefault:FilterComps cn\n",
    );
    const own = {
      "nsslapd-port": [
        "nsslapd-listenhost: 127.0.0.1",
        "nsslapd-securelistenhost: 127.0.0.1",
        `nsslapd-secureport: ${this.tlsPort}`,
        `nsslapd-security: ${tls === null ? "off" : "on"}`,
        // The default takes 70 ms of CPU for each bind.
        "passwordStorageScheme: CLEAR",
        "nsslapd-enable-upgrade-hash: off",
      ],
      "nsslapd-backend-implement": [
        "nsslapd-cache-autosize: 0",
        "nsslapd-dbcachesize: 10000000",
        `nsslapd-db-durable-transaction: ${durable ? "on" : "off"}`,
      ],
    };
    const template = Deno.readTextFileSync("/usr/share/dirsrv/data/template-dse.ldif");
    const filled = template.replace(/%(\w+)%/g, (_, name) => this.#values()[name] ?? "");
    const config = Object.entries(own).reduce(
      (text, [after, lines]) => text.replace(new RegExp(`^${after}:.*$`, "m"), (line) => [line, ...lines].join("\n")),
      filled,
    );
    Deno.writeTextFileSync(`${this.dir}/conf/dse.ldif`, `${config.trimEnd()}\n\n${INDEX}`);
  }

  /** Puts certificates into the database of NSS, without which the server does not start. */
  async setUpCertificates(tls: LdapServerFiles | null): Promise<void> {
    const database = ["-d", `sql:${this.dir}/conf`];
    await succeeds("certutil", ["-N", ...database, "--empty-password"]);
    if (tls === null) return;
    const bundle = `${this.dir}/server.p12`;
    const names = ["-inkey", tls.key, "-in", tls.cert, "-name", "Server-Cert"];
    await succeeds("openssl", ["pkcs12", "-export", ...names, "-out", bundle, "-passout", "pass:"]);
    await succeeds("pk12util", ["-i", bundle, ...database, "-W", "", "-K", ""]);
    await succeeds("certutil", ["-A", ...database, "-n", "CA", "-t", "CT,C,C", "-a", "-i", tls.ca]);
  }

  /** It knows only one answer: `unwillingToPerform` (53), to every change, of a database that is read-only. */
  override async answer(_rdn: string, code: number | null): Promise<void> {
    const state = code === null ? "off" : "on";
    const database = "cn=userRoot,cn=ldbm database,cn=plugins,cn=config";
    await this.ldif(
      `dn: ${database}\nchangetype: modify\nreplace: nsslapd-readonly\nnsslapd-readonly: ${state}\n-`,
    );
  }

  protected override command(): readonly string[] {
    return [program("ns-slapd"), "-D", `${this.dir}/conf`, "-i", `${this.dir}/run/pid`, "-d", "0"];
  }

  #values(): Record<string, string> {
    const { dir, port, adminDn } = this;
    return {
      schema_dir: `${dir}/conf/schema`,
      lock_dir: `${dir}/lock`,
      tmp_dir: `${dir}/tmp`,
      cert_dir: `${dir}/conf`,
      ldif_dir: `${dir}/ldif`,
      bak_dir: `${dir}/bak`,
      run_dir: `${dir}/run`,
      inst_dir: dir,
      log_dir: `${dir}/log`,
      config_dir: `${dir}/conf`,
      db_dir: `${dir}/db`,
      db_home_dir: `${dir}/db`,
      db_lib: "bdb",
      fqdn: "localhost",
      ds_port: String(port),
      ds_user: userName(),
      ds_suffix: BASE,
      rootdn: adminDn,
      ds_passwd: `{CLEAR}${ADMIN_PASSWORD}`,
      ldapi_enabled: "off",
      ldapi: `${dir}/ldapi`,
      ldapi_autobind: "off",
    };
  }
}

function userName(): string {
  const { stdout } = new Deno.Command("id", { args: ["-un"] }).outputSync();
  return new TextDecoder().decode(stdout).trim();
}

/** An index that is added later stays unused until its task has run. */
const INDEX = `dn: cn=serialNumber,cn=default indexes,cn=config,cn=ldbm database,cn=plugins,cn=config
objectClass: top
objectClass: nsIndex
cn: serialNumber
nsSystemIndex: false
nsIndexType: eq

`;

const BACKEND = `dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userRoot
nsslapd-suffix: ${BASE}

dn: cn="${BASE}",cn=mapping tree,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsMappingTree
cn: ${BASE}
nsslapd-state: backend
nsslapd-backend: userRoot
`;

const ACCESS = `
dn: ${BASE}
changetype: modify
add: aci
aci: (targetattr!="userPassword")(version 3.0; acl "all may read"; allow (read, search, compare) userdn="ldap:///anyone";)

dn: ${SERVERS}
changetype: modify
add: aci
aci: (targetattr="*")(version 3.0; acl "the watcher may write"; allow (all) userdn="ldap:///${WATCHER.bindDn}";)
`;

async function succeeds(name: string, args: readonly string[]): Promise<void> {
  const { success, output } = await tool(name, args);
  if (!success) throw new Error(`Cannot run ${name}: ${output}`);
}
