// A private RabbitMQ for tests and the demo: with its own ports and folder, on the loopback
// address, removed completely at the end.
import { freePorts } from "./free_ports.ts";
import { installMissing } from "./packages.ts";
import { RABBITMQ, type RabbitPrograms, rabbitPrograms } from "./rabbitmq_programs.ts";

export { RABBITMQ };

export interface RabbitFiles {
  /** Paths of PEM files. Clients must show a certificate of the same authority. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface RabbitStart {
  /**
   * The folder in which the server's own, temporary one is made. @default the system's for
   * temporary files
   */
  readonly dir?: string;
  /** @default a free one */
  readonly port?: number;
  /** Listen with TLS too, on `tlsPort`. */
  readonly tls?: RabbitFiles;
  /** With the management API, on `managementPort`. */
  readonly management?: boolean;
  /** Further environment of the server. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further lines of rabbitmq.conf. */
  readonly settings?: readonly string[];
  /**
   * The folder of a chroot whose RabbitMQ is taken. @default this machine's, or the one that the
   * environment names
   */
  readonly root?: string;
}

/**
 * Installs RabbitMQ if it is missing, unless `OSS_WATCHER_RABBIT_URL` names a running one.
 *
 * @throws {Error} when it cannot be installed; the text says what to do.
 */
export async function setUpRabbit(): Promise<void> {
  if (Deno.env.get("OSS_WATCHER_RABBIT_URL") !== undefined) return;
  try {
    await installMissing([RABBITMQ]);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${text}\nOr use a running RabbitMQ: OSS_WATCHER_RABBIT_URL=amqp://user:password@host:5672/`,
      { cause: error },
    );
  }
}

/** Starts a server and waits until it answers AMQP. */
export async function startRabbit(options: RabbitStart = {}): Promise<PrivateRabbit> {
  const rabbit = new PrivateRabbit(rabbitPrograms(options.root), options);
  try {
    await rabbit.restart();
  } catch (error) {
    await rabbit.stop();
    throw error;
  }
  return rabbit;
}

export class PrivateRabbit implements AsyncDisposable {
  readonly port: number;
  /** 0 without TLS. */
  readonly tlsPort: number;
  /** 0 without the management API. */
  readonly managementPort: number;
  readonly url: string;
  readonly #programs: RabbitPrograms;
  readonly #dir: string;
  readonly #env: Readonly<Record<string, string>>;
  #group: Deno.ChildProcess | null = null;

  /** Use {@linkcode startRabbit}. */
  constructor(programs: RabbitPrograms, options: RabbitStart) {
    const [port, tlsPort, distPort, epmdPort, ctlPort, managementPort] = freePorts(6);
    this.port = options.port ?? port!;
    this.tlsPort = options.tls === undefined ? 0 : tlsPort!;
    this.managementPort = options.management ? managementPort! : 0;
    this.url = `amqp://guest:guest@127.0.0.1:${this.port}/`;
    this.#programs = programs;
    const parent = options.dir === undefined ? {} : { dir: options.dir };
    this.#dir = Deno.makeTempDirSync({ ...parent, prefix: "oss-watcher-rabbit-" });
    this.#env = {
      ...this.#environment({ distPort: distPort!, epmdPort: epmdPort!, ctlPort: ctlPort! }),
      ...options.env,
    };
    this.#writeFiles(options);
  }

  /**
   * Makes the server write the existence of quorum queues to disk, which it otherwise does within
   * minutes. A queue that is younger does not survive {@linkcode PrivateRabbit.kill}, whatever was
   * confirmed.
   */
  async sync(): Promise<void> {
    await this.ctl("eval", "[dets:sync(Table) || Table <- dets:all()].");
  }

  /** Ends every process of the server at once, as `kill -9` does. */
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

  /** Starts the server again with its stored state. Ends it first if it runs. */
  async restart(): Promise<void> {
    await this.kill();
    const { program, args } = this.#programs.command("sh", ["-c", RUN, this.#programs.server, this.#dir]);
    const group = new Deno.Command("setsid", {
      args: [program, ...args],
      cwd: this.#dir,
      clearEnv: true,
      env: this.#env,
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#group = group;
    const ended = new AbortController();
    group.status.then(() => ended.abort());
    const deadline = Date.now() + 60_000;
    while (!await talksAmqp(this.port)) {
      if (ended.signal.aborted || Date.now() > deadline) {
        throw new Error(
          `Cannot start RabbitMQ: ${ended.signal.aborted ? "it ended" : "no answer"}\n${this.#lastLog()}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends the server and removes everything it had. */
  async stop(): Promise<void> {
    await this.kill();
    await Deno.remove(this.#dir, { recursive: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Runs rabbitmqctl; gives its output. */
  async ctl(...args: string[]): Promise<string> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      try {
        return await this.#ctlOnce(args);
      } catch (error) {
        if (!(error instanceof Error) || !NOT_YET.test(error.message) || Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  async #ctlOnce(args: readonly string[]): Promise<string> {
    const { program, args: all } = this.#programs.command(this.#programs.ctl, ["-q", ...args]);
    const command = new Deno.Command(program, { args: [...all], clearEnv: true, env: this.#env, stdin: "null" });
    const { success, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    if (!success) {
      throw new Error(`Cannot run rabbitmqctl ${args[0]}: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
    }
    return decoder.decode(stdout);
  }

  /** Its release as a number: 3.1 for 3.10.8, 4.3 for 4.3.6. */
  async release(): Promise<number> {
    return parseFloat(await this.ctl("version"));
  }

  /** Runs rabbitmqctl and blocks this thread, for at least this long. */
  ctlBusy(ms: number, ...args: string[]): void {
    const until = Date.now() + ms;
    const { program, args: all } = this.#programs.command(this.#programs.ctl, ["-q", ...args]);
    new Deno.Command(program, { args: [...all], clearEnv: true, env: this.#env, stdin: "null" }).outputSync();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.max(0, until - Date.now()));
  }

  #environment(ports: { distPort: number; epmdPort: number; ctlPort: number }): Record<string, string> {
    return {
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      LANG: "C.UTF-8",
      HOME: this.#dir,
      ERL_CRASH_DUMP_SECONDS: "0",
      ERL_EPMD_ADDRESS: "127.0.0.1",
      ERL_EPMD_PORT: String(ports.epmdPort),
      RABBITMQ_NODENAME: `oss-watcher-${this.port}@localhost`,
      RABBITMQ_DIST_PORT: String(ports.distPort),
      RABBITMQ_CTL_DIST_PORT_MIN: String(ports.ctlPort),
      RABBITMQ_CTL_DIST_PORT_MAX: String(ports.ctlPort),
      RABBITMQ_CTL_ERL_ARGS: "+S 1:1",
      RABBITMQ_MNESIA_BASE: `${this.#dir}/mnesia`,
      RABBITMQ_LOG_BASE: `${this.#dir}/log`,
      RABBITMQ_CONF_ENV_FILE: `${this.#dir}/rabbitmq-env.conf`,
      RABBITMQ_CONFIG_FILE: `${this.#dir}/rabbitmq.conf`,
      RABBITMQ_CONFIG_FILES: `${this.#dir}/conf.d`,
      RABBITMQ_ADVANCED_CONFIG_FILE: `${this.#dir}/advanced.config`,
      RABBITMQ_ENABLED_PLUGINS_FILE: `${this.#dir}/enabled_plugins`,
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+S 1:1 +P 65536 -kernel inet_dist_use_interface {127,0,0,1}",
      // Makes the script become the server instead of waiting for it.
      RUNNING_UNDER_SYSTEMD: "true",
    };
  }

  #writeFiles({ tls, management = false, settings = [] }: RabbitStart): void {
    const lines = [
      `listeners.tcp.1 = 127.0.0.1:${this.port}`,
      "log.console = false",
      "log.file.level = warning",
      "disk_free_limit.absolute = 1MB",
      "vm_memory_high_watermark.absolute = 512MiB",
      "raft.wal_max_size_bytes = 8000000",
    ];
    if (tls !== undefined) {
      lines.push(
        `listeners.ssl.1 = 127.0.0.1:${this.tlsPort}`,
        `ssl_options.cacertfile = ${tls.ca}`,
        `ssl_options.certfile = ${tls.cert}`,
        `ssl_options.keyfile = ${tls.key}`,
        "ssl_options.verify = verify_peer",
        "ssl_options.fail_if_no_peer_cert = true",
      );
    }
    if (management) {
      lines.push(`management.tcp.port = ${this.managementPort}`, "management.tcp.ip = 127.0.0.1");
    }
    const files = {
      "rabbitmq.conf": [...lines, ...settings].join("\n"),
      "rabbitmq-env.conf": "",
      "advanced.config": "[].",
      enabled_plugins: management ? "[rabbitmq_management]." : "[].",
    };
    for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${this.#dir}/${name}`, `${text}\n`);
    for (const folder of ["conf.d", "log"]) Deno.mkdirSync(`${this.#dir}/${folder}`);
    // Written here, because the server and its control program would each invent one when started
    // together.
    Deno.writeTextFileSync(`${this.#dir}/.erlang.cookie`, crypto.randomUUID(), { mode: 0o400 });
  }

  #lastLog(): string {
    const files = [...Deno.readDirSync(`${this.#dir}/log`)].filter((entry) => entry.isFile);
    return files.flatMap(({ name }) => Deno.readTextFileSync(`${this.#dir}/log/${name}`).split("\n").slice(-20)).join(
      "\n",
    );
  }
}

/**
 * A server that talks AMQP and has not quite started; another rabbitmqctl that has the port which
 * both would use.
 */
const NOT_YET = /requires the 'rabbit' app to be running|nodistribution/;

/**
 * One process group with all that belongs to the server: its port mapper, the server itself, and a
 * watch on standard input, which removes the folder and ends the group when we are gone, even if we
 * were killed.
 */
const RUN = `
  exec 3<&0 </dev/null
  epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" &
  { cat <&3 >/dev/null; rm -rf "$1"; kill -9 -$$; } &
  exec 3<&-
  exec "$0" >"$1/log/output" 2>&1
`;

async function talksAmqp(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const timer = setTimeout(() => connection.closeWrite().catch(() => {}), 1_000);
    try {
      await connection.write(new Uint8Array([...new TextEncoder().encode("AMQP"), 0, 0, 9, 1]));
      const answer = new Uint8Array(1);
      // 1 is a method frame: the server's connection.start.
      return await connection.read(answer) === 1 && answer[0] === 1;
    } finally {
      clearTimeout(timer);
    }
  } catch {
    return false;
  }
}
