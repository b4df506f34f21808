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

export class ToldJudge {
  readonly comparisons: Comparison[] = [];
  readonly #following: Following;
  /** By server. */
  readonly #told = new Map<string, Detail>();

  constructor(following: Following) {
    this.#following = following;
  }

  hold(call: ToldCall, { title, truths }: { readonly title: string; readonly truths: Truths }): void {
    const { kind, server, key, detail, update, isLast = true } = call;
    const told = this.#told.get(server.id);
    const about = { event: kind, key, title };
    if (update !== undefined) this.#holdContext(call, { title, told });
    if (kind !== "changed" || isLast) this.#note(about, detail, this.#wanted(call, { truths, told }));
    if (kind === "came" || kind === "changed") this.#told.set(server.id, detail);
  }

  #wanted({ kind, floatingIp }: ToldCall, { truths, told }: { truths: Truths; told: Detail | undefined }): Fields {
    const { earlier, now } = truths;
    if (kind === "came") return { ...detailOfNewServer(now!), ...this.#optional(now!), ...this.#unheard(told) };
    if (kind === "changed") return { ...detailOfServer(now!), ...this.#optional(now!), ...this.#unheard(told) };
    const FloatingIPs = now === null ? [] : floatingIpsOf(now);
    if (kind === "went") return { ...told, ...this.#following.hasAssociations && { FloatingIPs } };
    const MAC = macOf((kind === "began" ? now : earlier)!, floatingIp!);
    return { ...told, IP: floatingIp!.address, IPType: "Public", MAC, FloatingIPs };
  }

  #optional(truth: Truth): Fields {
    const { optional } = this.#following;
    return Object.fromEntries(Object.entries(optionalOf(truth)).filter(([key]) => optional.has(key)));
  }

  #unheard(told: Detail | undefined): Fields {
    if (told === undefined) return {};
    return Object.fromEntries([...this.#following.unheard].map((key) => [key, told[key]]));
  }

  /** `before` is what was last told, and `changed` names what differs from it. */
  #holdContext({ key, detail, update }: ToldCall, { title, told }: { title: string; told: Detail | undefined }): void {
    const { before, changed } = update!;
    const { keys, hasAssociations } = this.#following;
    const candidates = [...new Set([...Object.keys(before), ...Object.keys(detail)])].filter((one) =>
      (keys === "all" || keys.has(one)) && !(one === "FloatingIPs" && hasAssociations)
    );
    const differing = candidates.filter((one) => !isSame(unordered(before[one]), unordered(detail[one]))).sort();
    this.#note({ event: "changed", key, title }, { before, changed }, { before: told, changed: differing });
  }

  #note(about: Pick<Comparison, "event" | "key" | "title">, got: Fields, wanted: Fields): void {
    const fields = [...new Set([...Object.keys(wanted), ...Object.keys(got)])];
    const findings = fields.map((field): Finding => {
      const [one, other] = [got[field], wanted[field]];
      return { field, got: one, wanted: other, isRight: field in wanted && isSame(one, other) };
    });
    this.comparisons.push({ ...about, findings });
  }
}

/** OpenStack has lists in no order. */
function unordered(value: unknown): unknown {
  return Array.isArray(value) ? value.map((one) => JSON.stringify(one)).sort() : value;
}

function isSame(got: unknown, wanted: unknown): boolean {
  try {
    assert.deepEqual(got, wanted);
    return true;
  } catch {
    return false;
  }
}
