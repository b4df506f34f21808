// Holds each call of a plugin that follows changes against the APIs, and against what it was last
// told: the test keeps its own books of that.
import assert from "node:assert/strict";
import type { Detail } from "../../mod.ts";
import type { Comparison, Finding } from "./report.ts";
import type { Expected } from "./step.ts";
import {
  detailOfNewServer,
  detailOfServer,
  type Fields,
  floatingIpsOf,
  macOf,
  optionalOf,
  type Truth,
} from "./truth.ts";

/** What a follower's config.ts says. */
export interface Following {
  readonly keys: ReadonlySet<string> | "all";
  readonly optional: ReadonlySet<string>;
  readonly hasAssociations: boolean;
  /** Keys of which no message tells this follower. */
  readonly unheard: ReadonlySet<string>;
  /** Whether a message tells the network of a port that is attached. Otherwise Nova is asked, and may not know it yet. */
  readonly hearsNetworks: boolean;
}

/** A call that had to come, and came. */
export interface ToldCall extends Expected {
  readonly key: string;
  readonly detail: Detail;
  /** Of an update: what the plugin's context said. */
  readonly update?: { readonly before: Detail; readonly changed: readonly string[] };
  /** Of an update: whether no other follows in this step. @default true */
  readonly isLast?: boolean;
}

export interface Truths {
  /** Before the step; `null`: the server was not there. */
  readonly earlier: Truth | null;
  /** After the step. */
  readonly now: Truth | null;
}

export interface Circumstances {
  readonly title: string;
  /** Keys that are as told last, whatever the APIs say. @default none */
  readonly asTold?: readonly string[];
  readonly truths: Truths;
}

export class ToldJudge {
  readonly comparisons: Comparison[] = [];
  readonly #following: Following;
  /** By server. */
  readonly #told = new Map<string, Detail>();
  /** Ids of floating IPs, by server, as the calls so far have told. */
  readonly #associated = new Map<string, ReadonlySet<string>>();

  constructor(following: Following) {
    this.#following = following;
  }

  hold(call: ToldCall, { title, asTold = [], truths }: Circumstances): void {
    const { kind, server, key, detail, update, isLast = true } = call;
    const told = this.#told.get(server.id);
    const about = { event: kind, key, title };
    this.#associate(call);
    if (update !== undefined) this.#holdContext(call, { title, told });
    if (kind !== "changed" || isLast) {
      const wanted = { ...this.#wanted(call, { truths, told }), ...picked(told, asTold) };
      this.#note(about, this.#following.hearsNetworks ? detail : withNetworks(detail, wanted), wanted);
    }
    if (kind === "came" || kind === "changed") this.#told.set(server.id, detail);
  }

  #wanted(
    { kind, server, floatingIp }: ToldCall,
    { truths, told }: { truths: Truths; told: Detail | undefined },
  ): Fields {
    const { earlier, now } = truths;
    const FloatingIPs = this.#floatingIps(server.id, truths);
    const own = { ...now !== null && this.#optional(now), ...picked(told, this.#following.unheard), FloatingIPs };
    if (kind === "came") return { ...detailOfNewServer(now!), ...own };
    if (kind === "changed") return { ...detailOfServer(now!), ...own };
    if (kind === "went") return { ...told, ...this.#following.hasAssociations && { FloatingIPs } };
    const MAC = macOf((kind === "began" ? now : earlier)!, floatingIp!);
    return { ...told, IP: floatingIp!.address, IPType: "Public", MAC, FloatingIPs };
  }

  #associate({ kind, server, floatingIp }: ToldCall): void {
    if (kind !== "began" && kind !== "ended") return;
    const before = this.#associated.get(server.id) ?? new Set();
    const own = new Set([floatingIp!.id]);
    this.#associated.set(server.id, kind === "began" ? before.union(own) : before.difference(own));
  }

  /** Those that the server has after this call: others may come or go in the same step. */
  #floatingIps(serverId: string, { earlier, now }: Truths): readonly Fields[] {
    const all = [earlier, now].flatMap((truth) => truth === null ? [] : floatingIpsOf(truth));
    if (!this.#following.hasAssociations) return now === null ? [] : floatingIpsOf(now);
    const ids = this.#associated.get(serverId) ?? new Set();
    return [...new Map(all.map((one) => [one["id"], one])).values()].filter(({ id }) => ids.has(id as string));
  }

  #optional(truth: Truth): Fields {
    const { optional } = this.#following;
    return Object.fromEntries(Object.entries(optionalOf(truth)).filter(([key]) => optional.has(key)));
  }

  /** `before` is what was last told, and `changed` names what differs from it. */
  #holdContext({ key, detail, update }: ToldCall, { title, told }: { title: string; told: Detail | undefined }): void {
    const { before, changed } = update!;
    const { keys, hasAssociations } = this.#following;
    const candidates = [...new Set([...Object.keys(before), ...Object.keys(detail)])].filter((one) =>
      (keys === "all" || keys.has(one)) && !(one === "FloatingIPs" && hasAssociations)
    );
    const differing = candidates.filter((one) => !isSameField(one, before[one], detail[one])).sort();
    this.#note({ event: "changed", key, title }, { before, changed }, { before: told, changed: differing });
  }

  #note(about: Pick<Comparison, "event" | "key" | "title">, got: Fields, wanted: Fields): void {
    const fields = [...new Set([...Object.keys(wanted), ...Object.keys(got)])];
    const findings = fields.map((field): Finding => {
      const [one, other] = [got[field], wanted[field]];
      return { field, got: one, wanted: other, isRight: field in wanted && isSameField(field, one, other) };
    });
    this.comparisons.push({ ...about, findings });
  }
}

function picked(told: Detail | undefined, keys: Iterable<string>): Fields {
  return told === undefined ? {} : Object.fromEntries([...keys].map((key) => [key, told[key]]));
}

/** With the names of networks that nobody told. */
function withNetworks(detail: Detail, wanted: Fields): Detail {
  const named = wanted["Addresses"] as Detail["Addresses"];
  const networkOf = (address: string) => named.find((one) => one.address === address)?.network ?? null;
  const Addresses = detail.Addresses.map((one) => ({ ...one, network: one.network ?? networkOf(one.address) }));
  return { ...detail, Addresses };
}

/** Lists that OpenStack has in no order. */
const UNORDERED: ReadonlySet<string> = new Set(["Addresses", "FloatingIPs"]);

function isSameField(field: string, got: unknown, wanted: unknown): boolean {
  if (!UNORDERED.has(field) || !Array.isArray(got) || !Array.isArray(wanted)) return isSame(got, wanted);
  const sorted = (items: readonly unknown[]) => items.map((one) => JSON.stringify(one)).sort();
  return isSame(sorted(got), sorted(wanted));
}

function isSame(got: unknown, wanted: unknown): boolean {
  try {
    assert.deepEqual(got, wanted);
    return true;
  } catch {
    return false;
  }
}
