// Private name servers for tests: own folder, own port, loopback only, gone without a trace. What they hold is read and changed with
// BIND's dig and nsupdate, so that no test trusts the code that it tests.
import { Daemon, type DaemonStart } from "../../tools/daemon.ts";
import { freePorts } from "../../tools/free_ports.ts";
import { program, tool } from "./tool.ts";

/** The zones that every server has; the last one for the plugin may not be written. */
export const ZONES = ["cloud.example.com", "10.in-addr.arpa", "113.0.203.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"];
/** The key that the plugin has. */
export const KEY = {
  keyName: "oss-watcher",
  keySecret: "d2F0Y2hlci1zZWNyZXQtb2YtdGhlLXRlc3RzISE=",
} as const;
/** The administrator's key. */
const ADMIN = { name: "admin", secret: "YWRtaW4tc2VjcmV0LW9mLXRoZS10ZXN0cyEhISEhISE=" };
const OTHER_SECRET = "YW5vdGhlci1zZWNyZXQtb2YtdGhlLXRlc3RzISEhISE=";

export interface Keys {
  readonly name: string;
  readonly algorithm: string;
  readonly secret: string;
}

/** The kinds of {@linkcode DnsServer}. */
export type DnsServerKind = "bind" | "knot" | "powerdns";

/** Starts a private server. */
export async function startDnsServer(kind: DnsServerKind = "bind"): Promise<DnsServer> {
  const server = new ({ bind: Bind, knot: Knot, powerdns: PowerDnsServer }[kind])();
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

export abstract class DnsServer implements AsyncDisposable {
  abstract readonly kind: DnsServerKind;
  readonly port: number;
  readonly dir: string;
  protected secret: string = KEY.keySecret;
  #daemon: Daemon | null = null;

  constructor() {
    [this.port] = freePorts(1) as [number];
    this.dir = Deno.makeTempDirSync({ prefix: "oss-watcher-dns-" });
    Deno.mkdirSync(`${this.dir}/log`);
  }

  get keys(): readonly Keys[] {
    const algorithm = "hmac-sha256";
    return [
      { name: KEY.keyName, algorithm, secret: this.secret },
      { name: "oss-watcher-512", algorithm: "hmac-sha512", secret: KEY.keySecret },
      { ...ADMIN, algorithm },
    ];
  }

  /** Writes the configuration. */
  protected abstract configure(): void | Promise<void>;

  /** The program and its arguments; it stays in the foreground. */
  protected abstract command(): DaemonStart["command"];

  async start(): Promise<void> {
    await this.configure();
    this.#daemon = new Daemon({
      name: this.kind,
      command: this.command(),
      env: { PATH: Deno.env.get("PATH") ?? "", HOME: this.dir },
      dir: this.dir,
    });
    await this.#daemon.until(async () => {
      const answers = await Promise.all(ZONES.map((zone) => this.dig([zone, "SOA", "+short"])));
      return answers.every((answer) => answer.includes("hostmaster"));
    }, 30);
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = null;
  }

  /** Whether the server knows the plugin's key. Restarts it. */
  async setKnown(isKnown: boolean): Promise<void> {
    await this.stop();
    this.secret = isKnown ? KEY.keySecret : OTHER_SECRET;
    await this.start();
  }

  async dig(args: readonly string[]): Promise<string> {
    const { output } = await tool("dig", [
      `@127.0.0.1`,
      "-p",
      String(this.port),
      "+tcp",
      "+time=2",
      "+tries=1",
      ...args,
    ]);
    return output;
  }

  zone(name: string): Promise<string> {
    return this.dig([name, "AXFR", "+noall", "+answer"]);
  }

  answer(name: string, type: string): Promise<string> {
    return this.dig([name, type, "+noall", "+answer"]);
  }

  /** Changes a zone as the administrator, in nsupdate's language, without `server` and `send`. */
  async nsupdate(lines: readonly string[]): Promise<void> {
    const key = `hmac-sha256:${ADMIN.name}:${ADMIN.secret}`;
    const { success, output } = await tool(
      "nsupdate",
      ["-v", "-y", key],
      `server 127.0.0.1 ${this.port}\n${lines.join("\n")}\nsend\n`,
    );
    if (!success) throw new Error(`Cannot change what ${this.kind} holds: ${output}`);
  }

  /** The records of all zones but SOA and NS, as `name type data` each, sorted. */
  async records(zones: readonly string[] = ZONES): Promise<string[]> {
    const key = `hmac-sha256:${ADMIN.name}:${ADMIN.secret}`;
    const text = await this.dig(["-y", key, ...zones.flatMap((zone) => [zone, "AXFR", "+noall", "+answer"])]);
    const lines = text.split("\n").filter((line) => /^[^;\s]/.test(line));
    return lines.map((line) => line.replace(/^(\S+)\.\s+\d+\s+IN\s+(\S+)\s+(.*)$/, "$1 $2 $3"))
      .filter((line) => !/^\S+ (?:SOA|NS|TSIG|RRSIG|NSEC\w*|DNSKEY) /.test(line) && !line.includes(" TSIG ")).sort();
  }

  /** Removes every record but SOA and NS. */
  async clear(): Promise<void> {
    const all = await this.records();
    for (const zone of ZONES) {
      const names = new Set(all.map((line) => line.split(" ")[0] ?? "").filter((name) => name.endsWith(zone)));
      if (names.size > 0) await this.nsupdate([`zone ${zone}`, ...[...names].map((name) => `update delete ${name}.`)]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.dir, { recursive: true });
  }

  protected write(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.dir}/${name}`, text);
  }

  /** A zone as it begins: written once, since servers write to it. */
  protected writeZones(): void {
    for (const zone of ZONES) {
      if (exists(`${this.dir}/${zone}.zone`)) continue;
      this.write(
        `${zone}.zone`,
        [
          `$ORIGIN ${zone}.`,
          "$TTL 300",
          "@ IN SOA ns.example.net. hostmaster.example.net. 1 3600 600 86400 60",
          "@ IN NS ns.example.net.",
          "",
        ].join("\n"),
      );
    }
  }
}

class Bind extends DnsServer {
  override readonly kind = "bind";

  protected override configure(): void {
    this.writeZones();
    const keys = this.keys.map(({ name, algorithm, secret }) =>
      `key "${name}" { algorithm ${algorithm}; secret "${secret}"; };`
    );
    const zones = ZONES.map((zone) => {
      const types = zone.endsWith("arpa") ? "PTR TXT" : "A AAAA TXT";
      const grants = ["oss-watcher", "oss-watcher-512"].map((name) => `grant ${name} zonesub ${types};`);
      return `zone "${zone}" { type primary; file "${zone}.zone"; journal "${zone}.jnl"; allow-transfer { any; };
        update-policy { ${grants.join(" ")} grant admin zonesub ANY; }; };`;
    });
    this.write(
      "named.conf",
      [
        ...keys,
        `options { directory "${this.dir}"; listen-on port ${this.port} { 127.0.0.1; }; listen-on-v6 { none; };`,
        `  pid-file "${this.dir}/named.pid"; session-keyfile "${this.dir}/session.key"; recursion no; dnssec-validation no;`,
        "  tcp-clients 1000; notify no; };",
        "controls { };",
        ...zones,
        "",
      ].join("\n"),
    );
  }

  protected override command(): DaemonStart["command"] {
    return [program("named"), "-g", "-n", "1", "-c", `${this.dir}/named.conf`];
  }
}

class Knot extends DnsServer {
  override readonly kind = "knot";

  protected override configure(): void {
    this.writeZones();
    const names = this.keys.map(({ name }) => name).join(", ");
    this.write(
      "knot.conf",
      [
        "server:",
        `    listen: 127.0.0.1@${this.port}`,
        `    rundir: ${this.dir}`,
        "database:",
        `    storage: ${this.dir}`,
        "log:",
        "  - target: stderr",
        "    any: info",
        "key:",
        ...this.keys.flatMap(({ name, algorithm, secret }) => [
          `  - id: ${name}`,
          `    algorithm: ${algorithm}`,
          `    secret: ${secret}`,
        ]),
        "acl:",
        "  - id: keys",
        `    key: [${names}]`,
        "    action: [transfer, update]",
        "zone:",
        ...ZONES.flatMap((zone) => [
          `  - domain: ${zone}`,
          `    file: ${this.dir}/${zone}.zone`,
          "    acl: keys",
          "    journal-content: changes",
          "    zonefile-sync: -1",
        ]),
        "",
      ].join("\n"),
    );
  }

  protected override command(): DaemonStart["command"] {
    return [program("knotd"), "-c", `${this.dir}/knot.conf`];
  }
}

/** PowerDNS's API key. */
export const API_KEY = "pdns-api-key-of-the-tests";

export class PowerDnsServer extends DnsServer {
  override readonly kind = "powerdns";
  /** Of the HTTP API. */
  readonly apiPort = freePorts(1)[0] as number;

  protected override async configure(): Promise<void> {
    this.writeZones();
    const isNew = !exists(`${this.dir}/pdns.db`);
    this.write(
      "pdns.conf",
      [
        "launch=gsqlite3",
        `gsqlite3-database=${this.dir}/pdns.db`,
        "gsqlite3-pragma-synchronous=0",
        "local-address=127.0.0.1",
        `local-port=${this.port}`,
        `socket-dir=${this.dir}`,
        "dnsupdate=yes",
        "allow-dnsupdate-from=127.0.0.0/8",
        "allow-axfr-ips=",
        "zone-cache-refresh-interval=0",
        "max-tcp-connections=200",
        "webserver=yes",
        "webserver-address=127.0.0.1",
        `webserver-port=${this.apiPort}`,
        "api=yes",
        `api-key=${API_KEY}`,
        "",
      ].join("\n"),
    );
    const util = async (...args: string[]) => {
      const { success, output } = await tool("pdnsutil", ["--config-dir", this.dir, ...args]);
      if (!success) throw new Error(`Cannot configure PowerDNS: ${output}`);
    };
    if (isNew) {
      const schema = await Deno.readTextFile("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql");
      await tool("sqlite3", [`${this.dir}/pdns.db`], schema);
    }
    for (const { name, algorithm, secret } of this.keys) {
      if (!isNew) await tool("pdnsutil", ["--config-dir", this.dir, "delete-tsig-key", name]);
      await util("import-tsig-key", name, algorithm, secret);
    }
    if (!isNew) return;
    for (const zone of ZONES) {
      await util("load-zone", zone, `${this.dir}/${zone}.zone`);
      await util("set-kind", zone, "primary");
      for (const { name } of this.keys) {
        await util("add-meta", zone, "TSIG-ALLOW-DNSUPDATE", name);
        await util("add-meta", zone, "TSIG-ALLOW-AXFR", name);
      }
    }
  }

  protected override command(): DaemonStart["command"] {
    return [program("pdns_server"), `--config-dir=${this.dir}`, "--daemon=no", "--guardian=no", "--disable-syslog"];
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
