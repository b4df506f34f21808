// A private PostgreSQL for tests and measurements: with its own port and folder, on the loopback
// address, removed completely at the end.
import { Daemon, runToEnd, sendSignal, straysOf } from "../daemon.ts";
import { freePorts } from "../free_ports.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { giveToOwner, PostgresPrograms } from "./programs.ts";
import { ADMIN, postgresTemplate, WATCHER } from "./template.ts";

export { POSTGRES } from "./programs.ts";
export { ADMIN, WATCHER };

/** Parameters of postgresql.conf by their names. */
export type PostgresSettings = Readonly<Record<string, string | number>>;

export interface PostgresStart {
  /** The major version. @default the newest that is installed */
  readonly release?: number;
  /** Further parameters of postgresql.conf; those of a standby are first of all its primary's. */
  readonly settings?: PostgresSettings;
  /** Waits for no disk (`fsync` is off): for tests of logic alone. @default false */
  readonly fast?: boolean;
  /** Accepts connections with TLS alone. A standby does what its primary does. @default false */
  readonly tls?: boolean;
  /**
   * Where the data are, such as a small file system; 50 MiB in the beginning. It is given to the
   * server's owner. If this process is killed the data remain there. @default the server's own
   * folder
   */
  readonly dataDir?: string;
  /** A running server, whose standby this one becomes. */
  readonly standbyOf?: PostgresServer;
  /** A commit of the primary waits for this standby. @default false */
  readonly synchronous?: boolean;
  /** The primary keeps what this standby has not read yet, by a replication slot. @default false */
  readonly slot?: boolean;
}

/** How psql connects. */
export interface PsqlOptions {
  /** As the superuser. @default false */
  readonly admin?: boolean;
  /** @default the watcher's */
  readonly database?: string;
}

/** Starts a server and waits until it can be used. */
export async function startPostgres(options: PostgresStart = {}): Promise<PostgresServer> {
  const server = new PostgresServer(options);
  try {
    await server.create();
    await server.start();
    if (options.standbyOf !== undefined) await server.follow();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  /** Of the role `watcher`, with its password. */
  readonly url: string;
  /** Of the superuser, in the same database. */
  readonly adminUrl: string;
  /** What a standby is called by its primary, and its replication slot. */
  readonly name: string;
  readonly #options: PostgresStart;
  readonly #programs: PostgresPrograms;
  readonly #dir = Deno.makeTempDirSync({ prefix: "oss-watcher-postgres-" });
  readonly #data: string;
  #certificates: Certificates | null = null;
  #daemon: Daemon | null = null;

  /** Use {@linkcode startPostgres}. */
  constructor(options: PostgresStart) {
    const { standbyOf: primary, dataDir = this.#dir } = options;
    const tls = options.tls ?? primary?.caFile !== undefined;
    const settings = { ...primary?.settings, ...options.settings };
    this.#options = { fast: false, ...options, tls, settings };
    this.#programs = new PostgresPrograms(options.release ?? primary?.release);
    this.port = freePorts(1)[0]!;
    const place = `127.0.0.1:${this.port}/${WATCHER.database}`;
    this.url = `postgres://${WATCHER.role}:${WATCHER.password}@${place}`;
    this.adminUrl = `postgres://${ADMIN.role}:${ADMIN.password}@${place}`;
    this.name = `server_${this.port}`;
    this.#data = `${dataDir}/data`;
    Deno.mkdirSync(`${this.#dir}/log`);
    // Its owner must reach what is in it.
    Deno.chmodSync(this.#dir, 0o755);
  }

  /** The major version. */
  get release(): number {
    return this.#programs.release;
  }

  /** What it was started with, beside what every server has. */
  get settings(): PostgresSettings {
    return this.#options.settings!;
  }

  /** The certificate of the authority, in PEM; `undefined` without TLS. */
  get caFile(): string | undefined {
    return this.#certificates?.caFile;
  }

  /** The last lines of its log. */
  get lastLog(): string {
    return this.#daemon?.lastLog() ?? "(not started)";
  }

  /** Makes the data. {@linkcode startPostgres} does that. */
  async create(): Promise<void> {
    const { dataDir, standbyOf: primary, tls } = this.#options;
    if (dataDir !== undefined) await giveToOwner(dataDir);
    if (primary !== undefined) await this.#copyPrimary(primary);
    else await this.#run("copy", ["cp", "-a", await postgresTemplate(this.#programs), this.#data]);
    if (tls) {
      this.#certificates = primary === undefined ? await makeCertificates(this.#dir) : primary.#certificates;
      for (const [name, from] of [["server.pem", "certFile"], ["server.key", "keyFile"]] as const) {
        await Deno.copyFile(this.#certificates![from], `${this.#data}/${name}`);
        await Deno.chmod(`${this.#data}/${name}`, 0o600);
      }
    }
    const connection = tls ? "hostssl" : "host";
    await Deno.writeTextFile(
      `${this.#data}/pg_hba.conf`,
      `${connection} all all 127.0.0.1/32 scram-sha-256\n` +
        `${connection} replication ${ADMIN.role} 127.0.0.1/32 scram-sha-256\n`,
    );
    await Deno.writeTextFile(`${this.#data}/postgresql.conf`, this.#configuration());
    await giveToOwner(this.#data);
  }

  /** Starts it with its stored data, on the same port. Waits until it answers queries. */
  async start(): Promise<void> {
    await this.kill();
    // Its process is gone; another one may have its number.
    await Deno.remove(`${this.#data}/postmaster.pid`).catch(() => {});
    const daemon = new Daemon({
      name: "postgres",
      command: [...await ownIpc(), ...this.#programs.asOwner("postgres", ["-D", this.#data])] as [string, ...string[]],
      env: ENVIRONMENT,
      dir: this.#dir,
    });
    this.#daemon = daemon;
    // As pg_ctl finds it out.
    await daemon.until(async () => {
      const lines = await Deno.readTextFile(`${this.#data}/postmaster.pid`).then((text) => text.split("\n"), () => []);
      return lines[7]?.trim() === "ready";
    }, 60);
  }

  /** Ends all its processes at once, as a crash does. What was committed is there after a start. */
  async kill(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = null;
  }

  /** Ends it in an orderly way: open transactions are rolled back, clients cut off. */
  async stop(): Promise<void> {
    await this.#daemon?.stop(60, "SIGINT");
    this.#daemon = null;
  }

  /** Stops all its processes where they are: connections remain, and nothing is answered. */
  freeze(): void {
    const pid = this.#pid;
    // First the one that starts the others.
    sendSignal(pid, "SIGSTOP");
    for (const process of straysOf(pid)) sendSignal(process, "SIGSTOP");
  }

  /** Lets them go on. */
  thaw(): void {
    const pid = this.#pid;
    for (const process of [...straysOf(pid), pid]) sendSignal(process, "SIGCONT");
  }

  /** Makes a standby a primary, which can be written when this resolves. */
  async promote(): Promise<void> {
    const isDone = await this.psql("SELECT pg_promote(true, 60)", { admin: true });
    if (isDone !== "t") throw new Error(`Cannot promote ${this.name}\n${this.lastLog}`);
  }

  /**
   * Runs SQL statements by the program psql and gives what it prints: a line for each row, columns
   * separated by `|`.
   *
   * @throws {Error} with what psql says, at the first statement that fails.
   */
  async psql(sql: string, { admin = false, database = WATCHER.database }: PsqlOptions = {}): Promise<string> {
    const { role, password } = admin ? ADMIN : WATCHER;
    const child = new Deno.Command(this.#programs.path("psql"), {
      args: ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", this.#conninfo({ user: role, dbname: database })],
      clearEnv: true,
      env: { ...ENVIRONMENT, PGPASSWORD: password, PGCONNECT_TIMEOUT: "10" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    writer.write(new TextEncoder().encode(sql)).catch(() => {});
    writer.close().catch(() => {});
    const { success, stdout, stderr } = await child.output();
    if (!success) throw new Error(`psql failed: ${new TextDecoder().decode(stderr).trim()}`);
    return new TextDecoder().decode(stdout).trimEnd();
  }

  /** Waits until a new standby has what its primary has. {@linkcode startPostgres} does that. */
  async follow(): Promise<void> {
    const { standbyOf: primary, synchronous = false } = this.#options;
    if (synchronous) {
      const names = `ALTER SYSTEM SET synchronous_standby_names = '${this.name}'`;
      await primary!.psql(`${names};\nSELECT pg_reload_conf();`, { admin: true });
    }
    const isThere = synchronous ? "sync_state = 'sync'" : "state = 'streaming'";
    const query = `SELECT count(*) FROM pg_stat_replication WHERE application_name = '${this.name}' AND ${isThere}`;
    await this.#daemon!.until(async () => await primary!.psql(query, { admin: true }) === "1", 60);
  }

  /** Ends it and removes everything it had. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon !== null) this.thaw();
    // Once told, the processes remove what they share; what is killed leaves some bytes to the system.
    await this.#daemon?.stop(5, "SIGQUIT");
    this.#daemon = null;
    for (const path of [this.#data, this.#dir]) await Deno.remove(path, { recursive: true }).catch(() => {});
  }

  get #pid(): number {
    if (this.#daemon === null) throw new Error(`${this.name} does not run`);
    return this.#daemon.pid;
  }

  async #copyPrimary(primary: PostgresServer): Promise<void> {
    const source = primary.#conninfo({ user: ADMIN.role, password: ADMIN.password, application_name: this.name });
    const slot = this.#options.slot ? ["--create-slot", "--slot", this.name] : [];
    const args = ["--pgdata", this.#data, "--dbname", source, "--write-recovery-conf", ...slot];
    await Deno.mkdir(this.#data, { mode: 0o700 });
    await giveToOwner(this.#data);
    const quick = ["--wal-method", "stream", "--checkpoint", "fast", "--no-sync"];
    await this.#run("pg_basebackup", this.#programs.asOwner("pg_basebackup", [...args, ...quick]));
    // Whom the primary waits for is not for whom this one will wait when it is promoted.
    const file = `${this.#data}/postgresql.auto.conf`;
    const lines = (await Deno.readTextFile(file)).split("\n");
    await Deno.writeTextFile(file, lines.filter((line) => !line.startsWith("synchronous_standby_names")).join("\n"));
  }

  #conninfo(parameters: Readonly<Record<string, string>>): string {
    const all = {
      host: "127.0.0.1",
      port: this.port,
      ...parameters,
      ...this.caFile === undefined ? {} : { sslmode: "verify-full", sslrootcert: this.caFile },
    };
    return Object.entries(all).map(([name, value]) => `${name}='${value}'`).join(" ");
  }

  #configuration(): string {
    const { fast, tls } = this.#options;
    const all: PostgresSettings = {
      cluster_name: this.name,
      listen_addresses: "127.0.0.1",
      port: this.port,
      unix_socket_directories: "",
      shared_buffers: "16MB",
      max_connections: 100,
      // Within its folder, so that it is gone with it.
      dynamic_shared_memory_type: "mmap",
      wal_keep_size: "256MB",
      ...fast ? { fsync: "off", full_page_writes: "off" } : {},
      ...tls ? { ssl: "on", ssl_cert_file: "server.pem", ssl_key_file: "server.key" } : {},
      ...this.settings,
    };
    return Object.entries(all).map(([name, value]) => `${name} = '${`${value}`.replaceAll("'", "''")}'\n`).join("");
  }

  async #run(name: string, command: readonly [string, ...string[]]): Promise<void> {
    await runToEnd({ name, command, env: ENVIRONMENT, dir: this.#dir });
  }
}

const ENVIRONMENT = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", LANG: "C.UTF-8" };

/**
 * The program before a server that gives it shared memory of its own, which goes with its last
 * process, however that ends. Nothing where that is not allowed: then each `kill -9` leaves 56 bytes
 * of shared memory to the system.
 */
async function ownIpc(): Promise<readonly string[]> {
  try {
    const { success } = await new Deno.Command("unshare", { args: ["--ipc", "true"], stderr: "null" }).output();
    return success ? ["unshare", "--ipc", "--"] : [];
  } catch {
    return [];
  }
}
