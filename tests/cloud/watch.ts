// The service on a real cloud, a receiver that gets its calls, and the judge: each call is held against what the APIs said at that time.
import { DatabaseSync } from "node:sqlite";
import assert from "node:assert/strict";
import { type Detail } from "../../mod.ts";
import { directoryRecord } from "../../plugins/directory_notify.ts";
import { type Received, Receiver } from "../../tools/receiver.ts";
import type { CloudClient } from "../../tools/openstack/rest.ts";
import { progress } from "../../tools/packages.ts";
import { Service } from "../../tools/service.ts";
import { ProgramDirectory } from "../support/program.ts";
import { until } from "../support/until.ts";
import type { Comparison, Finding } from "./report.ts";
import type { FloatingIpRef, ServerRef } from "./tenant.ts";
import {
  askTruth,
  detailOfFloatingIp,
  detailOfNewServer,
  detailOfServer,
  type Fields,
  floatingIpsOf,
  macOf,
  type Truth,
} from "./truth.ts";

/** A loaded machine is slow. */
const LONG_MS = 180_000;

/** An event that an operation must lead to. */
export interface Expected {
  readonly kind: "came" | "went" | "began" | "ended";
  readonly server: ServerRef;
  readonly floatingIp?: FloatingIpRef;
}

export const came = (server: ServerRef): Expected => ({ kind: "came", server });
export const went = (server: ServerRef): Expected => ({ kind: "went", server });
export const began = (floatingIp: FloatingIpRef, server: ServerRef): Expected => ({
  kind: "began",
  server,
  floatingIp,
});
export const ended = (floatingIp: FloatingIpRef, server: ServerRef): Expected => ({
  kind: "ended",
  server,
  floatingIp,
});

export interface Step {
  readonly title: string;
  /** Servers that the operation takes something from: the APIs are asked for them before it. */
  readonly before?: readonly ServerRef[];
  /** Does it; returns what must come of it, in this order. */
  readonly act: () => Promise<readonly Expected[]>;
  /** Events may come in any order: several resources at once. */
  readonly unordered?: boolean;
  /** The port had its server, and Neutron said so, before Nova told anybody of the server: then nobody knew the network's name. */
  readonly isEarly?: boolean;
  /** Fields of an association's events that are as at the server's creation, whatever the APIs say now: no message of the server came with it. */
  readonly asCreated?: readonly string[];
}

export interface WatchOptions {
  readonly title: string;
  readonly admin: CloudClient;
  /** `rabbit` and `openstack` of config.ts. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Event types of the groups. */
  readonly created?: string;
  readonly deleted?: string;
  /** Further files beside config.ts. */
  readonly files?: Readonly<Record<string, string>>;
  /** `false`: the course starts it. @default true */
  readonly isStarted?: boolean;
}

export class Watch implements AsyncDisposable {
  readonly comparisons: Comparison[] = [];
  readonly problems: string[] = [];
  /** How many steps were taken, and how many events they led to. */
  steps = 0;
  events = 0;
  readonly #options: WatchOptions;
  readonly #receiver = new Receiver();
  readonly #dir: ProgramDirectory;
  #service: Service | null = null;
  /** Of each floating IP. */
  readonly #transitions = new Map<string, number>();
  /** Keys of all that had to come, with their steps. */
  readonly #expected = new Map<string, string>();
  /** The details of beginnings, by server or floating IP. */
  readonly #beginnings = new Map<string, Detail>();
  readonly #primed = new Set<string>();
  readonly #titles: { readonly title: string; readonly from: number }[] = [];

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#dir = new ProgramDirectory({ "config.ts": this.#config(), ...options.files });
  }

  get log(): string {
    return this.#service?.log ?? "";
  }

  /** Starts the service and waits until it hears everything, and has read what is there. */
  async start(): Promise<void> {
    await this.listen();
    await this.#logged(/Logged in; Nova/);
    await this.#logged(/they are remembered, and nothing is sent/);
  }

  /** Starts the service and waits until its queue is bound, no longer. */
  async listen(): Promise<void> {
    this.#service = new Service(this.#dir.path());
    await this.#logged(/Listening on queue/);
  }

  /** Floating IPs that were there before the service: nobody knows how it counts their transitions. */
  primed(...floatingIps: readonly FloatingIpRef[]): void {
    for (const { id } of floatingIps) this.#primed.add(id);
  }

  /** A fact that may have been one before the service listened, or after. */
  async allow(expected: Expected, title: string): Promise<void> {
    this.#expected.set(await this.#keyOf(expected), title);
  }

  /** Does one thing to the cloud, waits for what must come of it, and compares. */
  async step({ title, before = [], act, unordered = false, isEarly = false, asCreated = [] }: Step): Promise<void> {
    const { admin } = this.#options;
    this.steps++;
    progress(`  ${title}`);
    this.#titles.push({ title, from: this.#receiver.requests.length });
    const earlier = new Map<string, Truth>();
    for (const server of before) earlier.set(server.id, (await askTruth(admin, server))!);
    const expected = await act();
    const keys: string[] = [];
    for (const one of expected) {
      keys.push(await this.#keyOf(one));
      this.#expected.set(keys.at(-1)!, title);
    }
    this.events += keys.length;
    if (!await this.#arrive(keys, title)) return;
    if (!unordered) this.#checkOrder(keys, title);
    for (const [index, one] of expected.entries()) {
      const key = keys[index]!;
      const truth = { earlier: earlier.get(one.server.id) ?? null, now: await askTruth(admin, one.server) };
      this.#compare(one, { key, title, truth, isEarly, asCreated });
    }
  }

  /** Stops the service; what should never have come has had its chance. */
  async conclude(): Promise<void> {
    const service = this.#service!;
    const { code } = await service.end("SIGTERM");
    if (code !== 0) this.problems.push(`The service ended with exit code ${code}`);
    this.problems.push(...service.log.split("\n").filter((line) => /WARN|ERROR|Uncaught|at file:/.test(line)));
    const arrived = Map.groupBy(this.#receiver.requests, ({ key }) => key);
    for (const [key, requests] of arrived) {
      if (requests.length > 1) this.problems.push(`${key} came ${requests.length} times`);
      if (!this.#expected.has(key)) {
        const index = this.#receiver.requests.indexOf(requests[0]!);
        const during = this.#titles.findLast(({ from }) => from <= index)?.title;
        this.problems.push(`${key} came, which nothing led to; during: ${during}`);
      }
    }
    this.#checkLedger();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service?.end("SIGKILL");
    await this.#receiver[Symbol.asyncDispose]();
    this.#dir[Symbol.dispose]();
  }

  async #logged(line: RegExp): Promise<void> {
    await until(() => line.test(this.log), LONG_MS).catch((error) => {
      throw new Error(`Cannot start the service: ${this.log}`, { cause: error });
    });
  }

  async #keyOf({ kind, server, floatingIp }: Expected): Promise<string> {
    if (floatingIp === undefined) return `server/${server.id}/${kind === "came" ? "creation" : "deletion"}`;
    if (this.#primed.has(floatingIp.id)) return await this.#primedKey(floatingIp, kind);
    const transition = (this.#transitions.get(floatingIp.id) ?? 0) + 1;
    this.#transitions.set(floatingIp.id, transition);
    return `floatingip/${floatingIp.id}/${transition}/${kind === "began" ? "creation" : "deletion"}`;
  }

  /** The key of the first such call that nothing has led to yet. */
  async #primedKey({ id }: FloatingIpRef, kind: string): Promise<string> {
    const end = kind === "began" ? "/creation" : "/deletion";
    const isIt = ({ key }: Received) =>
      key.startsWith(`floatingip/${id}/`) && key.endsWith(end) && !this.#expected.has(key);
    const found = await until(() => this.#receiver.requests.find(isIt), LONG_MS).catch(() => null);
    return found?.key ?? `floatingip/${id}/?${end}`;
  }

  async #arrive(keys: readonly string[], title: string): Promise<boolean> {
    const missing = () => keys.filter((key) => this.#request(key) === undefined);
    try {
      await until(() => missing().length === 0, LONG_MS);
      return true;
    } catch {
      this.problems.push(`${title}: ${missing().join(", ")} did not come`);
      return false;
    }
  }

  #checkOrder(keys: readonly string[], title: string): void {
    const positions = keys.map((key) => this.#receiver.requests.indexOf(this.#request(key)!));
    const isInOrder = positions.every((position, index) => index === 0 || position > positions[index - 1]!);
    if (!isInOrder) this.problems.push(`${title}: not in the order ${keys.join(", ")}`);
  }

  #compare(
    { kind, server, floatingIp }: Expected,
    { key, title, truth, isEarly, asCreated }: {
      readonly key: string;
      readonly title: string;
      readonly truth: { readonly earlier: Truth | null; readonly now: Truth | null };
      readonly isEarly: boolean;
      readonly asCreated: readonly string[];
    },
  ): void {
    const { path, detail } = this.#request(key)! as Received & { readonly detail: Detail };
    const isBeginning = kind === "came" || kind === "began";
    if (path !== (isBeginning ? "/created" : "/deleted")) this.problems.push(`${title}: ${key} was sent to ${path}`);
    const about = isBeginning ? truth.now : truth.earlier;
    if (about === null) throw new Error(`${title}: the APIs were not asked for server ${server.name} in time`);
    const said = {
      ...this.#said(about, kind, floatingIp),
      FloatingIPs: truth.now === null ? [] : floatingIpsOf(truth.now),
    };
    const creation = this.#beginnings.get(server.id);
    const kept = kind === "went" ? IDENTITY : kind === "came" ? [] : asCreated;
    const wanted = {
      ...said,
      ...creation !== undefined && Object.fromEntries(kept.map((field) => [field, creation[field]])),
    };
    const got = isEarly && kind === "began" ? withNetworks(detail, wanted) : detail;
    this.#note({ event: kind, key, title }, { detail: got, wanted });
    const subject = floatingIp?.id ?? server.id;
    if (kind === "came") {
      this.#beginnings.set(server.id, detail);
      this.#note({ event: "record", key, title }, { detail: directoryRecord(detail), wanted: recordOf(about) });
    } else if (kind === "began") this.#beginnings.set(subject, detail);
    else this.#compareWithBeginning({ kind, key, title }, { detail, beginning: this.#beginnings.get(subject) });
  }

  #said(truth: Truth, kind: Expected["kind"], floatingIp?: FloatingIpRef): Fields {
    if (floatingIp === undefined) return kind === "came" ? detailOfNewServer(truth) : detailOfServer(truth);
    const mac = macOf(truth, floatingIp);
    if (mac === null) throw new Error(`Neutron does not know ${floatingIp.address} on ${truth.ref.name}`);
    return detailOfFloatingIp(truth, floatingIp, mac);
  }

  /** What may have changed since is the deletion's own: metadata, sizes and image. */
  #compareWithBeginning(
    { kind, key, title }: { readonly kind: "went" | "ended"; readonly key: string; readonly title: string },
    { detail, beginning }: { readonly detail: Detail; readonly beginning: Detail | undefined },
  ): void {
    if (beginning === undefined) return;
    const lasting = Object.entries(withNetworks(beginning, detail)).filter(([field]) => !OWN.has(field));
    const wanted = Object.fromEntries(lasting);
    this.#note({ event: kind === "went" ? "went = came" : "ended = began", key, title }, { detail, wanted });
  }

  #note(
    { event, key, title }: Pick<Comparison, "event" | "key" | "title">,
    { detail, wanted }: {
      readonly detail: Readonly<Record<string, unknown>> | object;
      readonly wanted: Fields | object;
    },
  ): void {
    const got = detail as Fields;
    const findings = Object.entries(wanted).map(([field, value]): Finding => ({
      field,
      wanted: value,
      got: got[field],
      isRight: isSame(got[field], value),
    }));
    const surplus = event.includes("=") ? [] : Object.keys(got).filter((field) => !(field in wanted));
    for (const field of surplus) findings.push({ field, wanted: undefined, got: got[field], isRight: false });
    this.comparisons.push({ event, key, title, findings });
  }

  #request(key: string): Received | undefined {
    return this.#receiver.requests.find((request) => request.key === key);
  }

  /** Everything is done, and every message of a kind that matters was recorded and decided. */
  #checkLedger(): void {
    using database = new DatabaseSync(this.#dir.path("ledger.db"), { readOnly: true });
    const open = database.prepare("SELECT count(*) AS n FROM delivery WHERE state <> 'done'").get()?.["n"];
    if (open !== 0) this.problems.push(`${open} deliveries are not done in the ledger`);
  }

  #config(): string {
    const { config, created = "compute.instance.create.end", deleted = "compute.instance.delete.end" } = this.#options;
    const rest = {
      host: "http://127.0.0.1",
      port: this.#receiver.port,
      urlCreation: "/created",
      urlDeletion: "/deleted",
    };
    return `import type { Config } from "oss-watcher";
import { RestNotify } from "oss-watcher/plugins";

export default {
  events: {
    creation: ["${created}", "floatingip.update.end"],
    deletion: ["${deleted}", "floatingip.update.end"],
  },
  plugins: [new RestNotify(${JSON.stringify(rest)})],
  detail: { static: { Datacenter: "KDC" } },
  ledger: { file: "./ledger.db" },
  ...${JSON.stringify(config)},
} satisfies Config;
`;
  }
}

/** Where a server was when it came, whatever became of its ports since. */
const IDENTITY = ["FQDN", "IP", "IPType", "MAC", "Addresses"];

/** With the names of networks that were not known yet. */
function withNetworks(detail: Fields, later: Fields): Fields {
  const named = later["Addresses"] as Detail["Addresses"];
  const networkOf = (address: string) => named.find((one) => one.address === address)?.network ?? null;
  const addresses = (detail["Addresses"] as Detail["Addresses"]).map((one) => ({
    ...one,
    network: one.network ?? networkOf(one.address),
  }));
  return { ...detail, Addresses: addresses };
}

/** Fields that a deletion has from its own message. */
const OWN = new Set([
  ...["FloatingIPs", "Metadata", "Owner", "AdditionalUsers", "ApplicationName", "EnvironmentCI", "Description"],
  ...["OS", "ImageID", "Storage", "Ram", "CPU"],
]);

/** What nova_dirsvc_plugin's hooks gave, as the APIs say it. */
function recordOf(truth: Truth): Fields {
  const { ImageID, ID, MAC, ProjectName, UserName } = detailOfServer(truth);
  return {
    image_uuid: ImageID,
    instance_uuid: ID,
    mac_address: MAC,
    project_name: ProjectName,
    user_name: UserName,
    user_remote_address: null,
  };
}

function isSame(got: unknown, wanted: unknown): boolean {
  try {
    assert.deepEqual(got, wanted);
    return true;
  } catch {
    return false;
  }
}
