import type { DetailOptions } from "../model/config.ts";
import type { Detail } from "../model/detail.ts";
import type { ServerSnapshot, WatcherEvent } from "../model/event.ts";
import type { LedgerEvent } from "../model/ledger.ts";
import { mergeSnapshots, unknownServer } from "../model/snapshot.ts";
import type { OpenStackApi } from "../openstack/api.ts";
import { makeDetail } from "./make_detail.ts";

export type Asked = "server" | "portsOfServer" | "image" | "project" | "user";

/**
 * The result of a request to OpenStack: the resource, `absent`, `forbidden`, or `silent` if
 * OpenStack did not answer in time.
 */
export type SourceAnswer<What extends Asked> = Awaited<ReturnType<OpenStackApi[What]>> | "silent";

/** The requests that complete a detail, each by id. */
export type DetailSource = {
  readonly [What in Asked]: (id: string, signal?: AbortSignal) => Promise<SourceAnswer<What>>;
};

/** The result of enriching an event. */
export interface Enriched {
  /** Data from OpenStack's APIs for what the messages lack; `null` if there was none. */
  readonly learned: ServerSnapshot | null;
  /** Requests that got no answer in time. */
  readonly silent: readonly Asked[];
}

export interface EnrichOptions {
  readonly source: DetailSource;
  readonly detail: DetailOptions | undefined;
  /** Cancels waiting requests, which reject with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * The keys of the detail that each request can fill. For a server whose creation was seen, Nova is
 * asked for the description only; for its updates, for the names of networks in its addresses.
 */
const KEYS: Readonly<Record<Asked, readonly string[]>> = {
  server: ["Description"],
  portsOfServer: ["FQDN"],
  image: ["OS"],
  project: ["ProjectName"],
  user: ["UserName"],
};

/** The keys that Nova can fill for a server without any message. */
const SERVER_KEYS: readonly string[] = [
  ...["FQDN", "OS", "Storage", "Ram", "CPU", "Owner", "AdditionalUsers", "ApplicationName", "EnvironmentCI"],
  ...["Description", "CreationDate", "ID", "ImageID", "ProjectID", "ProjectName", "UserID", "UserName", "Metadata"],
  "Addresses",
];

/**
 * Requests from OpenStack what neither the event nor the memory contains: for the creation of a
 * server, and for an association whose server was in no message before. For the deletion of a
 * server that was never seen, only names are requested; for other events nothing. Addresses and
 * metadata come from messages if there were any, since OpenStack returns its current state, not the
 * state at the event.
 */
export async function enrich(row: Omit<LedgerEvent, "seq">, options: EnrichOptions): Promise<Enriched> {
  const inquiry = new ServerInquiry(knownServer(row), options);
  if (isNew(row)) await inquiry.askAll();
  const wanted = questionsFor(row.event, inquiry.server, options.detail);
  await inquiry.ask(isNew(row) ? wanted.filter((asked) => asked !== "server") : wanted);
  return inquiry;
}

/** The keys of the detail for which {@linkcode enrich} would make requests. */
export function keysToAsk(row: Omit<LedgerEvent, "seq">, options: DetailOptions | undefined): readonly string[] {
  const server = knownServer(row);
  if (!isNew(row)) return questionsFor(row.event, server, options).flatMap((asked) => keysOf(asked, row.event));
  const { detail } = makeDetail({ ...row.event, server }, { ...options, fields: {} });
  return SERVER_KEYS.filter((key) => isEmpty(detail, key));
}

/** The keys of a finished detail that are incomplete because OpenStack did not answer. */
export function missingKeys(event: WatcherEvent, detail: Detail, silent: readonly Asked[]): readonly string[] {
  const keys = silent.flatMap((asked) => keysOf(asked, event));
  // FQDN has a value even without the domain, which comes from the port; addresses of an update have
  // one without the names of their networks.
  const isMissing = (key: string) =>
    isEmpty(detail, key) || (key === "FQDN" && silent.includes("portsOfServer")) ||
    (key === "Addresses" && event.updated === true);
  return [...new Set(keys)].filter(isMissing);
}

function keysOf(asked: Asked, event: WatcherEvent): readonly string[] {
  if (asked !== "server") return KEYS[asked];
  return event.updated ? ["Addresses"] : isUnknown(event) ? SERVER_KEYS : KEYS.server;
}

/** The event with its server completed from the memory and from OpenStack. */
export function enrichedEvent(row: Omit<LedgerEvent, "seq">, { learned }: Pick<Enriched, "learned">): WatcherEvent {
  const server = knownServer(row);
  return { ...row.event, server: learned === null ? server : mergeSnapshots(server, learned) };
}

/** The requests about one server, and their results. */
class ServerInquiry implements Enriched {
  learned: ServerSnapshot | null = null;
  readonly silent: Asked[] = [];
  readonly #known: ServerSnapshot;
  readonly #options: EnrichOptions;

  constructor(known: ServerSnapshot, options: EnrichOptions) {
    this.#known = known;
    this.#options = options;
  }

  /** The server with the data learned so far. */
  get server(): ServerSnapshot {
    return this.learned === null ? this.#known : mergeSnapshots(this.#known, this.learned);
  }

  /** Learns all fields of the server from Nova. */
  async askAll(): Promise<void> {
    const said = await this.#answer("server", this.#known.id);
    if (said === null) return;
    const { hostname, description, projectId, userId, imageId, storageGb, ramGib, vcpus, createdAt, metadata } = said;
    // Associations of floating IPs come from messages only.
    const addresses = said.addresses.filter(({ type }) => type !== "floating");
    const flavor = { storageGb, ramGib, vcpus };
    this.#learn({ hostname, description, projectId, userId, imageId, createdAt, metadata, addresses, ...flavor });
  }

  async ask(wanted: readonly Asked[]): Promise<void> {
    await Promise.all(wanted.map((asked) => this.#ask[asked]()));
  }

  readonly #ask: Readonly<Record<Asked, () => Promise<void>>> = {
    server: async () => {
      const { id, description, addresses } = this.server;
      const said = await this.#answer("server", id);
      if (said === null) return;
      // Neutron's messages do not name networks. Which addresses there are, messages say.
      const known = new Set(addresses.map(({ address }) => address));
      const named = said.addresses.filter(({ address, type }) => type !== "floating" && known.has(address));
      this.#learn({ description: description ?? said.description, addresses: named });
    },
    portsOfServer: async () => {
      const { id, hostname } = this.server;
      const dns = (await this.#answer("portsOfServer", id))?.flatMap(({ dnsAssignments }) => dnsAssignments);
      // Neutron names a port without dns_name after its address: such a name is not the server's.
      const own = dns?.find((one) => one.hostname !== null && one.hostname.toLowerCase() === hostname?.toLowerCase());
      this.#learn({ dnsName: own?.fqdn ?? null });
    },
    image: async () => {
      const { imageId } = this.server;
      const image = await this.#answer("image", imageId);
      if (image === null) return;
      const { os, osDistro, osVersion, name } = image;
      this.#learn({ imageId, imageOs: os, imageOsDistro: osDistro, imageOsVersion: osVersion, imageName: name });
    },
    project: async () => {
      const project = await this.#answer("project", this.server.projectId);
      this.#learn({ projectName: project?.name ?? null });
    },
    user: async () => {
      const user = await this.#answer("user", this.server.userId);
      this.#learn({ userName: user?.name ?? null });
    },
  };

  async #answer<What extends Asked>(asked: What, id: string | null): Promise<AnswerValue<What> | null> {
    if (id === null) return null;
    const { source, signal } = this.#options;
    const answer: SourceAnswer<What> = await source[asked](id, signal);
    if (answer === "silent") this.silent.push(asked);
    return typeof answer === "string" ? null : answer as AnswerValue<What>;
  }

  #learn(said: Partial<ServerSnapshot>): void {
    if (Object.values(said).every((value) => value === null || (Array.isArray(value) && value.length === 0))) return;
    const nothing = unknownServer(this.#known.id);
    this.learned = mergeSnapshots(this.learned ?? nothing, { ...nothing, ...said });
  }
}

/** The resource of a result, without the results that are strings. */
type AnswerValue<What extends Asked> = Exclude<SourceAnswer<What>, string>;

/**
 * The event's server, completed from what was remembered since the decision. Fields that change
 * over time are kept from the event, unless the event knows nothing about the server.
 */
function knownServer({ event, remembered }: Omit<LedgerEvent, "seq">): ServerSnapshot {
  if (remembered === null) return event.server;
  if (isUnknown(event)) return mergeSnapshots(event.server, { ...remembered, floatingAddress: null });
  const { description, dnsName, projectName, userName } = remembered;
  const { imageId, imageOs, imageOsDistro, imageOsVersion, imageName } = remembered;
  const lasting = {
    description,
    dnsName,
    projectName,
    userName,
    imageId,
    imageOs,
    imageOsDistro,
    imageOsVersion,
    imageName,
  };
  return mergeSnapshots(event.server, { ...unknownServer(event.server.id), ...lasting });
}

/**
 * Whether the server was known only from a port when the event was decided: every message of a
 * server contains its project.
 */
function isUnknown({ subject, server }: WatcherEvent): boolean {
  return subject === "floatingip" && server.id !== null && server.projectId === null && server.createdAt === null;
}

/** Whether the server is unknown and no message about it came since the decision. */
function isNew({ event, remembered }: Omit<LedgerEvent, "seq">): boolean {
  return remembered === null && isUnknown(event);
}

function questionsFor(event: WatcherEvent, server: ServerSnapshot, options: DetailOptions = {}): readonly Asked[] {
  const may = allowedQuestions(event);
  if (may.length === 0) return [];
  const { detail } = makeDetail({ ...event, server }, { ...options, fields: {} });
  const isMissing: Readonly<Record<Asked, boolean>> = {
    server: server.id !== null &&
      (event.updated ? server.addresses.some(({ network }) => network === null) : detail.Description === null),
    portsOfServer: server.hostname !== null && server.dnsName === null && options.domain === undefined,
    image: server.imageId !== null && detail.OS === null,
    project: server.projectId !== null && detail.ProjectName === null,
    user: server.userId !== null && detail.UserName === null,
  };
  const fixed = options.static ?? {};
  return may.filter((asked) => isMissing[asked] && !keysOf(asked, event).every((key) => Object.hasOwn(fixed, key)));
}

function allowedQuestions(event: WatcherEvent): readonly Asked[] {
  const { subject, created, creationSeen } = event;
  if (isUnknown(event) || (subject === "server" && created)) {
    return ["server", "portsOfServer", "image", "project", "user"];
  }
  return subject === "server" && !creationSeen ? ["project", "user"] : [];
}

function isEmpty(detail: Detail, key: string): boolean {
  const value = detail[key] ?? null;
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}
