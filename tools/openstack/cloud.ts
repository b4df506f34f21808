// A private OpenStack: the real Keystone, Glance, Placement, Nova and Neutron with RabbitMQ and
// MariaDB, from Debian's packages, on the loopback address, in a folder of its own. Only the
// hypervisor and the switch are stand-ins: Nova's own fake driver, and l2_agent.py.
import { freePorts } from "../free_ports.ts";
import { progress } from "../packages.ts";
import type { PrivateRabbit } from "../rabbitmq.ts";
import { type Broker, refusesTransientQueues, startBroker } from "./broker.ts";
import { configFiles, databaseUrl } from "./config_files.ts";
import { Daemon, runToEnd } from "../daemon.ts";
import { groupName, sqlCommand, startDatabase, userName } from "./database.ts";
import { type Inventory, makeAccounts, makeInventory } from "./inventory.ts";
import type { Command, Programs } from "./programs.ts";
import { allAlive, allUp, answers, forceDown, untilFree } from "./readiness.ts";
import { type Account, CloudClient } from "./rest.ts";
import { roomyMemory } from "./roomy_memory.ts";
import { addEmptyRegion } from "./second_region.ts";
import * as services from "./services.ts";
import { ADDRESS, type Compute, type Notifying, REGION, type Site } from "./settings.ts";

export interface CloudStart {
  readonly programs: Programs;
  readonly notifying: Notifying;
  readonly computes: readonly Compute[];
}

/** Builds a cloud and waits until all of it works. A minute on two idle cores. */
export async function startCloud(start: CloudStart): Promise<PrivateCloud> {
  const cloud = new PrivateCloud(await startBroker(start.programs), start);
  try {
    await cloud.build();
  } catch (error) {
    await cloud.stop();
    throw new Error(`Cannot start the private OpenStack: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  return cloud;
}

export class PrivateCloud implements AsyncDisposable {
  readonly rabbit: PrivateRabbit;
  readonly region = REGION;
  readonly authUrl: string;
  readonly adminAccount: Account;
  readonly #site: Site;
  readonly #programs: Programs;
  readonly #env: Readonly<Record<string, string>>;
  #notifying: Notifying;
  #daemons: Daemon[] = [];
  #inventory: Inventory | null = null;

  /** Use {@linkcode startCloud}. */
  constructor({ rabbit, version }: Broker, { programs, notifying, computes }: CloudStart) {
    const [mysql, keystone, glance, placement, nova, neutron] = freePorts(6) as [number, ...number[]] as Six;
    const dir = Deno.makeTempDirSync({ ...roomyMemory(), prefix: "oss-watcher-openstack-" });
    const secret = crypto.randomUUID();
    const ports = { mysql, keystone, glance, placement, nova, neutron };
    this.rabbit = rabbit;
    this.#programs = programs;
    this.#notifying = notifying;
    const transport = `rabbit://guest:guest@${ADDRESS}:${rabbit.port}//`;
    this.#site = { dir, ports, secret, transport, hasQuorumQueues: refusesTransientQueues(version), computes };
    this.authUrl = `http://${ADDRESS}:${keystone}/v3`;
    this.adminAccount = { user: "admin", password: secret, project: "admin" };
    // The environment is not passed on: a proxy in it would be asked for 127.0.0.1.
    this.#env = {
      PATH: `${Deno.env.get("PATH") ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`,
      LANG: "C.UTF-8",
      HOME: dir,
      PYTHONUNBUFFERED: "1",
    };
  }

  get inventory(): Inventory {
    return this.#inventory!;
  }

  admin(): Promise<CloudClient> {
    return CloudClient.login(this.authUrl, this.adminAccount);
  }

  /** Use {@linkcode startCloud}. */
  async build(): Promise<void> {
    const begun = Date.now();
    const seconds = () => `${Math.round((Date.now() - begun) / 1000)} s`;
    this.#writeFiles();
    await this.#startDatabase();
    await this.#makeSchemas();
    progress(`OpenStack: databases after ${seconds()}`);
    await this.#startIdentity();
    await this.#startServices();
    this.#inventory = await makeInventory(await this.admin(), this.#site);
    progress(`OpenStack: up after ${seconds()}, ${this.authUrl}`);
  }

  /** Restarts Nova and Neutron with other settings. Their databases stay. */
  async renotify(notifying: Notifying): Promise<void> {
    const begun = Date.now();
    this.#notifying = notifying;
    this.#writeFiles();
    const isTheirs = ({ name }: Daemon) => /^(nova|neutron|compute|l2)/.test(name);
    const theirs = this.#daemons.filter(isTheirs);
    this.#daemons = this.#daemons.filter((daemon) => !isTheirs(daemon));
    await Promise.all(theirs.map((daemon) => daemon.stop()));
    await untilFree([this.#site.ports.nova, this.#site.ports.neutron]);
    await this.#startNovaAndNeutron();
    progress(`OpenStack: Nova and Neutron again after ${Math.round((Date.now() - begun) / 1000)} s`);
  }

  /** Kills a compute host and tells Nova so at once, as a monitoring service does. */
  async losesHost(host: string): Promise<void> {
    const lost = this.#daemons.find(({ name }) => name === host)!;
    await lost.stop();
    this.#daemons = this.#daemons.filter((daemon) => daemon !== lost);
    if (!await forceDown(await this.admin(), host, true)) throw new Error(`Nova does not take ${host} for down`);
  }

  /** Starts that host again. Nova takes it for up once the host has dropped the servers that were evacuated from it. */
  async hasHostAgain(host: string): Promise<void> {
    const admin = await this.admin();
    const since = new Date(Date.now() - 1000);
    const own = this.#site.computes.filter((one) => one.host === host);
    const daemon = this.#serve(services.compute(this.#site, host));
    await daemon.until(() => forceDown(admin, host, false));
    await daemon.until(() => allUp(admin, own, since));
  }

  /** See {@linkcode addEmptyRegion}. */
  async addEmptyRegion(name: string): Promise<AsyncDisposable> {
    const [site, sql] = [this.#site, (statements: string) => this.#sql(statements)];
    type Where = Parameters<typeof services.novaApi>[2];
    const serve = (where: Where) => this.#serve(services.novaApi(site, this.#programs, where));
    return await addEmptyRegion(name, { site, sql, serve, admin: await this.admin() });
  }

  /** Ends every process and removes everything. */
  async stop(): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.stop()));
    this.#daemons = [];
    await this.rabbit.stop();
    await Deno.remove(this.#site.dir, { recursive: true }).catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #writeFiles(): void {
    const { dir, computes } = this.#site;
    const folders = [
      "log",
      "etc/placement",
      "var/lock",
      "var/images",
      "var/staging",
      "var/tasks",
      "var/nova",
      "var/neutron",
    ];
    for (const folder of [...folders, ...computes.map(({ host }) => `var/${host}`)]) {
      Deno.mkdirSync(`${dir}/${folder}`, { recursive: true });
    }
    for (const { host } of computes) keepId(services.computeIdFile(dir, host));
    for (const [path, text] of Object.entries(configFiles(this.#site, this.#notifying))) {
      Deno.writeTextFileSync(`${dir}/${path}`, text);
    }
  }

  async #startDatabase(): Promise<void> {
    const { dir, ports: { mysql: port }, secret } = this.#site;
    const names = ["keystone", "placement", "glance", "nova_api", "nova", "nova_cell0", "neutron"];
    const run = (name: string, command: Command) => this.#run(name, command);
    await startDatabase({ dir, port, secret, names, run, start: (name, command) => this.#start(name, command) });
  }

  /** Rows come as lines, with tabs between their values. */
  #sql(statements: string): Promise<string> {
    return this.#run("mysql-statements", sqlCommand(this.#site.dir, statements));
  }

  /** Makes them side by side: most of a cloud's start is spent here. */
  async #makeSchemas(): Promise<void> {
    const { dir, secret } = this.#site;
    const nova = ["nova-manage", "--config-file", `${dir}/etc/nova.conf`] as const;
    const keystone = ["keystone-manage", "--config-file", `${dir}/etc/keystone.conf`] as const;
    const me = ["--keystone-user", userName(), "--keystone-group", groupName()];
    const inOrder = async (name: string, commands: readonly Command[]) => {
      for (const command of commands) await this.#run(`schema-${name}`, command);
    };
    await Promise.all([
      inOrder("neutron", [["neutron-db-manage", "--config-file", `${dir}/etc/neutron.conf`, "upgrade", "heads"]]),
      inOrder("nova", [
        [...nova, "api_db", "sync"],
        [...nova, "cell_v2", "map_cell0", "--database_connection", databaseUrl(this.#site, "nova_cell0")],
        [...nova, "cell_v2", "create_cell", "--name", "cell1"],
        [...nova, "db", "sync"],
      ]),
      inOrder("keystone", [
        [...keystone, "db_sync"],
        [...keystone, "fernet_setup", ...me],
        [...keystone, "credential_setup", ...me],
        [
          ...[...keystone, "bootstrap", "--bootstrap-password", secret, "--bootstrap-region-id", REGION] as const,
          ...["admin", "internal", "public"].flatMap((kind) => [`--bootstrap-${kind}-url`, this.authUrl]),
        ],
        ["glance-manage", "--config-file", `${dir}/etc/glance-api.conf`, "db_sync"],
        ["placement-manage", "--config-file", `${dir}/etc/placement/placement.conf`, "db", "sync"],
      ]),
    ]);
  }

  async #startIdentity(): Promise<void> {
    const { ports } = this.#site;
    const keystone = this.#serve(services.keystone(this.#site, this.#programs));
    const placement = this.#serve(services.placement(this.#site, this.#programs));
    await keystone.until(() => answers(this.authUrl));
    await makeAccounts(await this.admin(), this.#site);
    await placement.until(() => answers(`http://${ADDRESS}:${ports.placement}/`));
  }

  async #startServices(): Promise<void> {
    const { dir, ports } = this.#site;
    const glance = this.#serve(services.glance(this.#site, this.#programs));
    await this.#startNovaAndNeutron();
    await glance.until(() => answers(`http://${ADDRESS}:${ports.glance}/`));
    // Hosts belong to no cell until nova-manage discovers them.
    await this.#run("discover-hosts", [
      ...["nova-manage", "--config-file", `${dir}/etc/nova.conf`, "cell_v2", "discover_hosts"] as const,
    ]);
  }

  async #startNovaAndNeutron(): Promise<void> {
    const { ports, computes } = this.#site;
    for (const service of services.nova(this.#site, this.#programs)) this.#serve(service);
    const [neutron] = services.neutron(this.#site, this.#programs).map((service) => this.#serve(service));
    const hosts = computes.map(({ host }) => this.#serve(services.compute(this.#site, host)));
    await neutron!.until(() => answers(`http://${ADDRESS}:${ports.neutron}/`));
    const agent = this.#serve(services.l2Agent(this.#site));
    const api = this.#daemons.find(({ name }) => name === "nova-api")!;
    await api.until(() => answers(`http://${ADDRESS}:${ports.nova}/`));
    const since = new Date(Date.now() - 1000);
    const admin = await this.admin();
    await hosts[0]!.until(() => allUp(admin, computes, since));
    await agent.until(() => allAlive(admin, computes, since));
  }

  #serve({ name, command, env = {} }: services.Service): Daemon {
    return this.#start(name, command, env);
  }

  #start(name: string, command: Command, env: Readonly<Record<string, string>> = {}): Daemon {
    const { dir } = this.#site;
    const daemon = new Daemon({ name, command: this.#programs.run(command), env: { ...this.#env, ...env }, dir });
    this.#daemons.push(daemon);
    return daemon;
  }

  #run(name: string, command: Command): Promise<string> {
    return runToEnd({ name, command: this.#programs.run(command), env: this.#env, dir: this.#site.dir });
  }
}

/** Made once: a host keeps it through all restarts. */
function keepId(file: string): void {
  try {
    Deno.writeTextFileSync(file, crypto.randomUUID(), { createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

type Six = [number, number, number, number, number, number];
