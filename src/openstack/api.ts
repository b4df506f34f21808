import type { Clock } from "../model/clock.ts";
import type { JsonObject } from "../model/notification.ts";
import type { Logger } from "../model/plugin.ts";
import { abilities, type Ability } from "./abilities.ts";
import { Caller } from "./caller.ts";
import { type ConfirmedLookups, confirmedLookups } from "./confirmed_lookups.ts";
import type { Credentials } from "./credentials.ts";
import { Endpoints } from "./endpoints.ts";
import { ExpiringCache } from "./expiring_cache.ts";
import { Keystone, type Named } from "./keystone.ts";
import type { Page } from "./listing.ts";
import { Listings, type PageOptions } from "./listings.ts";
import { type Answer, Lookup } from "./lookup.ts";
import { object, objects } from "./read.ts";
import {
  type FloatingIpRecord,
  type ImageRecord,
  type NameRecord,
  PORT_FIELDS,
  type PortRecord,
  readImage,
  readName,
  readPort,
  readServer,
  type ServerRecord,
} from "./records.ts";
import { Rights } from "./rights.ts";
import { type CloudScope, scopeOf } from "./scope.ts";
import { secretsOf } from "./secrets_of.ts";
import type { CatalogService } from "./services.ts";
import { type RequestRecord, Transport } from "./transport.ts";
import { untilAborted } from "./until_aborted.ts";

export type { Answer, CloudScope, Page, PageOptions };

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
  readonly #credentials: Credentials;
  readonly #listings: Listings;
  readonly #servers: Lookup<ServerRecord>;
  readonly #portsOfServers: Lookup<readonly PortRecord[]>;
  readonly #confirmed: ConfirmedLookups;
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
    [this.#credentials, this.#listings] = [credentials, new Listings({ caller, transport, rights, pageSize })];
    this.#confirmed = confirmedLookups({ caller, transport });
    this.#servers = new Lookup({
      ...shared,
      kind: "server",
      service: "Nova",
      path: (id) => `/servers/${id}`,
      read: (body) => readServer(object(body["server"])),
    });
    this.#portsOfServers = new Lookup({
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
    return this.#portsOfServers.of(serverId, signal);
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
   * As `server`, for conclusions: `absent` is only Nova's own answer that there is no such server
   * (404, `itemNotFound` with this id), and `forbidden` a refusal (403). Nova gives the same 404
   * for servers of projects that the account may not see.
   *
   * A soft-deleted server is there (`SOFT_DELETED`), a deleted one is absent, for administrators
   * too. A server in a cell that does not answer is there with the status `UNKNOWN`, or the answer
   * is an error.
   */
  confirmedServer(id: string, signal?: AbortSignal): Promise<Answer<ServerRecord>> {
    return this.#confirmed.servers.of(id, signal);
  }

  /**
   * A port by its id, for conclusions: `absent` is only Neutron's own answer that there is no such
   * port (404, `PortNotFound` with this id). Neutron gives the same answer for ports that the
   * account may not see.
   */
  port(id: string, signal?: AbortSignal): Promise<Answer<PortRecord>> {
    return this.#confirmed.ports.of(id, signal);
  }

  /**
   * A floating IP by its id, as `port`: `absent` is only `FloatingIPNotFound` with this id, not the
   * 404 of a Neutron without the router extension.
   */
  floatingIp(id: string, signal?: AbortSignal): Promise<Answer<FloatingIpRecord>> {
    return this.#confirmed.floatingIps.of(id, signal);
  }

  /**
   * All servers, page by page, the newest first; only those of our own project if listing all
   * projects is forbidden before the first page.
   *
   * Nova leaves out soft-deleted servers, those in cells that do not answer (by default, without a
   * word), and some that are being built. What is not listed may exist: ask `confirmedServer`.
   *
   * With `changesSince`, Nova lists the servers whose record in its database changed since then,
   * deleted ones (`DELETED`) and soft-deleted ones (`SOFT_DELETED`) too, for every account, until
   * `nova-manage db archive_deleted_rows` has moved them away; and in addition all servers that no
   * cell has yet. Changes of addresses and of floating IPs are not changes of the server.
   *
   * @throws {UserError} when a page after the first is forbidden: rights were taken away.
   * @throws {RangeError} when `changesSince` is not a time.
   */
  servers(options: PageOptions = {}): AsyncGenerator<Page<ServerRecord>, void, void> {
    return this.#listings.servers(options);
  }

  /**
   * All ports that the account can see, page by page: of servers, routers and other devices. No
   * page at all: listing them is forbidden.
   *
   * With `changesSince`, only those that were created or changed since then; deleted ones are not
   * listed. All of them where Neutron does not have this filter (before Newton).
   *
   * @throws As `servers`.
   */
  ports(options: PageOptions = {}): AsyncGenerator<Page<PortRecord>, void, void> {
    return this.#listings.ports(options);
  }

  /**
   * All floating IPs that the account can see, page by page. No page at all: listing them is
   * forbidden, or Neutron has no router extension. `changesSince` is as for `ports`.
   *
   * @throws As `servers`.
   */
  floatingIps(options: PageOptions = {}): AsyncGenerator<Page<FloatingIpRecord>, void, void> {
    return this.#listings.floatingIps(options);
  }

  /** As whom, and at which endpoints, the account sees the cloud: nothing of it is secret. */
  async scope(signal?: AbortSignal): Promise<CloudScope> {
    const session = await this.#keystone.session(signal);
    const work = scopeOf({ session, credentials: this.#credentials, endpoints: this.#endpoints });
    return await untilAborted(work, signal);
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
