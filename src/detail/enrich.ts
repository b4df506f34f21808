import type { DetailOptions } from "../model/config.ts";
import type { Detail } from "../model/detail.ts";
import type { ServerSnapshot, WatcherEvent } from "../model/event.ts";
import type { LedgerEvent } from "../model/ledger.ts";
import { mergeSnapshots, unknownServer } from "../model/snapshot.ts";
import type { OpenStackApi } from "../openstack/api.ts";
import { makeDetail } from "./make_detail.ts";

export type Asked = "server" | "portsOfServer" | "image" | "project" | "user";

/** What there is, that there is none, that we may not know it, or that OpenStack was silent for too long. */
export type SourceAnswer<What extends Asked> = Awaited<ReturnType<OpenStackApi[What]>> | "silent";

/** What can be asked, by id. */
export type DetailSource = {
  readonly [What in Asked]: (id: string, signal?: AbortSignal) => Promise<SourceAnswer<What>>;
};

/** What is known of an event's server in the end. */
export interface Enriched {
  /** What OpenStack said where messages say nothing; `null` when nothing. */
  readonly learned: ServerSnapshot | null;
  /** What it was asked for and was silent about. */
  readonly silent: readonly Asked[];
}

export interface EnrichOptions {
  readonly source: DetailSource;
  readonly detail: DetailOptions | undefined;
  /** Ends the waiting: what waits rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** The keys of the detail that come from an answer. What Nova is asked for a server that came is its description alone. */
const KEYS: Readonly<Record<Asked, readonly string[]>> = {
  server: ["Description"],
  portsOfServer: ["FQDN"],
  image: ["OS"],
  project: ["ProjectName"],
  user: ["UserName"],
};

/** The keys that Nova has for a server of which no message was seen. */
const SERVER_KEYS: readonly string[] = [
  ...["FQDN", "OS", "Storage", "Ram", "CPU", "Owner", "AdditionalUsers", "ApplicationName", "EnvironmentCI"],
  ...["Description", "CreationDate", "ID", "ImageID", "ProjectID", "ProjectName", "UserID", "UserName", "Metadata"],
  "Addresses",
];

/**
 * Asks OpenStack for what neither the event nor memory says: for a server that came, and for an association whose server no message had named
 * before; for the end of a server that was never seen, names alone; else nothing. Addresses and metadata are those of the messages, if there were
 * any: what OpenStack says is its present.
 */
export async function enrich(row: Omit<LedgerEvent, "seq">, options: EnrichOptions): Promise<Enriched> {
  const inquiry = new ServerInquiry(knownServer(row), options);
  if (isNew(row)) await inquiry.askAll();
  const wanted = questionsFor(row.event, inquiry.server, options.detail);
  await inquiry.ask(isNew(row) ? wanted.filter((asked) => asked !== "server") : wanted);
  return inquiry;
}

/** The keys of the detail that {@linkcode enrich} would ask OpenStack for. */
export function keysToAsk(row: Omit<LedgerEvent, "seq">, options: DetailOptions | undefined): readonly string[] {
  const server = knownServer(row);
  if (!isNew(row)) return questionsFor(row.event, server, options).flatMap((asked) => KEYS[asked]);
  const { detail } = makeDetail({ ...row.event, server }, { ...options, fields: {} });
  return SERVER_KEYS.filter((key) => isEmpty(detail, key));
}

/** The keys of a finished detail that lack something because OpenStack was silent. */
export function missingKeys(event: WatcherEvent, detail: Detail, silent: readonly Asked[]): readonly string[] {
  const keys = silent.flatMap((asked) => asked === "server" && isUnknown(event) ? SERVER_KEYS : KEYS[asked]);
  // The name of a server is there without the domain that its port may give it.
  const isMissing = (key: string) => isEmpty(detail, key) || (key === "FQDN" && silent.includes("portsOfServer"));
  return [...new Set(keys)].filter(isMissing);
}

/** The event with all that is known of its server by now. */
export function enrichedEvent(row: Omit<LedgerEvent, "seq">, { learned }: Pick<Enriched, "learned">): WatcherEvent {
  const server = knownServer(row);
  return { ...row.event, server: learned === null ? server : mergeSnapshots(server, learned) };
}

/** Questions about one server, and what came of them. */
class ServerInquiry implements Enriched {
  learned: ServerSnapshot | null = null;
  readonly silent: Asked[] = [];
  readonly #known: ServerSnapshot;
  readonly #options: EnrichOptions;

  constructor(known: ServerSnapshot, options: EnrichOptions) {
    this.#known = known;
    this.#options = options;
  }

  /** What is known by now. */
  get server(): ServerSnapshot {
    return this.learned === null ? this.#known : mergeSnapshots(this.#known, this.learned);
  }

  /** Everything that Nova says of the server. */
  async askAll(): Promise<void> {
    const said = await this.#answer("server", this.#known.id);
    if (said === null) return;
    const { hostname, description, projectId, userId, imageId, storageGb, ramGib, vcpus, createdAt, metadata } = said;
    // Where its floating IPs are is for messages to say.
    const addresses = said.addresses.filter(({ type }) => type !== "floating");
    const flavor = { storageGb, ramGib, vcpus };
    this.#learn({ hostname, description, projectId, userId, imageId, createdAt, metadata, addresses, ...flavor });
  }

  async ask(wanted: readonly Asked[]): Promise<void> {
    await Promise.all(wanted.map((asked) => this.#ask[asked]()));
  }

  readonly #ask: Readonly<Record<Asked, () => Promise<void>>> = {
    server: async () => {
      const said = await this.#answer("server", this.server.id);
      if (said !== null) this.#learn({ description: said.description });
    },
    portsOfServer: async () => {
      const { id, hostname } = this.server;
      const dns = (await this.#answer("portsOfServer", id))?.flatMap(({ dnsAssignments }) => dnsAssignments);
      // Neutron names a port without dns_name after its address: that is not the server's name.
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
    if (Object.values(said).every((value) => value === null)) return;
    const nothing = unknownServer(this.#known.id);
    this.learned = mergeSnapshots(this.learned ?? nothing, { ...nothing, ...said });
  }
}

/** What an answer holds if there is one. */
type AnswerValue<What extends Asked> = Exclude<SourceAnswer<What>, string>;

/**
 * The server with what was remembered of it since the event was decided: what changes in time is the event's own, unless the event knows
 * nothing at all.
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

/** Every message of a server names its project: this one was known by a port alone when the event was decided. */
function isUnknown({ subject, server }: WatcherEvent): boolean {
  return subject === "floatingip" && server.id !== null && server.projectId === null && server.createdAt === null;
}

/** Nor has any message named it since. */
function isNew({ event, remembered }: Omit<LedgerEvent, "seq">): boolean {
  return remembered === null && isUnknown(event);
}

function questionsFor(event: WatcherEvent, server: ServerSnapshot, options: DetailOptions = {}): readonly Asked[] {
  const may = allowedQuestions(event);
  if (may.length === 0) return [];
  const { detail } = makeDetail({ ...event, server }, { ...options, fields: {} });
  const isMissing: Readonly<Record<Asked, boolean>> = {
    server: server.id !== null && detail.Description === null,
    portsOfServer: server.hostname !== null && server.dnsName === null && options.domain === undefined,
    image: server.imageId !== null && detail.OS === null,
    project: server.projectId !== null && detail.ProjectName === null,
    user: server.userId !== null && detail.UserName === null,
  };
  const fixed = options.static ?? {};
  return may.filter((asked) => isMissing[asked] && !KEYS[asked].every((key) => Object.hasOwn(fixed, key)));
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
