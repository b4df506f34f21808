/**
 * A cloud of any size behind {@linkcode OpenStackServer}: the records have the recorded shape, the
 * lists are paged as the real services page them, and what is gone can be a marker no more.
 *
 * @module
 */

import { absent, cellDown, filterRefused, forbidden, hiddenByPolicy, markerGone, noPath } from "./made_answers.ts";
import { deletedServer, type Kind, type Made, MADE_AT, madeResources, minimalServer } from "./made_records.ts";
import { recordedShapes, type Shapes } from "./made_records.ts";
import type { Interceptor, OpenStackServer, TakenRequest } from "./openstack_server.ts";

export type { Kind };
export { idOf } from "./made_records.ts";

/** How many of each there are. */
export interface CloudSize {
  readonly servers: number;
  /** The first servers have one each. */
  readonly floatingIps: number;
  /** @default 5 */
  readonly projects?: number;
  /**
   * The id of the first project, which is that of a plain member's account. @default "project-0"
   */
  readonly ownProject?: string;
}

const PATH = /^(?:compute GET \/v2\.1|network GET \/v2\.0)\/(servers|ports|floatingips)(?:\/([^/]+))?$/;

export class MadeCloud {
  /** What is there, in the order of the ids, which is that of the lists. */
  readonly lists: Readonly<Record<Kind, Made[]>> = { servers: [], ports: [], floatingips: [] };
  /** Servers that were deleted, and are still in Nova's database: listed with `changes-since`. */
  readonly deleted: Made[] = [];
  /**
   * Whether a server that is removed is kept in Nova's database, where it is a good marker, too.
   */
  keepsDeleted = false;
  /**
   * Whether the account is a plain member: it sees its own project, and not the list of all
   * servers.
   */
  isMember = false;
  /** The kinds that are forbidden (403), by id and as a list. */
  readonly refused = new Set<Kind>();
  /** Ids of ports and floating IPs that a policy of Neutron hides, after the page was cut. */
  readonly hidden = new Set<string>();
  /** Ids of servers in a cell that does not answer. */
  readonly inDownCell = new Set<string>();
  /** Whether Neutron has the router extension. */
  hasRouters = true;
  /** What Neutron does with the filter `changed_since`. */
  changedSince: "known" | "ignored" | "refused" = "known";
  /**
   * Whether Neutron pages as for a plugin that cannot: a marker that is gone gives an empty page.
   */
  emulatesPages = false;
  /** Whether something drops the links to the next pages. */
  dropsLinks = false;
  /** The largest page that the services give. */
  maxLimit = 1000;
  /** How long each answer takes. */
  delayMs = 0;
  /** The time of the services, for changes and deletions; ISO 8601 in whole seconds. */
  now = MADE_AT;
  /**
   * Called before each request of a resource or a list is answered: to change the cloud meanwhile.
   */
  before: (request: TakenRequest) => void = () => {};
  readonly #server: OpenStackServer;
  readonly #size: CloudSize;
  readonly #shapes: Shapes;

  private constructor(server: OpenStackServer, size: CloudSize, shapes: Shapes) {
    [this.#server, this.#size, this.#shapes] = [server, size, shapes];
  }

  /** Puts a cloud behind the server; other requests are answered from the recordings. */
  static async behind(server: OpenStackServer, size: CloudSize): Promise<MadeCloud> {
    const cloud = new MadeCloud(server, size, await recordedShapes(server));
    for (let number = 0; number < size.servers; number++) cloud.add(number);
    server.intercept = cloud.intercept;
    return cloud;
  }

  /** Adds a server with its port and, if it is among the first, a floating IP. Numbers ascend. */
  add(number: number): void {
    const { projects = 5, ownProject = "project-0", floatingIps } = this.#size;
    const project = number % projects === 0 ? ownProject : `project-${number % projects}`;
    const made = madeResources(number, { shapes: this.#shapes, project, hasFloatingIp: number < floatingIps });
    this.lists.servers.push(made.servers);
    this.lists.ports.push(made.ports);
    if (made.floatingips !== null) this.lists.floatingips.push(made.floatingips);
  }

  /** Takes one away, as if somebody had deleted it. */
  remove(kind: Kind, id: string): void {
    const [gone] = this.lists[kind].splice(this.lists[kind].findIndex((one) => one["id"] === id), 1);
    if (kind === "servers" && this.keepsDeleted && gone !== undefined) {
      this.deleted.push(deletedServer(gone, this.now));
    }
  }

  /** Changes one, as if somebody had changed it now. */
  change(kind: Kind, id: string, values: Made): void {
    const one = this.#find(kind, id);
    if (one === undefined) throw new Error(`There is no ${id} in ${kind}`);
    if (kind === "servers") Object.assign(one, { updated: this.now }, values);
    else {
      const revision = Number(one["revision_number"]) + 1;
      Object.assign(one, { updated_at: this.now, revision_number: revision }, values);
    }
  }

  readonly intercept: Interceptor = (request) => {
    if (!request.headers.has("x-auth-token")) return undefined;
    if (this.delayMs === 0) return this.#answer(request);
    return new Promise((resolve) => setTimeout(() => resolve(this.#answer(request)), this.delayMs));
  };

  #answer(request: TakenRequest): Response | undefined {
    const url = new URL(request.path, "http://here");
    const [, name, id] = PATH.exec(`${request.service} ${request.method} ${url.pathname}`) ?? [];
    if (name === undefined) return this.#named(request);
    const kind = name as Kind;
    this.before(request);
    if (kind === "floatingips" && !this.hasRouters) return noPath();
    if (this.refused.has(kind)) return forbidden(kind);
    const isList = id === undefined || kind === "servers" && id === "detail";
    return isList ? this.#page(kind, url.searchParams) : this.#one(kind, id, request, url.searchParams);
  }

  #one(kind: Kind, id: string, { headers }: TakenRequest, query: URLSearchParams): Response {
    const one = this.#find(kind, id);
    if (one === undefined || this.isMember && !this.#isOwn(one)) return absent(kind, id);
    if (this.hidden.has(id)) return hiddenByPolicy();
    if (!this.inDownCell.has(id)) return Response.json({ [kind.slice(0, -1)]: only(one, query.getAll("fields")) });
    const minor = Number(/2\.(\d+)$/.exec(headers.get("openstack-api-version") ?? "")?.[1] ?? 1);
    return minor < 69 ? cellDown() : Response.json({ server: minimalServer(one) });
  }

  #page(kind: Kind, query: URLSearchParams): Response {
    if (kind === "servers" && query.has("all_tenants") && this.isMember) {
      return this.#server.recorded("servers-all-tenants-as-member");
    }
    if (query.has("changed_since") && this.changedSince === "refused") return filterRefused();
    const list = this.#listed(kind, query);
    const limit = Math.min(Number(query.get("limit") ?? this.maxLimit), this.maxLimit);
    const marker = query.get("marker");
    const isGood = marker === null || this.#isMarker(kind, marker);
    if (!isGood && kind !== "servers" && this.emulatesPages) return Response.json({ [kind]: [] });
    if (!isGood && kind !== "floatingips") return markerGone(kind, marker);
    // Neutron begins floating IPs anew.
    const at = marker === null || !isGood ? 0 : placeBehind(list, marker);
    const page = list.slice(at, at + limit);
    // Neutron cuts the page, hides what a policy hides, and then looks whether the page is full.
    const shown = page.filter((one) => !this.hidden.has(String(one["id"])));
    const records = shown.map((one) => only(one, query.getAll("fields")));
    const hasNext = shown.length === limit && !this.dropsLinks;
    const links = hasNext ? { [`${kind}_links`]: [{ rel: "next", href: "http://here/" }] } : {};
    return Response.json({ [kind]: records, ...links });
  }

  /**
   * What a list has, before it is paged. Nova's lists lack what is soft-deleted or in a cell that
   * is down.
   */
  #listed(kind: Kind, query: URLSearchParams): Made[] {
    const isOwn = kind === "servers" ? !query.has("all_tenants") : this.isMember;
    const since = query.get("changes-since") ?? (this.changedSince === "known" ? query.get("changed_since") : null);
    const all = kind === "servers" && since !== null ? merged(this.lists.servers, this.deleted) : this.lists[kind];
    const isEvery = !isOwn && since === null && kind !== "servers";
    if (isEvery) return all;
    return all.filter((one) =>
      (!isOwn || this.#isOwn(one)) && !this.inDownCell.has(String(one["id"])) &&
      (since === null ? one["status"] !== "SOFT_DELETED" : String(one["updated"] ?? one["updated_at"]) >= since)
    );
  }

  #isMarker(kind: Kind, id: string): boolean {
    return this.#find(kind, id) !== undefined || kind === "servers" && this.deleted.some((one) => one["id"] === id);
  }

  #isOwn(one: Made): boolean {
    return one["tenant_id"] === (this.#size.ownProject ?? "project-0");
  }

  #find(kind: Kind, id: string): Made | undefined {
    const list = this.lists[kind];
    const one = list[placeBehind(list, id) - 1];
    return one?.["id"] === id ? one : undefined;
  }

  #named({ service, path }: TakenRequest): Response | undefined {
    const [, kind, id] = /^\/v3\/(projects|users)\/([^/?]+)$/.exec(path) ?? [];
    if (service !== "identity" || id === undefined) return undefined;
    const named = { id, name: `name of ${id}` };
    return Response.json(kind === "projects" ? { project: named } : { user: named });
  }
}

function only(record: Made, fields: readonly string[]): Made {
  if (fields.length === 0) return record;
  return Object.fromEntries(Object.entries(record).filter(([key]) => fields.includes(key)));
}

/** The place of the first whose id is greater. */
function placeBehind(list: readonly Made[], id: string): number {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (String(list[middle]?.["id"]) <= id) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Two lists in the order of the ids. */
function merged(first: readonly Made[], second: readonly Made[]): Made[] {
  return [...first, ...second].sort((one, other) => String(one["id"]) < String(other["id"]) ? -1 : 1);
}
