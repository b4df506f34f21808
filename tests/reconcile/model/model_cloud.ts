import type { JsonObject, Notification } from "../../../src/model/notification.ts";
import * as told from "../../support/stories.ts";
import type { Bus } from "./bus.ts";

/** The account's own project, and another one. */
export type Project = "own" | "other";

export interface ModelServer {
  readonly id: string;
  readonly project: Project;
  readonly cell: 0 | 1;
  life: "build" | "active" | "soft-deleted" | "gone";
  readonly createdAt: number;
  launchedAt: number | null;
  updatedAt: number;
}

export interface ModelPort {
  readonly id: string;
  readonly project: Project;
  /** Whether it is on the network that the account's project shares with all others. */
  readonly isOnOwnNetwork: boolean;
  /** Whether Nova made it, and deletes it with its server. */
  readonly isOfNova: boolean;
  revision: number;
  updatedAt: number;
  server: string | null;
}

export interface ModelFloatingIp {
  readonly id: string;
  readonly project: Project;
  revision: number;
  updatedAt: number;
  port: string | null;
}

export interface CloudOptions {
  readonly now: () => number;
  /** Where its notifications go; `null`: nobody listens. */
  readonly bus: Bus | null;
  /** Whether the next message is lost. */
  readonly isLost: () => boolean;
  /** A release without revisions, times and `port_details`. */
  readonly isOld: boolean;
  /** Whether Nova publishes versioned notifications, too. */
  readonly isVersioned: boolean;
  /** The beginning of all ids. */
  readonly prefix?: string;
}

/** Nova and Neutron: what they have, and what they publish of its changes. */
export class ModelCloud {
  readonly servers = new Map<string, ModelServer>();
  ports = new Map<string, ModelPort>();
  floatingIps = new Map<string, ModelFloatingIp>();
  readonly cellsDown = new Set<number>();
  readonly options: CloudOptions;
  isListenedTo = false;
  /** Counts changes. */
  tick = 0;
  /** When Neutron was restored from a backup, in ticks: revisions before it do not compare with those after it. */
  restoredAt = 0;
  readonly #touched = new Map<string, number>();
  #ids = 0;

  constructor(options: CloudOptions) {
    this.options = options;
  }

  /** When the truth about a server or floating IP changed last, in ticks. */
  touchedAt(id: string): number {
    return this.#touched.get(id) ?? 0;
  }

  isThere(server: string | null): boolean {
    const life = this.servers.get(server ?? "")?.life;
    return life !== undefined && life !== "gone";
  }

  /** The server of a floating IP's port, according to Neutron; Nova may have deleted it. */
  portServerOf(floatingIp: string): string | null {
    return this.ports.get(this.floatingIps.get(floatingIp)?.port ?? "")?.server ?? null;
  }

  /** The server that a floating IP is associated with. */
  serverOf(floatingIp: string): string | null {
    const server = this.portServerOf(floatingIp);
    return this.isThere(server) ? server : null;
  }

  boot({ project, cell }: Pick<ModelServer, "project" | "cell">): ModelServer {
    const now = this.#now();
    const server: ModelServer = {
      id: this.#id("s"),
      project,
      cell,
      life: "build",
      createdAt: now,
      launchedAt: null,
      updatedAt: now,
    };
    this.servers.set(server.id, server);
    return server;
  }

  launch(server: ModelServer): void {
    if (server.life !== "build") return;
    server.launchedAt = this.#live(server, "active");
    this.#say(server.id, told.came(server.id, this.#words(server), this.#sent()));
    if (!this.options.isVersioned) return;
    const data = { tenant_id: server.project, created_at: iso(server.createdAt), host_name: server.id };
    this.#say(server.id, { ...told.cameVersioned(server.id, data), ...this.#sent() });
  }

  softDelete(server: ModelServer): void {
    if (server.life !== "active") return;
    this.#live(server, "soft-deleted");
    const payload = { ...this.#words(server), instance_id: server.id, host: "node" };
    const notification = told.notification("compute.instance.soft_delete.end", payload, this.#sent());
    this.#say(server.id, { ...notification, publisherId: "compute.node" });
  }

  restore(server: ModelServer): void {
    if (server.life === "soft-deleted") this.#live(server, "active");
  }

  drop(server: ModelServer, { isForced = false }: { readonly isForced?: boolean } = {}): void {
    if (server.life === "gone") return;
    for (const floatingIp of this.floatingIps.keys()) {
      if (this.serverOf(floatingIp) === server.id) this.#touch(floatingIp);
    }
    for (const port of this.ports.values()) {
      if (port.server !== server.id) continue;
      if (port.isOfNova) this.dropPort(port);
      else this.attach(port, null);
    }
    this.#live(server, "gone");
    const type = isForced ? "compute.instance.force_delete.end" : "compute.instance.delete.end";
    this.#say(server.id, told.notification(type, { ...this.#words(server), instance_id: server.id }, this.#sent()));
  }

  makePort(
    { project, isOnOwnNetwork, isOfNova }: Pick<ModelPort, "project" | "isOnOwnNetwork" | "isOfNova">,
  ): ModelPort {
    const port = {
      id: this.#id("p"),
      project,
      isOnOwnNetwork,
      isOfNova,
      revision: 1,
      updatedAt: this.#now(),
      server: null,
    };
    this.ports.set(port.id, port);
    this.#say(port.id, { ...told.portCame(port.id, this.#portWords(port)), ...this.#sent() });
    return port;
  }

  attach(port: ModelPort, server: string | null): void {
    port.server = server;
    this.bump(port);
    this.#touchThoseOn(port);
    this.#say(`update ${port.id}`, { ...told.portIs(port.id, this.#portWords(port)), ...this.#sent() });
  }

  /** A new revision without a message, as when an agent reports that the port is up. */
  bump(resource: ModelPort | ModelFloatingIp): void {
    resource.revision++;
    resource.updatedAt = this.#now();
  }

  dropPort(port: ModelPort): void {
    this.#touchThoseOn(port);
    this.ports.delete(port.id);
    for (const floatingIp of this.floatingIps.values()) {
      if (floatingIp.port !== port.id) continue;
      floatingIp.port = null;
      this.bump(floatingIp);
    }
    this.#say(port.id, { ...told.portGone(port.id, this.#portWords(port)), ...this.#sent() });
  }

  makeFloatingIp(project: Project, port: ModelPort | null): ModelFloatingIp {
    const floatingIp = { id: this.#id("f"), project, revision: 1, updatedAt: this.#now(), port: port?.id ?? null };
    this.floatingIps.set(floatingIp.id, floatingIp);
    this.#touch(floatingIp.id);
    this.#say(floatingIp.id, {
      ...told.floatingIpCame(floatingIp.id, this.#floatingIpWords(floatingIp)),
      ...this.#sent(),
    });
    return floatingIp;
  }

  associate(floatingIp: ModelFloatingIp, port: ModelPort | null): void {
    floatingIp.port = port?.id ?? null;
    this.bump(floatingIp);
    this.#touch(floatingIp.id);
    const words = this.#floatingIpWords(floatingIp);
    this.#say(`update ${floatingIp.id}`, { ...told.floatingIpIs(floatingIp.id, words), ...this.#sent() });
  }

  dropFloatingIp(floatingIp: ModelFloatingIp): void {
    const words = this.#floatingIpWords(floatingIp);
    this.floatingIps.delete(floatingIp.id);
    this.#touch(floatingIp.id);
    this.#say(floatingIp.id, { ...told.floatingIpGone(floatingIp.id, words), ...this.#sent() });
  }

  /** A copy of Neutron's database. */
  backUpNeutron(): () => void {
    const [ports, floatingIps] = [copy(this.ports), copy(this.floatingIps)];
    return () => {
      const concerned = [...this.floatingIps.keys(), ...floatingIps.keys()];
      [this.ports, this.floatingIps] = [copy(ports), copy(floatingIps)];
      for (const id of concerned) this.#touch(id);
      this.restoredAt = this.tick;
    };
  }

  #live(server: ModelServer, life: ModelServer["life"]): number {
    server.life = life;
    server.updatedAt = this.#now();
    this.#touch(server.id);
    return server.updatedAt;
  }

  #touchThoseOn(port: ModelPort): void {
    for (const { id, port: on } of this.floatingIps.values()) if (on === port.id) this.#touch(id);
  }

  #touch(id: string): void {
    this.#touched.set(id, ++this.tick);
  }

  #say(about: string, notification: Notification): void {
    const { bus, isLost } = this.options;
    if (bus !== null && this.isListenedTo && !isLost()) bus.say({ about, notification, changedAt: this.#now() });
  }

  #words({ project, createdAt, id }: ModelServer): JsonObject {
    return { tenant_id: project, created_at: iso(createdAt), hostname: id };
  }

  #portWords({ server, revision, updatedAt }: ModelPort): told.PortWords {
    return this.options.isOld ? { server } : { server, revision, more: { updated_at: iso(updatedAt) } };
  }

  #floatingIpWords({ project, port, revision, updatedAt }: ModelFloatingIp): told.FloatingIpWords {
    if (this.options.isOld) return { port, more: { project_id: project } };
    const server = this.ports.get(port ?? "")?.server ?? null;
    return { port, server, revision, more: { project_id: project, updated_at: iso(updatedAt) } };
  }

  #sent(): Pick<Notification, "time"> {
    return { time: iso(this.#now()) };
  }

  #now(): number {
    return this.options.now();
  }

  #id(kind: string): string {
    return `${this.options.prefix ?? ""}${kind}${String(++this.#ids).padStart(2, "0")}`;
  }
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function copy<Row extends object>(rows: ReadonlyMap<string, Row>): Map<string, Row> {
  return new Map([...rows].map(([id, row]) => [id, { ...row }]));
}
