import { ADMIN_PASSWORD, BASE, LdapServer, type LdapServerFiles, ROOT, SERVERS, TREE, WATCHER } from "./ldap_server.ts";
import { program } from "./tool.ts";

export interface SlapdOptions {
  /** Listen with TLS too, and trust client certificates of the same authority. */
  readonly tls?: LdapServerFiles;
  /** @default core, cosine and nis */
  readonly schemas?: readonly string[];
  /** Result codes that adding `serialNumber=code-<code>,${CODES}` is answered with. */
  readonly codes?: readonly number[];
  /** Write as safely as in production. @default false */
  readonly durable?: boolean;
  /** As Debian installs it: it holds nothing but its suffix, and knows no watcher. `cn=config` may be changed. @default false */
  readonly fresh?: boolean;
}

/** Where {@linkcode Slapd.answer} answers; nothing must be looked for from here on down, since it would not be found. */
export const ANSWERING = `ou=answering,${SERVERS}`;

/** Where a server that was told `codes` answers with them. */
export const CODES = `ou=codes,${BASE}`;

/** Starts a private OpenLDAP server. */
export async function startSlapd(options: SlapdOptions = {}): Promise<Slapd> {
  const server = new Slapd(options);
  try {
    await server.start();
    await server.ldif(options.fresh ? ROOT : TREE);
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

/** OpenLDAP's server, with one database. */
export class Slapd extends LdapServer {
  override readonly name = "slapd";
  protected override readonly adminDn = `cn=admin,${BASE}`;

  readonly #options: SlapdOptions;
  readonly #urls: string;

  constructor(options: SlapdOptions) {
    super();
    this.#options = options;
    const { tls, codes = [] } = options;
    Deno.mkdirSync(`${this.dir}/db`);
    this.#urls = `ldap://127.0.0.1:${this.port}/${tls === undefined ? "" : ` ldaps://127.0.0.1:${this.tlsPort}/`}`;
    const items = codes.map((code) => `"serialNumber=code-${code}" ${code} op=add`);
    this.#configure(items.length === 0 ? [] : [`retcode-parent "${CODES}"`, ...items.map(item)]);
  }

  /** Lets every change of one entry below {@linkcode ANSWERING} be answered with a result code; `null`: no more. Restarts the server. */
  override async answer(rdn: string, code: number | null): Promise<void> {
    await this.stop();
    this.#configure(
      code === null ? [] : [`retcode-parent "${ANSWERING}"`, item(`"${rdn}" ${code} op=add,modify,delete`)],
    );
    await this.start();
  }

  protected override command(): readonly string[] {
    return [program("slapd"), "-d", "0", "-f", `${this.dir}/slapd.conf`, "-h", this.#urls];
  }

  #configure(answers: readonly string[]): void {
    const { tls, schemas = ["core", "cosine", "nis"], durable = false, fresh = false } = this.#options;
    const lines = [
      ...schemas.map((schema) => `include /etc/ldap/schema/${schema}.schema`),
      "modulepath /usr/lib/ldap",
      "moduleload back_mdb",
      ...(answers.length === 0 ? [] : ["moduleload retcode"]),
      ...(tls === undefined ? [] : [
        `TLSCACertificateFile ${tls.ca}`,
        `TLSCertificateFile ${tls.cert}`,
        `TLSCertificateKeyFile ${tls.key}`,
        "TLSVerifyClient try",
        `authz-regexp "cn=watcher" "${WATCHER.bindDn}"`,
      ]),
      ...(fresh ? ["database config", `rootpw ${ADMIN_PASSWORD}`] : []),
      "database mdb",
      `directory ${this.dir}/db`,
      `suffix "${BASE}"`,
      `rootdn "${this.adminDn}"`,
      `rootpw ${ADMIN_PASSWORD}`,
      "maxsize 1073741824",
      ...(durable ? [] : ["dbnosync"]),
      fresh ? "index objectClass eq" : "index objectClass,serialNumber eq",
      "access to attrs=userPassword by self write by anonymous auth by * none",
      ...(fresh ? [] : [`access to dn.subtree="${SERVERS}" by dn.exact="${WATCHER.bindDn}" write by * read`]),
      "access to * by * read",
      ...(answers.length === 0 ? [] : ["overlay retcode", ...answers]),
    ];
    Deno.writeTextFileSync(`${this.dir}/slapd.conf`, `${lines.join("\n")}\n`);
  }
}

function item(answer: string): string {
  return `retcode-item ${answer} text="says the server"`;
}
