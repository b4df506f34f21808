// A private Designate with its Keystone, from Debian's packages, on the loopback address: the API,
// central, worker, producer and mdns, with RabbitMQ and MariaDB, and a BIND that gets the zones.
// Nothing of a cloud beside it, so that a test has it in seconds.
import { Daemon, runToEnd } from "../daemon.ts";
import { freePorts } from "../free_ports.ts";
import type { Requirement } from "../packages.ts";
import { type PrivateRabbit, RABBITMQ, startRabbit } from "../rabbitmq.ts";
import { account, databaseUrl, ini, type Sections } from "./config_files.ts";
import { groupName, startDatabase, userName } from "./database.ts";
import { OPENSTACK } from "./packages.ts";
import { type Command, OWN } from "./programs.ts";
import { answers, listens } from "./readiness.ts";
import { CloudClient } from "./rest.ts";
import { roomyMemory } from "./roomy_memory.ts";
import { keystone } from "./services.ts";
import { ADDRESS, REGION } from "./settings.ts";

/** Debian's packages. */
export const DESIGNATE: readonly Requirement[] = [
  RABBITMQ,
  { program: "keystone-manage", package: "python3-keystone" },
  { program: "uwsgi_python3", package: "uwsgi-plugin-python3" },
  { program: "named", package: "bind9", places: ["/usr/sbin/named"] },
  ...OPENSTACK.filter(({ package: name }) => /^(?:mariadb|eatmydata|python3-pymysql)/.test(name)),
  ...["api", "central", "worker", "producer", "mdns"].map((part) => ({
    program: `designate-${part}`,
    package: `designate-${part}`,
  })),
];

interface Ports {
  readonly mysql: number;
  readonly keystone: number;
  readonly api: number;
  readonly mdns: number;
  readonly bind: number;
  readonly rndc: number;
}

/** Starts it, and makes an account `watcher` and two projects. */
export async function startDesignate(): Promise<PrivateDesignate> {
  const rabbit = await startRabbit(roomyMemory());
  const designate = new PrivateDesignate(rabbit);
  try {
    await designate.build();
  } catch (error) {
    await designate.stop();
    throw new Error(`Cannot start Designate: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  return designate;
}

export class PrivateDesignate implements AsyncDisposable {
  readonly secret = crypto.randomUUID();
  readonly dir = Deno.makeTempDirSync({ ...roomyMemory(), prefix: "oss-watcher-designate-" });
  readonly ports: Ports;
  readonly #rabbit: PrivateRabbit;
  readonly #daemons: Daemon[] = [];

  /** Use {@linkcode startDesignate}. */
  constructor(rabbit: PrivateRabbit) {
    const [mysql, keystone, api, mdns, bind, rndc] = freePorts(6) as [number, number, number, number, number, number];
    this.ports = { mysql, keystone, api, mdns, bind, rndc };
    this.#rabbit = rabbit;
  }

  get authUrl(): string {
    return `http://${ADDRESS}:${this.ports.keystone}/v3`;
  }

  admin(project = "admin"): Promise<CloudClient> {
    return CloudClient.login(this.authUrl, { user: "admin", password: this.secret, project });
  }

  /** Use {@linkcode startDesignate}. */
  async build(): Promise<void> {
    this.#writeFiles();
    const { dir, ports: { mysql: port }, secret } = this;
    const run = (name: string, command: Command) => this.#run(name, command);
    const start = (name: string, command: Command) => this.#start(name, command);
    await startDatabase({ dir, port, secret, names: ["keystone", "designate"], run, start });
    await Promise.all([this.#makeKeystone(), this.#makeDesignate(), this.#startBind()]);
    const { name, command, env } = keystone(this, OWN);
    const daemon = this.#start(name, command, env);
    const parts = ["central", "worker", "producer", "mdns", "api"].map((part) => this.#designate(part));
    await daemon.until(() => answers(this.authUrl));
    await makeAccounts(await this.admin(), this);
    await parts.at(-1)!.until(() => answers(`http://${ADDRESS}:${this.ports.api}/`));
    await parts.at(-2)!.until(() => listens(this.ports.mdns));
    await this.#run("pool", [
      "designate-manage",
      ...this.#config,
      "pool",
      "update",
      "--file",
      `${this.dir}/etc/pools.yaml`,
    ]);
  }

  /** Has Designate in a further region of the catalog, by another way. */
  async addRegion(id: string, url: string): Promise<void> {
    const admin = await this.admin();
    const [service] = (await admin.keystone("GET", "/services?type=dns")).services;
    await admin.keystone("POST", "/regions", { region: { id } });
    await admin.keystone("POST", "/endpoints", {
      endpoint: { service_id: service.id, interface: "public", region_id: id, url },
    });
  }

  /** Changes the way of a region that was added. */
  async setRegion(id: string, url: string): Promise<void> {
    const admin = await this.admin();
    const { endpoints: [endpoint] } = await admin.keystone("GET", `/endpoints?region_id=${id}`);
    await admin.keystone("PATCH", `/endpoints/${endpoint.id}`, { endpoint: { url } });
  }

  /** Makes a project in which the administrator has a role; its id. */
  async addProject(name: string): Promise<string> {
    const admin = await this.admin();
    const { id } = (await admin.keystone("POST", "/projects", { project: { name } })).project;
    const [role] = (await admin.keystone("GET", "/roles?name=admin")).roles;
    await admin.keystone("PUT", `/projects/${id}/users/${admin.userId}/roles/${role.id}`);
    return id;
  }

  /** Ends every process and removes everything. */
  async stop(): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.stop()));
    await this.#rabbit.stop();
    await Deno.remove(this.dir, { recursive: true }).catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #config(): readonly string[] {
    return ["--config-file", `${this.dir}/etc/designate.conf`];
  }

  #writeFiles(): void {
    for (const folder of ["log", "etc", "var/lock", "var/bind"]) {
      Deno.mkdirSync(`${this.dir}/${folder}`, { recursive: true });
    }
    const write = (path: string, text: string) => Deno.writeTextFileSync(`${this.dir}/${path}`, text);
    write("etc/keystone.conf", ini(keystoneConfig(this)));
    write("etc/designate.conf", ini(designateConfig(this, `rabbit://guest:guest@${ADDRESS}:${this.#rabbit.port}//`)));
    write("etc/pools.yaml", pools(this));
    write("etc/rndc.key", `key "rndc" { algorithm hmac-sha256; secret "${btoa(this.secret)}"; };\n`);
    write("etc/named.conf", namedConfig(this));
  }

  async #makeKeystone(): Promise<void> {
    const manage = ["keystone-manage", "--config-file", `${this.dir}/etc/keystone.conf`] as const;
    const me = ["--keystone-user", userName(), "--keystone-group", groupName()];
    await this.#run("keystone-db", [...manage, "db_sync"]);
    await this.#run("keystone-fernet", [...manage, "fernet_setup", ...me]);
    await this.#run("keystone-bootstrap", [
      ...[...manage, "bootstrap", "--bootstrap-password", this.secret, "--bootstrap-region-id", REGION] as const,
      ...["admin", "internal", "public"].flatMap((kind) => [`--bootstrap-${kind}-url`, this.authUrl]),
    ]);
  }

  async #makeDesignate(): Promise<void> {
    await this.#run("designate-db", ["designate-manage", ...this.#config, "database", "sync"]);
  }

  async #startBind(): Promise<void> {
    const daemon = this.#start("named", ["named", "-g", "-n", "1", "-c", `${this.dir}/etc/named.conf`]);
    await daemon.until(() => listens(this.ports.rndc));
  }

  #designate(part: string): Daemon {
    return this.#start(`designate-${part}`, [`designate-${part}`, ...this.#config]);
  }

  #start(name: string, command: Command, env: Readonly<Record<string, string>> = {}): Daemon {
    const daemon = new Daemon({ name, command, env: { ...this.#env, ...env }, dir: this.dir });
    this.#daemons.push(daemon);
    return daemon;
  }

  #run(name: string, command: Command): Promise<string> {
    return runToEnd({ name, command, env: this.#env, dir: this.dir });
  }

  get #env(): Readonly<Record<string, string>> {
    return {
      PATH: `${Deno.env.get("PATH") ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`,
      LANG: "C.UTF-8",
      HOME: this.dir,
      PYTHONUNBUFFERED: "1",
    };
  }
}

function keystoneConfig(designate: PrivateDesignate): Sections {
  const { dir } = designate;
  return {
    DEFAULT: { log_dir: "" },
    database: { connection: databaseUrl(designate, "keystone") },
    token: { provider: "fernet" },
    fernet_tokens: { key_repository: `${dir}/var/fernet` },
    credential: { key_repository: `${dir}/var/credential` },
  };
}

function designateConfig(designate: PrivateDesignate, transport: string): Sections {
  const { dir, ports } = designate;
  return {
    DEFAULT: { transport_url: transport, state_path: `${dir}/var`, debug: false },
    "service:api": {
      listen: `${ADDRESS}:${ports.api}`,
      api_base_uri: `http://${ADDRESS}:${ports.api}/`,
      api_paste_config: "/usr/share/designate-common/api-paste.ini",
      auth_strategy: "keystone",
      workers: 1,
    },
    "service:central": { workers: 1 },
    "service:worker": { workers: 1, poll_timeout: 5, poll_retry_interval: 1, poll_max_retries: 20, poll_delay: 0 },
    "service:mdns": { listen: `${ADDRESS}:${ports.mdns}`, workers: 1 },
    "service:producer": { workers: 1 },
    "storage:sqlalchemy": { connection: databaseUrl(designate, "designate") },
    keystone_authtoken: account(designate, "designate"),
    oslo_concurrency: { lock_path: `${dir}/var/lock` },
  };
}

function pools({ dir, ports }: PrivateDesignate): string {
  return `- name: default
  description: BIND
  attributes: {}
  ns_records:
    - hostname: ns1.example.net.
      priority: 1
  nameservers:
    - host: ${ADDRESS}
      port: ${ports.bind}
  targets:
    - type: bind9
      description: BIND
      masters:
        - host: ${ADDRESS}
          port: ${ports.mdns}
      options:
        host: ${ADDRESS}
        port: ${ports.bind}
        rndc_host: ${ADDRESS}
        rndc_port: ${ports.rndc}
        rndc_key_file: ${dir}/etc/rndc.key
`;
}

function namedConfig({ dir, ports }: PrivateDesignate): string {
  return `include "${dir}/etc/rndc.key";
options {
  directory "${dir}/var/bind";
  listen-on port ${ports.bind} { ${ADDRESS}; };
  listen-on-v6 { none; };
  pid-file "${dir}/var/named.pid";
  session-keyfile "${dir}/var/session.key";
  recursion no;
  dnssec-validation no;
  allow-new-zones yes;
  allow-notify { ${ADDRESS}; };
  allow-transfer { any; };
  request-ixfr no;
};
controls { inet ${ADDRESS} port ${ports.rndc} allow { ${ADDRESS}; } keys { "rndc"; }; };
`;
}

/** The services' accounts, as \`inventory.ts\` has those of a cloud. */
async function makeAccounts(admin: CloudClient, { ports, secret }: PrivateDesignate): Promise<void> {
  const roles = new Map<string, string>(
    (await admin.keystone("GET", "/roles")).roles.map(({ name, id }: { name: string; id: string }) => [name, id]),
  );
  const project = (await admin.keystone("POST", "/projects", { project: { name: "service" } })).project.id;
  const user = (await admin.keystone("POST", "/users", { user: { name: "designate", password: secret } })).user.id;
  await admin.keystone("PUT", `/projects/${project}/users/${user}/roles/${roles.get("admin")}`);
  const service =
    (await admin.keystone("POST", "/services", { service: { name: "designate", type: "dns" } })).service.id;
  for (const kind of ["public", "internal", "admin"]) {
    const url = `http://${ADDRESS}:${ports.api}`;
    await admin.keystone("POST", "/endpoints", {
      endpoint: { service_id: service, interface: kind, region_id: REGION, url },
    });
  }
}
