// A private NetBox with a PostgreSQL and a Redis of its own, on free ports of the loopback address,
// in a folder that is removed at the end.
import { freePorts } from "../free_ports.ts";
import { Daemon, type DaemonStart, runToEnd } from "../daemon.ts";
import { progress } from "../packages.ts";
import { type NetBoxPrograms, RELEASE } from "./install.ts";

const POSTGRES = "/usr/lib/postgresql/17/bin";
const AS_POSTGRES = ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"];
const SETTINGS = new URL("settings.py", import.meta.url);
const ACCOUNTS = new URL("accounts.py", import.meta.url);

/** The tokens that accounts.py makes. */
export interface NetBoxTokens {
  /** Of a superuser. */
  readonly admin: string;
  /** Of a user with the rights that docs/NETBOX.md names, of the second version. */
  readonly watcher: string;
  /** The same, of the first version. */
  readonly legacy: string;
  /** Of a user without rights. */
  readonly powerless: string;
}

/** Starts NetBox and waits until it answers: some 20 s, a minute or two the first time. */
export async function startNetBox(programs: NetBoxPrograms): Promise<PrivateNetBox> {
  const netbox = new PrivateNetBox(programs);
  try {
    await netbox.start();
  } catch (error) {
    await netbox[Symbol.asyncDispose]();
    throw error;
  }
  return netbox;
}

/** A running NetBox. */
export class PrivateNetBox implements AsyncDisposable {
  readonly url: string;
  /** Filled when it has started. */
  tokens: NetBoxTokens = { admin: "", watcher: "", legacy: "", powerless: "" };
  readonly #programs: NetBoxPrograms;
  readonly #dir = Deno.makeTempDirSync({ prefix: "oss-watcher-netbox-" });
  readonly #ports: { readonly web: number; readonly postgres: number; readonly redis: number };
  readonly #daemons: Daemon[] = [];

  constructor(programs: NetBoxPrograms) {
    const [web = 0, postgres = 0, redis = 0] = freePorts(3);
    this.#programs = programs;
    this.#ports = { web, postgres, redis };
    this.url = `http://127.0.0.1:${web}`;
  }

  async start(): Promise<void> {
    for (const folder of ["log", "conf", "postgres"]) await Deno.mkdir(`${this.#dir}/${folder}`);
    await Deno.chmod(this.#dir, 0o755);
    await Deno.copyFile(SETTINGS, `${this.#dir}/conf/configuration.py`);
    await Deno.copyFile(ACCOUNTS, `${this.#dir}/accounts.py`);
    await this.#startRedis();
    await this.#startPostgres();
    const accounts = await this.#run("accounts", ["sh", "-c", `python3 -m netbox shell --no-imports < accounts.py`]);
    this.tokens = JSON.parse(/\{.*\}/.exec(accounts)?.[0] ?? "{}");
    await this.#startWeb();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons.toReversed()) await daemon.stop(5);
    await Deno.remove(this.#dir, { recursive: true }).catch(() => {});
  }

  async #startRedis(): Promise<void> {
    const args = ["--port", String(this.#ports.redis), "--bind", "127.0.0.1", "--save", "", "--dir", this.#dir];
    const daemon = this.#daemon("redis", ["redis-server", ...args]);
    await daemon.until(() => isOpen(this.#ports.redis));
  }

  /** With the empty database of an earlier start, if there is one of this release. */
  async #startPostgres(): Promise<void> {
    const kept = `${this.#programs.cache}/database-${RELEASE}`;
    const data = `${this.#dir}/postgres`;
    const isKept = await Deno.stat(kept).then(() => true, () => false);
    if (isKept) await this.#run("copy", ["cp", "-a", `${kept}/.`, data], [kept]);
    else {
      await this.#run("chown", ["chown", "postgres:postgres", data]);
      await this.#asPostgres("initdb", [`${POSTGRES}/initdb`, "-D", data, "-U", "netbox", "-A", "trust"]);
    }
    let daemon = await this.#postgres(data);
    if (isKept) return;
    progress("Making NetBox's tables …");
    const where = ["-h", "127.0.0.1", "-p", String(this.#ports.postgres), "-U", "netbox"];
    await this.#run("createdb", ["createdb", ...where, "netbox"]);
    await this.#run("migrate", ["python3", "-m", "netbox", "migrate", "--no-input"]);
    await daemon.stop(30);
    // Under another name until all is there; one may be left of a process that was killed.
    await Deno.remove(`${kept}.partial`, { recursive: true }).catch(() => {});
    await Deno.mkdir(`${kept}.partial`);
    await this.#run("keep", ["cp", "-a", `${data}/.`, `${kept}.partial`], [this.#programs.cache]);
    await this.#run("owner", ["chown", "postgres:postgres", `${kept}.partial`], [this.#programs.cache]);
    // Another process may have been faster.
    await Deno.rename(`${kept}.partial`, kept).catch(() => {});
    daemon = await this.#postgres(data);
  }

  async #postgres(data: string): Promise<Daemon> {
    // What a crash would lose is thrown away in any case.
    const quick = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"].flatMap((one) => ["-c", one]);
    const place = ["-D", data, "-h", "127.0.0.1", "-p", String(this.#ports.postgres), "-k", data];
    const daemon = this.#daemon("postgres", ["setpriv", ...AS_POSTGRES, `${POSTGRES}/postgres`, ...place, ...quick]);
    await daemon.until(() => isOpen(this.#ports.postgres));
    return daemon;
  }

  async #startWeb(): Promise<void> {
    const place = ["--bind", `127.0.0.1:${this.#ports.web}`, "--workers", "2", "--threads", "3", "--timeout", "120"];
    const daemon = this.#daemon("web", ["python3", "-m", "gunicorn", ...place, "netbox.wsgi"]);
    await daemon.until(async () => {
      const answer = await fetch(`${this.url}/api/status/`, { headers: authorization(this.tokens.admin) }).catch(() =>
        null
      );
      await answer?.body?.cancel();
      return answer?.status === 200;
    });
  }

  #daemon(name: string, command: readonly string[]): Daemon {
    const daemon = new Daemon(this.#start(name, command));
    this.#daemons.push(daemon);
    return daemon;
  }

  async #run(name: string, command: readonly string[], shared: readonly string[] = []): Promise<string> {
    return await runToEnd(this.#start(name, command, shared));
  }

  async #asPostgres(name: string, command: readonly string[]): Promise<void> {
    await this.#run(name, ["setpriv", ...AS_POSTGRES, ...command]);
  }

  #start(name: string, command: readonly string[], shared: readonly string[] = []): DaemonStart {
    const { chroot, packages } = this.#programs;
    const inside = ["-c", `cd "${this.#dir}" && exec "$@"`, "sh", ...command];
    const { program, args } = chroot.command("sh", inside, [packages, ...shared]);
    const env = {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      LC_ALL: "C.UTF-8",
      HOME: this.#dir,
      PYTHONPATH: packages,
      DJANGO_SETTINGS_MODULE: "netbox.settings",
      NETBOX_ROOT: this.#dir,
      NETBOX_POSTGRES_PORT: String(this.#ports.postgres),
      NETBOX_REDIS_PORT: String(this.#ports.redis),
    };
    return { name, command: [program, ...args], env, dir: this.#dir };
  }
}

/** The header that a token goes into, by its version. */
export function authorization(token: string): Record<string, string> {
  return { authorization: `${token.startsWith("nbt_") ? "Bearer" : "Token"} ${token}` };
}

async function isOpen(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
