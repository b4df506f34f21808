// Holds each call of the plugin against what the APIs said at that time, and each end against its beginning.
import assert from "node:assert/strict";
import type { Detail } from "../../mod.ts";
import { directoryRecord } from "../../plugins/directory_record.ts";
import type { Comparison, Finding } from "./report.ts";
import type { Expected, Step } from "./step.ts";
import {
  detailOfFloatingIp,
  detailOfNewServer,
  detailOfServer,
  type Fields,
  floatingIpsOf,
  macOf,
  type Truth,
} from "./truth.ts";

/** A call that had to come, and came. */
export interface Call extends Expected {
  readonly key: string;
  readonly detail: Detail;
}

export interface Circumstances {
  readonly step: Step;
  /** What the APIs said of the server before the operation, if they were asked, and after it, if it is still there. */
  readonly truth: { readonly earlier: Truth | null; readonly now: Truth | null };
}

export class Judge {
  readonly comparisons: Comparison[] = [];
  /** The details of beginnings, by server or floating IP. */
  readonly #beginnings = new Map<string, Detail>();

  hold(call: Call, { step, truth }: Circumstances): void {
    const { kind, server, floatingIp, key, detail } = call;
    const { title, isEarly = false, isFound = false, except = [] } = step;
    const about = kind === "came" || kind === "began" ? truth.now : truth.earlier;
    if (about === null) throw new Error(`${title}: the APIs were not asked for server ${server.name} in time`);
    // A comparison tells of a server before it tells of its floating IPs.
    const now = isFound && kind === "came" ? null : truth.now;
    const FloatingIPs = now === null ? [] : floatingIpsOf(now);
    const wanted = { ...saidOf(call, about, isFound), FloatingIPs, ...this.#kept(call, step) };
    const got = isEarly && kind === "began" ? withNetworks(detail, wanted) : detail;
    this.#note({ event: kind, key, title }, { got: without(got, except), wanted: without(wanted, except) });
    const subject = floatingIp?.id ?? server.id;
    if (kind === "went" || kind === "ended") return this.#holdAgainstBeginning(call, title);
    this.#beginnings.set(subject, detail);
    if (kind !== "came") return;
    this.#note({ event: "record", key, title }, { got: { ...directoryRecord(detail) }, wanted: recordOf(about) });
  }

  /** What is as the server's creation said, whatever the APIs say now. */
  #kept({ kind, server }: Call, { asCreated = [] }: Step): Fields {
    const creation = this.#beginnings.get(server.id);
    if (creation === undefined || kind === "came") return {};
    return Object.fromEntries((kind === "went" ? IDENTITY : asCreated).map((field) => [field, creation[field]]));
  }

  /** What may have changed since is the deletion's own: metadata, sizes and image. */
  #holdAgainstBeginning({ kind, server, floatingIp, key, detail }: Call, title: string): void {
    const beginning = this.#beginnings.get(floatingIp?.id ?? server.id);
    if (beginning === undefined) return;
    const wanted = without(withNetworks(beginning, detail), OWN);
    const got = Object.fromEntries(Object.keys(wanted).map((field) => [field, detail[field]]));
    this.#note({ event: kind === "went" ? "went = came" : "ended = began", key, title }, { got, wanted });
  }

  #note(
    about: Pick<Comparison, "event" | "key" | "title">,
    { got, wanted }: { readonly got: Fields; readonly wanted: Fields },
  ): void {
    const fields = [...new Set([...Object.keys(wanted), ...Object.keys(got)])];
    const findings = fields.map((field): Finding => {
      const [one, other] = [got[field], wanted[field]];
      return { field, got: one, wanted: other, isRight: field in wanted && isSame(one, other) };
    });
    this.comparisons.push({ ...about, findings });
  }
}

/** Where a server was when it came, whatever became of its ports since. */
export const IDENTITY = ["FQDN", "IP", "IPType", "MAC", "Addresses"];

/** Fields that a deletion has from its own message. */
const OWN = [
  ...["FloatingIPs", "Metadata", "Owner", "AdditionalUsers", "ApplicationName", "EnvironmentCI", "Description"],
  ...["OS", "ImageID", "Storage", "Ram", "CPU"],
];

function saidOf({ kind, floatingIp }: Call, truth: Truth, isFound: boolean): Fields {
  if (floatingIp === undefined) return kind === "came" && !isFound ? detailOfNewServer(truth) : detailOfServer(truth);
  const mac = macOf(truth, floatingIp);
  if (mac === null) throw new Error(`Neutron does not know ${floatingIp.address} on ${truth.ref.name}`);
  return detailOfFloatingIp(truth, floatingIp, mac);
}

function without(detail: Fields, fields: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(detail).filter(([field]) => !fields.includes(field)));
}

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
