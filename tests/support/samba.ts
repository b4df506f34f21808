import { freePorts } from "../../tools/free_ports.ts";
import { type Attributes, BASE, LdapServer, SERVERS, WATCHER } from "./ldap_server.ts";
import { tool } from "./tool.ts";

/** Certificate and key that a server shows: paths of PEM files. */
export interface SambaOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Whether Samba can be run here: Active Directory has fixed ports below 1024. */
export const CAN_RUN_SAMBA = Deno.uid() === 0;

/**
 * Makes and starts a private domain of Active Directory, of which LDAP alone listens. Its watcher may
 * make, change and remove computers below {@linkcode SERVERS}, and nothing else.
 */
export async function startSamba(options: SambaOptions): Promise<Samba> {
  const server = new Samba(options);
  try {
    await server.provision();
    await server.start();
    await server.ldif(tree());
    await server.allowWatcher();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

/** Samba's domain controller. It has the loopback address of its own that it needs for ports 389 and 636. */
export class Samba extends LdapServer {
  override readonly name = "samba";
  protected override readonly adminDn = `CN=Administrator,CN=Users,${BASE}`;

  constructor({ cert, key, ca }: SambaOptions) {
    const [number = 0] = freePorts(1);
    super({ host: `127.77.${number >> 8}.${number & 255}`, port: 389, tlsPort: 636 });
    for (const folder of ["run", "ncalrpc"]) Deno.mkdirSync(`${this.dir}/${folder}`);
    // Samba reads no key that others may read.
    Deno.copyFileSync(key, `${this.dir}/key.pem`);
    Deno.chmodSync(`${this.dir}/key.pem`, 0o600);
    const domain = `${this.dir}/domain`;
    Deno.writeTextFileSync(
      this.#config,
      `[global]
netbios name = DC
realm = EXAMPLE.COM
workgroup = EXAMPLE
server role = active directory domain controller
server services = ldap
interfaces = ${this.host}/8
bind interfaces only = yes
private dir = ${domain}/private
lock directory = ${domain}
state directory = ${domain}/state
cache directory = ${domain}/cache
binddns dir = ${domain}/bind-dns
pid directory = ${this.dir}/run
ncalrpc dir = ${this.dir}/ncalrpc
tls certfile = ${cert}
tls keyfile = ${this.dir}/key.pem
tls cafile = ${ca}
`,
    );
  }

  /** Simple binds need TLS. */
  override get url(): string {
    return `ldaps://${this.host}`;
  }

  protected override get adminPassword(): string {
    return "Admin-passw0rd";
  }

  protected override get adminPlace(): readonly string[] {
    return ["-H", this.url, "-o", "TLS_REQCERT=never"];
  }

  /** Makes the domain, whose passwords may be simple. */
  async provision(): Promise<void> {
    await this.#samba(
      ...["domain", "provision", "--realm=EXAMPLE.COM", "--domain=EXAMPLE", "--server-role=dc", "--host-name=dc"],
      ...[`--host-ip=${this.host}`, `--adminpass=${this.adminPassword}`, `--targetdir=${this.dir}/domain`],
      ...["--dns-backend=NONE"],
    );
    await this.#samba(
      ...["domain", "passwordsettings", "set", "--complexity=off", "--min-pwd-length=0", "--min-pwd-age=0"],
      ...["--history-length=0", "-s", this.#config],
    );
  }

  /** The rights that docs/LDAP.md names. */
  async allowWatcher(): Promise<void> {
    const { output } = await this.#samba("user", "show", "watcher", "--attributes=objectSid", "-s", this.#config);
    const [sid] = /S-1-[\d-]+/.exec(output) ?? [];
    const rights = `(OA;CI;CCDC;${COMPUTER};;${sid})(OA;CIIO;GA;;${COMPUTER};${sid})`;
    await this.#samba("dsacl", "set", `--objectdn=${SERVERS}`, `--sddl=${rights}`, "-s", this.#config);
  }

  override async setPassword(password: string): Promise<void> {
    await this.ldif(`dn: ${WATCHER.bindDn}\nchangetype: modify\nreplace: unicodePwd\n${unicodePassword(password)}`);
  }

  /** Without what the server writes into each entry by itself, but for its classes. */
  override async entries(...given: Parameters<LdapServer["entries"]>): Promise<Record<string, Attributes>> {
    const entries = Object.entries(await super.entries(...given));
    const own = (entry: Attributes) => Object.entries(entry).filter(([name]) => !BY_ITSELF.has(name));
    return Object.fromEntries(entries.map(([dn, entry]) => [dn, Object.fromEntries(own(entry))]));
  }

  override answer(): Promise<void> {
    throw new Error("Samba cannot be made to answer otherwise than it does");
  }

  protected override command(): readonly string[] {
    return ["samba", "-i", "-M", "single", "-s", this.#config, "--debug-stdout"];
  }

  get #config(): string {
    return `${this.dir}/smb.conf`;
  }

  async #samba(...args: readonly string[]): Promise<{ readonly output: string }> {
    const { success, output } = await tool("samba-tool", args);
    if (!success) throw new Error(`Cannot run samba-tool ${args.slice(0, 2).join(" ")}: ${output}`);
    return { output };
  }
}

const BY_ITSELF = new Set([
  ...["instancetype", "whencreated", "whenchanged", "usncreated", "usnchanged", "name", "objectguid", "objectsid"],
  ...["badpwdcount", "codepage", "countrycode", "badpasswordtime", "lastlogoff", "lastlogon", "pwdlastset"],
  ...["primarygroupid", "accountexpires", "logoncount", "samaccounttype", "objectcategory", "iscriticalsystemobject"],
  "distinguishedname",
]);

/** The class `computer`, by its schemaIDGUID. */
const COMPUTER = "bf967a86-0de6-11d0-a285-00aa003049e2";

function tree(): string {
  return `dn: ${WATCHER.bindDn}
objectClass: user
sAMAccountName: watcher
userAccountControl: 512
${unicodePassword(WATCHER.password)}

dn: ${SERVERS}
objectClass: organizationalUnit
ou: servers
`;
}

/** A line of LDIF: the password in quotes, in UTF-16. */
function unicodePassword(password: string): string {
  const bytes = new Uint8Array(new Uint16Array([...`"${password}"`].map((char) => char.charCodeAt(0))).buffer);
  return `unicodePwd:: ${bytes.toBase64()}`;
}
