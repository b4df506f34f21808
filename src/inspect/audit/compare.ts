import type { DeliveredLedger, DeliveryRecord } from "../../model/delivered.ts";
import type { Detail } from "../../model/detail.ts";
import type { Subject } from "../../model/event.ts";
import type { ListedResource, Plugin } from "../../model/plugin.ts";
import {
  type DeliveredGroup,
  type DeliveryHistory,
  isDeleted,
  type Obstacle,
  recordsOf,
  repairOf,
} from "./delivery_history.ts";
import { unexpected } from "./unexpected.ts";

/** One resource whose record in the target is not what was delivered. */
export interface Difference {
  readonly kind: "missing" | "orphaned" | "different";
  readonly subject: Subject;
  readonly id: string;
  /** `FQDN` and `IP` of the detail; `null` when unknown. */
  readonly name: string | null;
  readonly address: string | null;
  /** The key of the last event of it that was delivered; `null`: none. */
  readonly key: string | null;
  readonly reason: string;
  /** The numbers of the events to deliver again; empty: that cannot repair it. */
  readonly repair: readonly number[];
}

/** How many resources were not judged, by the reason. */
export type NotJudged = Readonly<Record<Obstacle | "failing", number>>;

/** What a target holds, compared with what was delivered. */
export interface Comparison {
  /** Records that the target holds. */
  readonly held: number;
  /** Those of them that are as they were delivered. */
  readonly asDelivered: number;
  readonly differences: readonly Difference[];
  readonly notJudged: NotJudged;
  /** The first error of the plugin's `expected`; `null`: none. */
  readonly error: string | null;
}

/** The fingerprints that a target listed, by `subject/id`: several if it holds copies. */
export type ListedFingerprints = ReadonlyMap<string, readonly string[]>;

export interface CompareOptions {
  /** The plugin's name. */
  readonly plugin: string;
  readonly listed: ListedFingerprints;
  readonly history: DeliveryHistory;
  readonly ledger: Pick<DeliveredLedger, "details">;
  readonly expected: NonNullable<Plugin["expected"]>;
}

/** Groups whose details are read at once. */
const BATCH = 100;

/** Compares what a target listed with what was delivered to it. */
export async function compare(options: CompareOptions): Promise<Comparison> {
  const comparing = new Comparing(options);
  let batch: DeliveredGroup[] = [];
  for (const group of options.history.groups()) {
    if (comparing.mayBeExpected(group)) batch.push(group);
    if (batch.length < BATCH) continue;
    await comparing.addExpected(batch);
    batch = [];
  }
  await comparing.addExpected(batch);
  await comparing.addUnexpected();
  return comparing.result();
}

class Comparing {
  readonly #options: CompareOptions;
  readonly #differences: Difference[] = [];
  readonly #notJudged = { "unfinished": 0, "given up": 0, "changing": 0, "unknown": 0, "failing": 0 };
  /** Listed resources that were compared, by `subject/id`. */
  readonly #compared = new Set<string>();
  #asDelivered = 0;
  #error: string | null = null;

  constructor(options: CompareOptions) {
    this.#options = options;
  }

  /** Whether the target must hold a group's resources. Counts the groups that are not judged. */
  mayBeExpected(group: DeliveredGroup): boolean {
    if (group.obstacle !== null && group.obstacle !== "unknown") this.#notJudged[group.obstacle]++;
    return group.obstacle === null && !isDeleted(group);
  }

  async addExpected(groups: readonly DeliveredGroup[]): Promise<void> {
    const { plugin, ledger } = this.#options;
    const details = await ledger.details(plugin, groups.flatMap((group) => recordsOf(group).map(({ seq }) => seq)));
    for (const group of groups) {
      for (const one of await this.#expected(group, details)) this.#compare(one, group, details);
    }
  }

  /** What a target must hold of a group; nothing if the plugin cannot tell. */
  async #expected(
    group: DeliveredGroup,
    details: ReadonlyMap<number, Detail>,
  ): Promise<readonly ListedResource[]> {
    const delivered = recordsOf(group).flatMap(({ seq, key, subject, created }) => {
      const detail = details.get(seq);
      return detail === undefined ? [] : [{ key, subject, created, detail }];
    });
    try {
      return await this.#options.expected(delivered);
    } catch (error) {
      this.#notJudged.failing++;
      this.#error ??= error instanceof Error ? error.message : String(error);
      this.#compared.add(`server/${group.serverId}`);
      for (const id of group.floatingIps.keys()) this.#compared.add(`floatingip/${id}`);
      return [];
    }
  }

  #compare(
    { subject, id, fingerprint }: ListedResource,
    group: DeliveredGroup,
    details: ReadonlyMap<number, Detail>,
  ): void {
    const name = `${subject}/${id}`;
    const held = this.#options.listed.get(name) ?? [];
    this.#compared.add(name);
    const last = (subject === "server" ? group.server : group.floatingIps.get(id)) ?? null;
    const found = { subject, id, ...describe(last, details) };
    const repair = last === null ? [] : repairOf(last, group);
    if (held.length === 0) {
      this.#differences.push({ kind: "missing", ...found, reason: "it was delivered, and is not there", repair });
    } else if (held.some((one) => one !== fingerprint)) {
      const reason = "it is not as it was delivered";
      this.#differences.push({ kind: "different", ...found, reason, repair });
    } else {
      this.#asDelivered++;
      const reason = `the target holds it ${held.length} times; remove the copies by hand`;
      if (held.length > 1) this.#differences.push({ kind: "orphaned", ...found, reason, repair: [] });
    }
  }

  /** Judges what the target holds beyond what was expected. */
  async addUnexpected(): Promise<void> {
    const { plugin, listed, history, ledger } = this.#options;
    for (const [name, { length }] of listed) {
      if (this.#compared.has(name)) continue;
      const resource = resourceOf(name);
      const judged = unexpected(resource, history);
      if (judged.verdict === "not judged") {
        if (judged.isCounted) this.#notJudged.unknown += length;
        continue;
      }
      const { last, reason, isRepairable } = judged;
      const described = describe(last, last === null ? new Map() : await ledger.details(plugin, [last.seq]));
      const repair = last !== null && isRepairable ? [last.seq] : [];
      this.#differences.push({ kind: "orphaned", ...resource, ...described, reason, repair });
    }
  }

  result(): Comparison {
    return {
      held: [...this.#options.listed.values()].reduce((sum, { length }) => sum + length, 0),
      asDelivered: this.#asDelivered,
      differences: this.#differences,
      notJudged: this.#notJudged,
      error: this.#error,
    };
  }
}

function describe(
  last: DeliveryRecord | null,
  details: ReadonlyMap<number, Detail>,
): Pick<Difference, "name" | "address" | "key"> {
  const detail = last === null ? undefined : details.get(last.seq);
  return { name: detail?.FQDN ?? null, address: detail?.IP ?? null, key: last?.key ?? null };
}

/** The resource that a key of {@linkcode ListedFingerprints} names. */
export function resourceOf(name: string): { readonly subject: Subject; readonly id: string } {
  const slash = name.indexOf("/");
  return { subject: name.slice(0, slash) as Subject, id: name.slice(slash + 1) };
}
