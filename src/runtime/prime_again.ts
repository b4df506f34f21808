import { type Found, prime } from "../facts/prime.ts";
import type { Clock } from "../model/clock.ts";
import type { Config } from "../model/config.ts";
import { type Listing, LISTINGS } from "../model/ledger.ts";
import type { LedgerOperations } from "../model/operations.ts";
import type { Logger } from "../model/plugin.ts";
import { CloudReader } from "./cloud_reader.ts";
import { openApiOnce } from "./openstack.ts";
import { NAMES, TELL_EVERY_MS } from "./priming.ts";

/** One resource, with what people call it. */
export interface Named {
  readonly id: string;
  /** A server's hostname, an address of the others; `null` when there is none. */
  readonly name: string | null;
}

/** What one listing showed. */
export interface Compared {
  readonly listing: Listing;
  /** How many OpenStack has that we may see. */
  readonly found: number;
  /** What was not remembered, and is from now on. */
  readonly missing: readonly Named[];
  /** What is remembered with a higher revision than OpenStack has: messages with the lower ones are believed from now on. */
  readonly countedAnew: readonly Named[];
  /** Ids of what is remembered and OpenStack does not have; `null` when we may not see all, or none. */
  readonly gone: readonly string[] | null;
}

export interface PrimeAgainOptions {
  readonly config: Config;
  readonly ledger: Pick<LedgerOperations, "prime" | "existingIds">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: (part: string) => Logger;
}

/** Who waits at a terminal is told after a minute of silence. */
const MAX_SILENCE_MS = 60_000;

/**
 * Reads what OpenStack has and remembers what is not remembered, whether the service runs or not: whatever is remembered stays as messages left it.
 *
 * @throws {UserError} when config.ts names no cloud, or it refuses us or does not answer.
 */
export async function primeAgain(options: PrimeAgainOptions): Promise<readonly Compared[]> {
  const { config, clock, random, log } = options;
  await using api = await openApiOnce(config.openstack, { clock, log: log("openstack") });
  const reader = new CloudReader({ api, clock, random, log: log("openstack"), maxSilenceMs: MAX_SILENCE_MS });
  const compared: Comparison[] = [];
  for (const listing of LISTINGS) compared.push(await compare(listing, { ...options, reader }));
  // Neutron does not say whether it leaves others' out; Nova, which the same account asks, does.
  const seesAll = compared.some(({ allProjects }) => allProjects === true);
  return compared.map(({ found, gone, ...one }) => ({
    listing: one.listing,
    found: found.size,
    missing: one.missing,
    countedAnew: one.countedAnew,
    gone: seesAll && one.wasListed ? gone : null,
  }));
}

interface Comparison extends Omit<Compared, "found" | "gone"> {
  readonly found: ReadonlySet<string>;
  readonly gone: readonly string[];
  readonly wasListed: boolean;
  readonly allProjects: boolean | null;
}

async function compare(
  listing: Listing,
  { reader, ledger, config, clock, log }: PrimeAgainOptions & { readonly reader: CloudReader },
): Promise<Comparison> {
  const before = ledger.existingIds(listing);
  const found = new Set<string>();
  const missing: Named[] = [];
  const countedAnew: Named[] = [];
  const rules = { anyPort: config.events.anyPort ?? false, readAtMs: clock.now() };
  let toldAtMs = clock.passedMs();
  let [allProjects, wasListed]: [boolean | null, boolean] = [null, false];
  for await (const page of reader.read(listing, { after: null, signal: NEVER })) {
    [allProjects, wasListed] = [page.allProjects, true];
    const named = namesOf(page.found);
    for (const id of named.keys()) found.add(id);
    if (clock.passedMs() - toldAtMs >= TELL_EVERY_MS) {
      toldAtMs = clock.passedMs();
      log("priming").info(`Read ${found.size} ${NAMES[listing]} so far`);
    }
    ledger.prime((memory) => {
      const primed = prime(page.found, memory, rules);
      missing.push(...primed.missing.map((id) => ({ id, name: named.get(id) ?? null })));
      countedAnew.push(...primed.countedAnew.map((id) => ({ id, name: named.get(id) ?? null })));
      return primed.changes;
    });
  }
  // What went meanwhile is not remembered as living any more.
  const after = new Set(ledger.existingIds(listing));
  const gone = before.filter((id) => !found.has(id) && after.has(id));
  return { listing, found, missing, countedAnew, gone, allProjects, wasListed };
}

function namesOf(found: Found): ReadonlyMap<string, string | null> {
  if (found.listing === "servers") {
    return new Map(found.records.flatMap(({ id, hostname }) => id === null ? [] : [[id, hostname] as const]));
  }
  if (found.listing === "ports") {
    return new Map(found.records.map(({ id, fixedAddresses: [first = null] }) => [id, first]));
  }
  return new Map(found.records.map(({ id, address }) => [id, address]));
}

const NEVER = new AbortController().signal;
