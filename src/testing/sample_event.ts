import type { Detail, NotifyContext, Subject } from "../../mod.ts";

/** The arguments of `notify`. */
export interface SampleEvent {
  /** The first argument of `notify`. */
  readonly detail: Detail;
  /** The second: `true` for a creation. */
  readonly created: boolean;
  /** The third: of a first attempt that is never aborted; its logger discards all lines. */
  readonly context: NotifyContext;
}

/** Options of {@linkcode sampleEvent}. */
export interface SampleOptions {
  /** A server, or its association with a floating IP. @default "server" */
  readonly subject?: Subject;
  /** `true` for a creation. @default true */
  readonly created?: boolean;
  /** Which server, from 1 to 250: every one has its own id, name and addresses. @default 1 */
  readonly server?: number;
  /** Keys of the detail to replace. */
  readonly detail?: Partial<Detail>;
}

/**
 * An event as plugins get it: the creation or deletion of a server, or of its association with a
 * floating IP. Equal options make equal events. All objects are frozen, since plugins share a
 * detail.
 *
 * @example
 * ```ts
 * import { sampleEvent, type SampleEvent, type SampleOptions } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * const options: SampleOptions = { subject: "floatingip", created: false, detail: { Owner: "o'hara" } };
 * const { detail, created, context }: SampleEvent = sampleEvent(options);
 *
 * assert.deepEqual([detail.FQDN, detail.IP, detail.Owner, created], ["web-1.cloud.example.com", "203.0.113.1", "o'hara", false]);
 * assert.equal(context.key, "floatingip/00000001-2222-4a4a-8b8b-0d0f3c2a1e11/2/deletion");
 * ```
 */
export function sampleEvent(options: SampleOptions = {}): SampleEvent {
  const { subject = "server", created = true, server = 1, detail = {} } = options;
  const group = created ? "creation" : "deletion";
  const key = subject === "server"
    ? `server/${serverIdOf(server)}/${group}`
    : `floatingip/${uuid(server, FLOATING_IP)}/${created ? 1 : 2}/${group}`;
  const context: NotifyContext = {
    key,
    sequence: SEQUENCES[subject][group],
    kind: group,
    subject,
    eventType: subject === "floatingip"
      ? "floatingip.update.end"
      : `compute.instance.${created ? "create" : "delete"}.end`,
    time: `2026-11-21T${created ? "18" : "19"}:59:01.000Z`,
    origin: "bus",
    attempt: 1,
    signal: new AbortController().signal,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    creationSeen: true,
    missing: [],
    keep() {},
    note() {},
  };
  return { detail: frozen({ ...sampleDetail(server, { subject, created }), ...detail }), created, context };
}

/** A server comes, is changed up to 999 times, gets a floating IP and loses it, and goes. */
const SEQUENCES = {
  server: { creation: 1, deletion: 1003 },
  floatingip: { creation: 1001, deletion: 1002 },
} as const;

/** The id of a server by its number. */
export function serverIdOf(server: number): string {
  return uuid(server, SERVER);
}

const SERVER = "debe-43ae-a555-28a4a5d84694";
const FLOATING_IP = "2222-4a4a-8b8b-0d0f3c2a1e11";

function sampleDetail(
  server: number,
  { subject, created }: { readonly subject: Subject; readonly created: boolean },
): Detail {
  const mac = `fa:16:3e:00:00:${server.toString(16).padStart(2, "0")}`;
  const floating = { id: uuid(server, FLOATING_IP), address: `203.0.113.${server}`, fixedAddress: `10.0.0.${server}` };
  const isFloating = subject === "floatingip";
  return {
    FQDN: `web-${server}.cloud.example.com`,
    IP: isFloating ? floating.address : floating.fixedAddress,
    IPType: isFloating ? "Public" : "Private",
    OS: "Ubuntu 24.04",
    Storage: 80,
    Ram: 8,
    CPU: 2,
    Datacenter: null,
    SecurityDomain: null,
    Owner: "anna",
    AdditionalUsers: ["bert", "carla"],
    ApplicationName: "shop",
    EnvironmentCI: "production",
    Description: "The shop's front",
    CreationDate: "2026-11-21",
    ID: serverIdOf(server),
    ImageID: "035c2bc7-f2be-4607-afcf-c3b6237e9fe5",
    MAC: mac,
    ProjectID: "77f1c1ad7a254bc1ae5d1b9a0c6f0a11",
    ProjectName: "admin",
    UserID: "0f3c2a1e77f1c1ad7a254bc1ae5d1b9a",
    UserName: "admin",
    RemoteAddress: "192.168.122.97",
    Metadata: { owner: "anna", application_name: "shop" },
    Addresses: [{ address: floating.fixedAddress, mac, type: "fixed", network: "private", version: 4 }],
    FloatingIPs: isFloating && created ? [floating] : [],
  };
}

function uuid(number: number, end: string): string {
  return `${number.toString(16).padStart(8, "0")}-${end}`;
}

/** Freezes a value and all that it holds. */
export function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}
