import type { DeliveredLedger } from "../../model/delivered.ts";
import type { OperatorResult } from "../../model/operations.ts";
import type { Plugin } from "../../model/plugin.ts";
import { compare, type Comparison, type Difference, resourceOf } from "./compare.ts";
import { DeliveryHistory } from "./delivery_history.ts";
import { listAll } from "./list_all.ts";
import { redeliveryClosure } from "./redelivery_closure.ts";

/** What an audit found of one plugin's target. */
export type AuditedTarget =
  | { readonly plugin: string; readonly outcome: "audited" } & Comparison & { readonly repair: Repair | null }
  | { readonly plugin: string; readonly outcome: "not listed"; readonly reason: string }
  | { readonly plugin: string; readonly outcome: "failed"; readonly error: string };

/** The deliveries that are made again. */
export interface Repair {
  readonly redelivered: readonly OperatorResult[];
  /**
   * Differences that remain: deliveries cannot repair them, or one of the deliveries was refused.
   */
  readonly remaining: number;
}

export interface AuditOptions {
  readonly name: string;
  readonly plugin: Plugin;
  readonly ledger: DeliveredLedger;
  /** Whether to deliver again. */
  readonly isApplied: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * Compares what a target holds with what was delivered to it, and delivers again on demand. The
 * target is read first, then the ledger. A difference counts if a second reading finds it, too: the
 * service may be at work.
 */
export async function auditTarget(options: AuditOptions): Promise<AuditedTarget> {
  const { name: plugin, plugin: { list, expected } } = options;
  const lacks = [...list === undefined ? ["list"] : [], ...expected === undefined ? ["expected"] : []];
  if (lacks.length > 0) {
    return { plugin, outcome: "not listed", reason: `the plugin has no \`${lacks.join("` and `")}\`` };
  }
  const first = await read(options);
  if ("error" in first) return { plugin, outcome: "failed", error: first.error };
  const second = first.comparison.differences.length === 0 ? first : await read(options);
  if ("error" in second) return { plugin, outcome: "failed", error: second.error };
  const known = new Set(first.comparison.differences.map(nameOf));
  const differences = second.comparison.differences.filter((one) => known.has(nameOf(one)));
  const repair = options.isApplied ? await repairAll(differences, { ...options, history: second.history }) : null;
  return { plugin, outcome: "audited", ...second.comparison, differences, repair };
}

type Reading = { readonly history: DeliveryHistory; readonly comparison: Comparison };

/** Reads target and ledger; an error: the target cannot be listed. */
async function read(
  { name, plugin, ledger, now, signal }: AuditOptions,
): Promise<Reading | { readonly error: string }> {
  const listingBeganAt = now();
  const listed = await listAll(plugin, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  });
  if (typeof listed === "string") return { error: listed };
  const resources = [...listed.keys()].map(resourceOf);
  const history = await DeliveryHistory.read({ ledger, plugin: name, listed: resources, listingBeganAt });
  const expected: NonNullable<Plugin["expected"]> = (delivered) => plugin.expected?.(delivered) ?? [];
  return { history, comparison: await compare({ plugin: name, listed, history, ledger, expected }) };
}

async function repairAll(
  differences: readonly Difference[],
  { name: plugin, ledger, history }: AuditOptions & { readonly history: DeliveryHistory },
): Promise<Repair> {
  const seqs = await redeliveryClosure(differences.flatMap(({ repair }) => repair), {
    history,
    orderKeys: (all) => ledger.orderKeys(all),
  });
  const redelivered = seqs.length === 0 ? [] : await ledger.redeliver({ plugin, seqs, through: history.through });
  const refused = new Set(redelivered.flatMap(({ key, refused }) => refused === null ? [] : [key]));
  const isRemaining = ({ repair, key }: Difference) => repair.length === 0 || (key !== null && refused.has(key));
  return { redelivered, remaining: differences.filter(isRemaining).length };
}

function nameOf({ kind, subject, id }: Difference): string {
  return `${kind}/${subject}/${id}`;
}
