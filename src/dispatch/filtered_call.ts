import type { CreationFate, Delivery, Ledger } from "../model/ledger.ts";
import type { PluginFilter } from "../model/plugin_filter.ts";
import { type Call, callOf, type CallOptions } from "./call.ts";

/** What a delivery means for a plugin that may have a filter. */
export type FilteredCall =
  | Call
  /** The filter does not match, or did not match the creation. */
  | { readonly method: "skipped" }
  /** The filter failed, on this event or on its creation. */
  | { readonly method: "undecided"; readonly error: string };

export interface FilterOptions extends CallOptions {
  /** `null`: the plugin is told everything. */
  readonly filter: PluginFilter | null;
  readonly ledger: Pick<Ledger, "creationFate">;
  /** Removes secrets. */
  readonly redact: (text: string) => string;
}

/**
 * Which method of its plugin a delivery calls, if the plugin's filter lets it. The filter decides on
 * creations. What comes later follows its creation: a target that was told of a resource is told of
 * its end, and one that was not told never hears of it, however the filter has changed meanwhile.
 * Only a deletion whose creation the ledger does not know is decided by the filter.
 *
 * Does no I/O but for the ledger's answer, and returns a value instead of a promise where that is
 * not needed.
 */
export function filteredCall(delivery: Delivery, options: FilterOptions): FilteredCall | Promise<FilteredCall> {
  const { filter } = options;
  const call = callOf(delivery, options);
  if (call.method === "none" || isChosen(delivery)) return call;
  // A filter that config.ts has no longer may have skipped the creation.
  if (filter === null) return call.method === "impossible" ? skippedWithCreation(delivery, { call, options }) : call;
  const { created, updated = false } = delivery.event;
  if (!filter.tells(created)) return SKIPPED;
  return created && !updated
    ? asked(delivery, { call, filter, options })
    : afterCreation(delivery, { call, filter, options });
}

/** An attempt was made or has begun, or an operator wants it: the filter is asked once. */
export function isChosen({ attempts, lastAttemptAt, repair = false }: Delivery): boolean {
  return attempts > 0 || lastAttemptAt !== null || repair;
}

async function afterCreation(
  delivery: Delivery,
  { call, filter, options }: { readonly call: Call; readonly filter: PluginFilter; readonly options: FilterOptions },
): Promise<FilteredCall> {
  const fate = await fateOf(delivery, options);
  if (fate === "told") return call;
  if (fate === "undecided") return { method: "undecided", error: BEHIND };
  if (delivery.event.updated) return fate === "skipped" ? SKIPPED : call;
  // Where creations are never told, a skipped one says nothing of the filter.
  return fate === "skipped" && filter.tells(true) ? SKIPPED : asked(delivery, { call, filter, options });
}

async function skippedWithCreation(
  delivery: Delivery,
  { call, options }: { readonly call: Call; readonly options: FilterOptions },
): Promise<FilteredCall> {
  return await fateOf(delivery, options) === "skipped" ? SKIPPED : call;
}

function fateOf({ plugin, seq, event: { key } }: Delivery, { ledger }: FilterOptions): Promise<CreationFate> {
  return ledger.creationFate(plugin, { seq, key });
}

function asked(
  { detail, event: { subject, created } }: Delivery,
  { call, filter, options }: { readonly call: Call; readonly filter: PluginFilter; readonly options: FilterOptions },
): FilteredCall {
  try {
    const told = call.method === "notify" ? call.detail : detail;
    return filter.matches(told, { subject, created }) ? call : SKIPPED;
  } catch (error) {
    return { method: "undecided", error: options.redact(error instanceof Error ? error.message : String(error)) };
  }
}

const SKIPPED = { method: "skipped" } as const;

const BEHIND = "The plugin's filter failed on the creation: replay that first, then this";
