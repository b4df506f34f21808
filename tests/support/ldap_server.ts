// Private LDAP servers for tests: own folder, own ports, loopback only, gone without a trace. What they hold is read and changed with
// OpenLDAP's own tools, so that no test trusts the library that it tests.
import { freePorts } from "../../tools/free_ports.ts";
import { tool } from "./tool.ts";
import { until } from "./until.ts";

/** Attributes by name in lower case, values sorted. */
export type Attributes = Record<string, string[]>;

/** Certificates that a server shows and trusts: paths of PEM files. */
export interface LdapServerFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What all servers in tests look like to their clients. */
export const BASE = "dc=example,dc=com";
/** Where the plugin may write. */
export const SERVERS = `ou=servers,${BASE}`;
/** Who the plugin is. */
export const WATCHER = { bindDn: `cn=watcher,${BASE}`, password: "watcher-password" };
export const ADMIN_PASSWORD = "admin-password";

export abstract class LdapServer implements AsyncDisposable {
  abstract readonly name: string;
  protected abstract readonly adminDn: string;
  readonly host: string;
  readonly port: number;
  readonly tlsPort: number;
  protected readonly dir: string;
  #group: Deno.ChildProcess | null = null;

  /** @param place Where it listens. @default free ports of 127.0.0.1 */
  protected constructor(place?: { readonly host: string; readonly port: number; readonly tlsPort: number }) {
    const [port, tlsPort] = place === undefined ? freePorts(2) as [number, number] : [place.port, place.tlsPort];
    [this.host, this.port, this.tlsPort] = [place?.host ?? "127.0.0.1", port, tlsPort];
    this.dir = Deno.makeTempDirSync({ prefix: "oss-watcher-ldap-" });
  }

  get url(): string {
    return `ldap://localhost:${this.port}`;
  }

  get tlsUrl(): string {
    return `ldaps://localhost:${this.tlsPort}`;
  }

  protected get adminPassword(): string {
    return ADMIN_PASSWORD;
  }

  /** Where the administrator connects, as options of OpenLDAP's tools. */
  protected get adminPlace(): readonly string[] {
    return ["-H", this.url];
  }

  /** The program and its arguments; it stays in the foreground. */
  protected abstract command(): readonly string[];

  /** Starts the server with what it holds, and waits until it answers. */
  async start(): Promise<void> {
    const group = new Deno.Command("setsid", {
      args: ["sh", "-c", RUN, ...this.command()],
      cwd: this.dir,
      env: { HOME: this.dir },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#group = group;
    let ended = false;
    group.status.then(() => ended = true);
    await until(async () => {
      if (ended) throw new Error(`Cannot start ${this.name}: it ended\n${await this.#output()}`);
      return (await tool("ldapsearch", ["-x", ...this.adminPlace, "-s", "base", "-b", "", "1.1"])).success;
    }, 30_000);
  }

  /** Ends the server in an orderly way. */
  async stop(): Promise<void> {
    if (this.#group === null) return;
    this.#group.kill("SIGTERM");
    await this.#group.status;
    await this.kill();
  }

  /** Ends the server as a power failure would. */
  async kill(): Promise<void> {
    const group = this.#group;
    if (group === null) return;
    this.#group = null;
    try {
      Deno.kill(-group.pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await group.stdin.close().catch(() => {});
    await group.status;
  }

  /** Lets changes of one entry be answered with a result code that this server can give; `null`: no more. */
  abstract answer(rdn: string, code: number | null): Promise<void>;

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.dir, { recursive: true });
  }

  /** Gives the watcher another password. */
  async setPassword(password: string): Promise<void> {
    await this.ldif(`dn: ${WATCHER.bindDn}\nchangetype: modify\nreplace: userPassword\nuserPassword: ${password}`);
  }

  /** Applies LDIF as the administrator. */
  async ldif(text: string, options: readonly string[] = []): Promise<void> {
    const { success, output } = await tool("ldapmodify", [...this.#admin(), ...options, "-a"], `${text}\n`);
    if (!success) throw new Error(`Cannot change what ${this.name} holds: ${output}`);
  }

  /** All entries below a base, by DN as the server gives it, without what servers add. */
  async entries(
    base = SERVERS,
    filter = "(objectClass=*)",
    options: readonly string[] = [],
  ): Promise<Record<string, Attributes>> {
    const { success, output } = await tool("ldapsearch", [
      ...this.#admin(),
      "-LLL",
      "-o",
      "ldif-wrap=no",
      ...options,
      "-b",
      base,
      filter,
    ]);
    if (!success) throw new Error(`Cannot read what ${this.name} holds: ${output}`);
    return Object.fromEntries(output.split("\n\n").filter((record) => record.startsWith("dn:")).map(entryOf));
  }

  /** Only the entry of a DN, or nothing. */
  async entry(dn: string): Promise<Attributes | undefined> {
    const { output } = await tool("ldapsearch", [
      ...this.#admin(),
      "-LLL",
      "-o",
      "ldif-wrap=no",
      "-s",
      "base",
      "-b",
      dn,
    ]);
    return output.startsWith("dn:") ? entryOf(output)[1] : undefined;
  }

  /** Removes everything below the plugin's base, referrals too. */
  async clear(): Promise<void> {
    const found = Object.keys(await this.entries(SERVERS, "(objectClass=*)", ["-M"]));
    const dns = found.filter((dn) => dn.toLowerCase() !== SERVERS.toLowerCase());
    // The name of an entry ends in that of the entry above.
    const records = dns.sort((one, other) => other.length - one.length).map((dn) =>
      `dn:: ${new TextEncoder().encode(dn).toBase64()}\nchangetype: delete\n`
    );
    if (records.length > 0) await this.ldif(records.join("\n"), ["-M"]);
  }

  #admin(): string[] {
    return ["-x", ...this.adminPlace, "-D", this.adminDn, "-w", this.adminPassword];
  }

  async #output(): Promise<string> {
    return await Deno.readTextFile(`${this.dir}/output`).catch(() => "");
  }
}

/** What a directory begins with. */
export const ROOT = `dn: ${BASE}
objectClass: domain
dc: example
`;

/** The tree that nearly every test starts from: the watcher, and a place to write. */
export const TREE = `${ROOT}
dn: ${WATCHER.bindDn}
objectClass: person
cn: watcher
sn: watcher
userPassword: ${WATCHER.password}

dn: ${SERVERS}
objectClass: organizationalUnit
ou: servers
`;

/** A process group that ends with us, even if we are killed: something watches standard input. */
const RUN = `
  exec 3<&0 </dev/null
  { cat <&3 >/dev/null; kill -9 -$$; } &
  exec 3<&-
  ulimit -n 1024
  exec "$0" "$@" >"$HOME/output" 2>&1
`;

function entryOf(record: string): [dn: string, attributes: Attributes] {
  const pairs = record.trim().split("\n").map((line) => {
    const [, name = "", colons, value = ""] = /^([^:]+)(::?) ?(.*)$/.exec(line) ?? [];
    const text = colons === "::" ? new TextDecoder().decode(Uint8Array.fromBase64(value)) : value;
    return [name.toLowerCase(), text] as const;
  });
  const [[, dn], ...others] = pairs as [(typeof pairs)[number], ...typeof pairs];
  const grouped = Object.groupBy(others, ([name]) => name);
  const attributes = Object.entries(grouped).map((
    [name, list],
  ) => [name, list?.map(([, value]) => value).sort() ?? []]);
  return [dn, Object.fromEntries(attributes)];
}
