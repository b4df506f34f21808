import type { CloudScope } from "../../../src/model/comparison.ts";
import type { Listing } from "../../../src/model/ledger.ts";
import { unknownServer } from "../../../src/model/snapshot.ts";
import type {
  CloudView,
  Reading,
  SeenFloatingIp,
  SeenPage,
  SeenPort,
  SeenServer,
} from "../../../src/reconcile/cloud_view.ts";
import { ADDRESS, MAC } from "../../support/stories.ts";
import { iso, type ModelCloud, type ModelFloatingIp, type ModelPort, type ModelServer } from "./model_cloud.ts";

/** What the account may see. `listing`: it lists everything, and sees only its own resources by their ids. */
type Rights = "all" | "own" | "listing";

/** With which rights, and where, the account reads. */
export interface Account {
  readonly nova: Rights;
  /** `network`: its own resources, and all ports on its own network. */
  readonly neutron: Rights | "network";
  readonly isAdmin: boolean;
  readonly place: "here" | "elsewhere";
  /** Whether another place has the same names and addresses. */
  readonly isAlike?: boolean;
}

const FULL: Account = { nova: "all", neutron: "all", isAdmin: true, place: "here" };

/** The tamest first. */
export const ACCOUNTS = {
  full: FULL,
  "not an administrator, sees all": { ...FULL, isAdmin: false },
  "without its role": { nova: "own", neutron: "own", isAdmin: false, place: "here" },
  "restricted by a policy": { nova: "own", neutron: "own", isAdmin: true, place: "here" },
  "restricted in Nova": { ...FULL, nova: "own" },
  "restricted in Neutron": { ...FULL, neutron: "own" },
  "lists all, and sees its own": { nova: "listing", neutron: "listing", isAdmin: false, place: "here" },
  "owner of a network": { nova: "own", neutron: "network", isAdmin: false, place: "here" },
  elsewhere: { ...FULL, place: "elsewhere" },
  "elsewhere, by the same address": { ...FULL, place: "elsewhere", isAlike: true },
  "elsewhere, without its role": { nova: "own", neutron: "all", isAdmin: false, place: "elsewhere" },
} as const satisfies Readonly<Record<string, Account>>;

/** OpenStack does not answer usefully. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

export interface ViewOptions {
  readonly here: ModelCloud;
  readonly elsewhere: ModelCloud;
  readonly account: () => Account;
  /** Servers that a policy or a filter hides: not listed, and 403. */
  readonly hidden: ReadonlySet<string>;
  /** Everything that may happen between a question and its answer. It rejects if there is none. */
  readonly pause: () => Promise<void>;
  /** Records on the next page, at least 1. */
  readonly pageSize: () => number;
  readonly chance: (percent: number) => boolean;
}

/** What an account sees of the model through the APIs. */
export class ModelView implements CloudView {
  readonly #options: ViewOptions;

  constructor(options: ViewOptions) {
    this.#options = options;
  }

  async scope(): Promise<CloudScope> {
    await this.#options.pause();
    const { isAdmin, place, isAlike = false } = this.#options.account();
    return {
      projectId: "own",
      isAdmin,
      fields: { region: isAlike ? "here" : place, roles: isAdmin ? "admin" : "member" },
    };
  }

  async *read(listing: Listing, { changesSince }: { readonly changesSince: string | null }): AsyncGenerator<SeenPage> {
    const { pause, pageSize, chance } = this.#options;
    for (let after = "", restarts = 0;;) {
      await pause();
      const ids = this.#listed(listing, changesSince);
      // The marker of the next page was deleted: the listing begins again.
      if (after !== "" && !ids.includes(after) && restarts++ < 3) after = "";
      const rest = ids.filter((id) => id > after);
      const page = rest.slice(0, pageSize());
      yield this.#page(listing, page, { isOfChanges: changesSince !== null });
      if (chance(2)) throw new NoAnswer("The page broke off");
      if (page.length === rest.length) return;
      after = page.at(-1) as string;
    }
  }

  async server(id: string): Promise<Reading<SeenServer>> {
    await this.#options.pause();
    const server = this.#cloud.servers.get(id);
    if (server === undefined || server.life === "gone") return "absent";
    if (this.#options.hidden.has(id)) return "forbidden";
    if (!this.#sees(server, "nova", "id")) return this.#options.chance(50) ? "forbidden" : "absent";
    if (this.#isDown(server) && this.#options.chance(30)) throw new NoAnswer("The cell is down");
    return this.#server(server);
  }

  async port(id: string): Promise<Reading<SeenPort>> {
    await this.#options.pause();
    const port = this.#cloud.ports.get(id);
    return port !== undefined && this.#sees(port, "neutron", "id") ? this.#port(port) : "absent";
  }

  async floatingIp(id: string): Promise<Reading<SeenFloatingIp>> {
    await this.#options.pause();
    const floatingIp = this.#cloud.floatingIps.get(id);
    return floatingIp !== undefined && this.#sees(floatingIp, "neutron", "id")
      ? this.#floatingIp(floatingIp)
      : "absent";
  }

  get #cloud(): ModelCloud {
    const { here, elsewhere, account } = this.#options;
    return account().place === "here" ? here : elsewhere;
  }

  /** The ids that a listing has, ascending. */
  #listed(listing: Listing, changesSince: string | null): readonly string[] {
    const { servers, ports, floatingIps } = this.#cloud;
    const since = changesSince ?? "";
    const listed = listing === "servers"
      ? [...servers.values()].filter((one) => this.#lists(one, changesSince))
      : listing === "ports"
      ? [...ports.values()].filter(({ updatedAt }) => iso(updatedAt) >= since)
      : [...floatingIps.values()];
    const service = listing === "servers" ? "nova" : "neutron";
    return listed.filter((one) => this.#sees(one, service, "listing")).map(({ id }) => id).toSorted();
  }

  /** Nova leaves soft-deleted servers out, and deleted ones unless it is asked for changes. */
  #lists({ id, life, updatedAt }: ModelServer, changesSince: string | null): boolean {
    if (this.#options.hidden.has(id)) return false;
    if (changesSince === null) return life === "build" || life === "active";
    return iso(updatedAt) >= changesSince;
  }

  #sees(one: ModelServer | ModelPort | ModelFloatingIp, service: "nova" | "neutron", how: "id" | "listing"): boolean {
    const rights = this.#options.account()[service];
    if (rights === "all" || one.project === "own" || (rights === "listing" && how === "listing")) return true;
    return rights === "network" && "isOnOwnNetwork" in one && one.isOnOwnNetwork;
  }

  #page(listing: Listing, ids: readonly string[], { isOfChanges }: { readonly isOfChanges: boolean }): SeenPage {
    const { servers, ports, floatingIps } = this.#cloud;
    const rows = <Row>(all: ReadonlyMap<string, Row>): Row[] => ids.map((id) => all.get(id) as Row);
    if (listing === "ports") return { listing, allProjects: null, records: rows(ports).map((one) => this.#port(one)) };
    if (listing === "floatingIps") {
      return { listing, allProjects: null, records: rows(floatingIps).map((one) => this.#floatingIp(one)) };
    }
    const records = rows(servers)
      // Nova may be configured to leave out the servers of a cell that is down.
      .filter((one) => !this.#isDown(one) || !this.#options.chance(30))
      .map((one) =>
        one.life === "gone" && isOfChanges ? { ...this.#server(one), status: "DELETED" } : this.#server(one)
      );
    return { listing, allProjects: this.#options.account().nova !== "own", records };
  }

  #isDown({ cell }: ModelServer): boolean {
    return this.#cloud.cellsDown.has(cell);
  }

  #server(server: ModelServer): SeenServer {
    const { id, project: projectId, life, createdAt, launchedAt } = server;
    const state = { ...unknownServer(id), projectId, createdAt: iso(createdAt) };
    if (this.#isDown(server)) return { id, projectId, state, status: "UNKNOWN", launchedAt: null };
    const status = { build: "BUILD", active: "ACTIVE", "soft-deleted": "SOFT_DELETED", gone: "DELETED" }[life];
    return {
      id,
      projectId,
      state: { ...state, hostname: id },
      status,
      launchedAt: launchedAt === null ? null : iso(launchedAt),
    };
  }

  #port({ id, project: projectId, server: serverId, revision, updatedAt }: ModelPort): SeenPort {
    const fixed = { mac: MAC, fixedAddresses: ["10.0.0.5"], dnsName: null, dnsHostname: null };
    return { id, projectId, state: { id, serverId, ...fixed, ...this.#age({ revision, updatedAt }) } };
  }

  #floatingIp({ id, project: projectId, port: portId, revision, updatedAt }: ModelFloatingIp): SeenFloatingIp {
    const port = portId === null || this.#cloud.options.isOld
      ? null
      : { serverId: this.#cloud.ports.get(portId)?.server ?? null, mac: MAC };
    const fixedAddress = portId === null ? null : "10.0.0.5";
    const state = { id, address: ADDRESS, projectId, portId, fixedAddress, port };
    return { id, projectId, state: { ...state, ...this.#age({ revision, updatedAt }) } };
  }

  #age({ revision, updatedAt }: { readonly revision: number; readonly updatedAt: number }) {
    return this.#cloud.options.isOld ? { revision: null, updatedAt: null } : { revision, updatedAt: iso(updatedAt) };
  }
}
