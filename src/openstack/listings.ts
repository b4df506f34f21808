import { UserError } from "../model/errors.ts";
import { isoUtc } from "../model/timestamp.ts";
import { printable } from "../wire/escaping/printable.ts";
import { shownUrl } from "../wire/secrets/redact.ts";
import type { Answered, Caller } from "./caller.ts";
import { listing, type ListingOptions, type Page } from "./listing.ts";
import {
  type FloatingIpRecord,
  PORT_FIELDS,
  type PortRecord,
  readFloatingIp,
  readPort,
  readServer,
  type ServerRecord,
} from "./records.ts";
import { accountText, permissionOf, type RequestKind, type Rights } from "./rights.ts";
import type { Transport } from "./transport.ts";

/** Which resources are listed, where the listing begins, and what cancels it. */
export interface PageOptions {
  /**
   * `next` of the last processed page: the listing continues after it. `null` begins at the start.
   */
  readonly after?: string | null;
  /**
   * `allProjects` of the last processed page, if the listing continues: then a refusal of all
   * projects is an error. By default it leads to the servers of our own project.
   */
  readonly allProjects?: boolean | null;
  /**
   * Lists only what changed at this time or later, by the clocks of the service: ISO 8601.
   * Fractions of a second are cut off, as the services store none.
   */
  readonly changesSince?: string | null;
  readonly signal?: AbortSignal;
}

/** How a listing ended: at its end, or before its first page by 403, or by 400 for its filter. */
type Ending = "end" | "forbidden" | "filterRefused";

type List<T> = Pick<ListingOptions<T>, "service" | "path" | "key" | "read">;

interface Expectation {
  readonly kind: RequestKind;
  readonly allProjects: boolean | null;
  /** Whether earlier calls have read pages of the listing: then it may not be refused. */
  readonly isContinued: boolean;
  readonly hasFilter?: boolean;
}

export interface ListingsOptions {
  readonly caller: Caller;
  readonly transport: Transport;
  readonly rights: Rights;
  readonly pageSize: number;
}

/** Lists servers, ports and floating IPs page by page. */
export class Listings {
  readonly #options: ListingsOptions;

  constructor(options: ListingsOptions) {
    this.#options = options;
  }

  /** See `OpenStackApi.servers`. */
  async *servers(options: PageOptions): AsyncGenerator<Page<ServerRecord>, void, void> {
    const { rights, pageSize } = this.#options;
    const { after = null, allProjects = null } = options;
    const own = `/servers/detail?limit=${pageSize}${sinceQuery("changes-since", options)}`;
    const list = (path: string) => ({ service: "Nova", path, key: "servers", read: readServer } as const);
    if (allProjects === true || allProjects === null && rights.mayAsk("servers")) {
      const isContinued = allProjects === true;
      const expected = { kind: "servers", allProjects: true, isContinued } as const;
      const ending = yield* this.#pages(list(`${own}&all_tenants=1`), options, expected);
      if (ending === "end") return;
    }
    yield* this.#pages(list(own), options, { kind: "servers", allProjects: false, isContinued: after !== null });
  }

  /** See `OpenStackApi.ports`. */
  ports(options: PageOptions): AsyncGenerator<Page<PortRecord>, void, void> {
    const path = `/ports?limit=${this.#options.pageSize}&${PORT_FIELDS}`;
    return this.#neutron({ service: "Neutron", path, key: "ports", read: readPort }, options, "ports");
  }

  /** See `OpenStackApi.floatingIps`. */
  floatingIps(options: PageOptions): AsyncGenerator<Page<FloatingIpRecord>, void, void> {
    const path = `/floatingips?limit=${this.#options.pageSize}`;
    return this.#neutron(
      { service: "Neutron", path, key: "floatingips", read: readFloatingIp },
      options,
      "floatingIps",
    );
  }

  async *#neutron<T>(
    list: List<T>,
    options: PageOptions,
    kind: "ports" | "floatingIps",
  ): AsyncGenerator<Page<T>, void, void> {
    const expected = { kind, allProjects: null, isContinued: (options.after ?? null) !== null };
    const filter = sinceQuery("changed_since", options);
    const filtered = { ...list, path: `${list.path}${filter}` };
    const ending = yield* this.#pages(filtered, options, { ...expected, hasFilter: filter !== "" });
    if (ending === "filterRefused") yield* this.#pages(list, options, expected);
  }

  async *#pages<T>(
    list: List<T>,
    { after = null, signal }: PageOptions,
    expected: Expectation,
  ): AsyncGenerator<Page<T>, Ending, void> {
    const { caller, transport, rights } = this.#options;
    const { kind, allProjects, isContinued, hasFilter = false } = expected;
    for await (const page of listing({ ...list, caller, transport, after, signal })) {
      if (!("refused" in page)) {
        yield { ...page, allProjects };
        continue;
      }
      const { call, answer } = page.refused;
      const mayBeRefused = page.isFirst && !isContinued;
      if (answer.status === 403 && !mayBeRefused) throw rightsLost(kind, page.refused);
      if (answer.status === 403) {
        rights.refused(kind, page.refused);
        return "forbidden";
      }
      if (answer.status === 400 && page.isFirst && hasFilter) return "filterRefused";
      // Floating IPs belong to Neutron's router extension: without that, their path does not exist.
      const isFirstRequest = mayBeRefused && !call.url.includes("&marker=");
      if (answer.status === 404 && kind === "floatingIps" && isFirstRequest) return "end";
      const state = `${answer.status}: "${answer.errorMessage}". Check that the URL is right`;
      throw transport.failure(call, { reason: "client_error", status: answer.status, state });
    }
    return "end";
  }
}

/** The rest of the list would be taken for deleted, or our own project's servers for all. */
function rightsLost(kind: RequestKind, { call, answer: { errorMessage }, session }: Answered): UserError {
  const [url] = shownUrl(call.url).split("?");
  return new UserError(
    `Cannot ${permissionOf(kind).what} to the end: ${call.service} at ${url} allowed the first pages, and then ` +
      `answered 403${errorMessage && `: "${errorMessage}"`}, so rights were taken away while listing. ` +
      accountText(kind, session),
  );
}

/** @throws {RangeError} when the time is not one. */
function sinceQuery(name: string, { changesSince = null }: PageOptions): string {
  if (changesSince === null) return "";
  const since = isoUtc(changesSince);
  if (since === null) {
    throw new RangeError(`Cannot list what changed since "${printable(changesSince, 60)}": it is not an ISO 8601 time`);
  }
  return `&${name}=${encodeURIComponent(since.replace(/\.\d+Z$/, "Z"))}`;
}
