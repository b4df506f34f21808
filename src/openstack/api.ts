import type { Clock } from "../model/clock.ts";
import type { JsonObject } from "../model/notification.ts";
import type { Logger } from "../model/plugin.ts";
import { abilities, type Ability } from "./abilities.ts";
import { Caller } from "./caller.ts";
import type { Credentials } from "./credentials.ts";
import { Endpoints } from "./endpoints.ts";
import { ExpiringCache } from "./expiring_cache.ts";
import { Keystone, type Named } from "./keystone.ts";
import { listing, type ListingOptions, type Page } from "./listing.ts";
import { type Answer, Lookup } from "./lookup.ts";
import { object, objects } from "./read.ts";
import {
  type FloatingIpRecord,
  type ImageRecord,
  type NameRecord,
  type PortRecord,
  readFloatingIp,
  readImage,
  readName,
  readPort,
  readServer,
  type ServerRecord,
} from "./records.ts";
import { type RequestKind, Rights } from "./rights.ts";
import type { CatalogService } from "./services.ts";
import { type RequestRecord, Transport } from "./transport.ts";
import { untilAborted } from "./until_aborted.ts";

export type { Answer, Page };

export interface OpenStackApiOptions {
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called after every HTTP request. */
  readonly onRequest?: (request: RequestRecord) => void;
  /**
   * Maximum number of concurrent requests. With 20 ms per answer, 500 events per second need about
   * 20.
   *
   * @default 24
   */
  readonly concurrency?: number;
  /** Time limit for one request. @default 60 */
  readonly timeoutSeconds?: number;
  /** Servers, ports or floating IPs per page of a listing. @default 200 */
  readonly pageSize?: number;
  /** Maximum number of cached images, projects and users, per kind. @default 2000 */
  readonly cacheSize?: number;
}

/** Where a listing begins, and what cancels it. */
export interface PageOptions {
  /**
   * `next` of the last processed page: the listing continues after it. `null` begins at the start.
   */
  readonly after?: string | null;
  readonly signal?: AbortSignal;
}

/** The fields of a port that are requested. Neutron leaves out the others, which are long. */
const PORT_FIELDS = [
  ...["id", "mac_address", "fixed_ips", "dns_assignment", "device_id", "device_owner", "network_id", "project_id"],
  ...["tenant_id", "revision_number"],
].map((field) => `fields=${field}`).join("&");

/**
 * Read-only client of the OpenStack APIs. Servers and ports are requested each time; images,
 * projects and users are cached for 10 minutes. Equal requests that run at the same time share one
 * HTTP request.
 *
 * Every method throws `OpenStackUnavailable` when a retry may succeed, and `UserError` when an
 * operator must act: a wrong password, an unknown project, a catalog without the service.
 */
export class OpenStackApi implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #keystone: Keystone;
  readonly #endpoints: Endpoints;
  readonly #caller: Caller;
  readonly #rights: Rights;
  readonly #pageSize: number;
  readonly #servers: Lookup<ServerRecord>;
  readonly #ports: Lookup<readonly PortRecord[]>;
  readonly #images: Lookup<ImageRecord>;
  readonly #projects: Lookup<NameRecord>;
  readonly #users: Lookup<NameRecord>;

  /** Does no I/O. */
  constructor(options: OpenStackApiOptions) {
    const { credentials, clock, log, onRequest, concurrency = 24, timeoutSeconds = 60, pageSize = 200 } = options;
    const { tls } = credentials;
    const secrets = secretsOf(credentials);
    const transport = new Transport({ tls, secrets, clock, onRequest, concurrency, timeoutSeconds });
    const keystone = new Keystone({ credentials, transport, clock });
    const endpoints = new Endpoints({ transport, credentials });
    const caller = new Caller({ transport, keystone, endpoints });
    const rights = new Rights({ clock, log });
    const shared = { caller, transport, rights };
    const cached = <T>() => ({
      ...shared,
      cache: new ExpiringCache<Answer<T>>({ maxEntries: options.cacheSize ?? 2000, now: () => clock.now() }),
    });
    [this.#transport, this.#keystone, this.#endpoints, this.#caller] = [transport, keystone, endpoints, caller];
    [this.#rights, this.#pageSize] = [rights, pageSize];
    this.#servers = new Lookup({
      ...shared,
      kind: "server",
      service: "Nova",
      path: (id) => `/servers/${id}`,
      read: (body) => readServer(object(body["server"])),
    });
    this.#ports = new Lookup({
      ...shared,
      kind: "port",
      service: "Neutron",
      path: (id) => `/ports?device_id=${id}&${PORT_FIELDS}`,
      read: readPorts,
    });
    this.#images = new Lookup({
      ...cached<ImageRecord>(),
      kind: "image",
      service: "Glance",
      path: (id) => `/images/${id}`,
      read: readImage,
    });
    this.#projects = new Lookup({
      ...cached<NameRecord>(),
      kind: "project",
      service: "Keystone",
      path: (id) => `/projects/${id}`,
      read: (body) => readName(object(body["project"])),
    });
    this.#users = new Lookup({
      ...cached<NameRecord>(),
      kind: "user",
      service: "Keystone",
      path: (id) => `/users/${id}`,
      read: (body) => readName(object(body["user"])),
    });
  }

  server(id: string, signal?: AbortSignal): Promise<Answer<ServerRecord>> {
    return this.#servers.of(id, signal);
  }

  /** An empty list when the server has no ports, was deleted, or is not visible to our account. */
  portsOfServer(serverId: string, signal?: AbortSignal): Promise<Answer<readonly PortRecord[]>> {
    return this.#ports.of(serverId, signal);
  }

  image(id: string, signal?: AbortSignal): Promise<Answer<ImageRecord>> {
    return this.#images.of(id, signal);
  }

  async project(id: string, signal?: AbortSignal): Promise<Answer<NameRecord>> {
    return ownOf(id, (await this.#keystone.session(signal)).project) ?? await this.#projects.of(id, signal);
  }

  async user(id: string, signal?: AbortSignal): Promise<Answer<NameRecord>> {
    return ownOf(id, (await this.#keystone.session(signal)).user) ?? await this.#users.of(id, signal);
  }

  /**
   * All servers, page by page; only those of our own project if listing all projects is forbidden.
   */
  async *servers(options: PageOptions = {}): AsyncGenerator<Page<ServerRecord>, void, void> {
    const own = `/servers/detail?limit=${this.#pageSize}`;
    const list = (path: string) => this.#listing(options, { service: "Nova", path, key: "servers", read: readServer });
    if (this.#rights.mayAsk("servers")) {
      const forbidden = yield* this.#pages(list(`${own}&all_tenants=1`), { kind: "servers", allProjects: true });
      if (!forbidden) return;
    }
    yield* this.#pages(list(own), { kind: "servers", allProjects: false });
  }

  /** All ports that the account can see, page by page: of servers, routers and other devices. */
  async *ports(options: PageOptions = {}): AsyncGenerator<Page<PortRecord>, void, void> {
    const path = `/ports?limit=${this.#pageSize}&${PORT_FIELDS}`;
    const list = this.#listing(options, { service: "Neutron", path, key: "ports", read: readPort });
    yield* this.#pages(list, { kind: "ports", allProjects: null });
  }

  /**
   * All floating IPs that the account can see, page by page; none if Neutron has no router
   * extension.
   */
  async *floatingIps(options: PageOptions = {}): AsyncGenerator<Page<FloatingIpRecord>, void, void> {
    const path = `/floatingips?limit=${this.#pageSize}`;
    const list = this.#listing(options, { service: "Neutron", path, key: "floatingips", read: readFloatingIp });
    yield* this.#pages(list, { kind: "floatingIps", allProjects: null });
  }

  /** Logs in and finds the endpoints of Nova, Neutron and Glance; throws the first problem. */
  async check(signal?: AbortSignal): Promise<void> {
    const session = await this.#keystone.session(signal);
    const services: readonly CatalogService[] = ["Nova", "Neutron", "Glance"];
    for (const service of services) await untilAborted(this.#endpoints.of(service, session), signal);
  }

  /** Which kinds of requests our account is allowed to make. */
  abilities(signal?: AbortSignal): Promise<readonly Ability[]> {
    return abilities(this.#caller, signal);
  }

  /** Aborts the running requests. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }

  #listing<T>(
    { after = null, signal }: PageOptions,
    list: Pick<ListingOptions<T>, "service" | "path" | "key" | "read">,
  ) {
    return listing({ ...list, caller: this.#caller, transport: this.#transport, after, signal });
  }

  /** Yields the pages of a listing; returns whether the service forbids it (403). */
  async *#pages<T>(
    list: ReturnType<typeof listing<T>>,
    { kind, allProjects }: { readonly kind: RequestKind; readonly allProjects: boolean | null },
  ): AsyncGenerator<Page<T>, boolean, void> {
    for await (const page of list) {
      if (!("refused" in page)) {
        yield { ...page, allProjects };
        continue;
      }
      const { call, answer } = page.refused;
      if (answer.status === 403) {
        this.#rights.refused(kind, page.refused);
        return true;
      }
      // Floating IPs belong to Neutron's router extension: without that, their path does not exist.
      if (answer.status === 404 && kind === "floatingIps" && !call.url.includes("&marker=")) return false;
      const state = `${answer.status}: "${answer.errorMessage}". Check that the URL is right`;
      throw this.#transport.failure(call, { reason: "client_error", status: answer.status, state });
    }
    return false;
  }
}

/** All ports of an answer; `null` if it has no list or one of the ports cannot be read. */
function readPorts(body: JsonObject): readonly PortRecord[] | null {
  const listed = body["ports"];
  const ports = objects(listed).map(readPort).filter((port) => port !== null);
  return Array.isArray(listed) && ports.length === listed.length ? ports : null;
}

/**
 * Our own user or project, whose name came with the token: every account may know that, without a
 * request.
 */
function ownOf(id: string, own: Named | null): NameRecord | null {
  return own !== null && own.id === id && own.name !== null ? own : null;
}

function secretsOf({ identity }: Credentials): readonly string[] {
  return [identity.method === "password" ? identity.password : identity.secret];
}
