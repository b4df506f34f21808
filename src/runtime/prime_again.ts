import { type ListedPage, prime, type PrimedPage } from "../facts/prime.ts";
import type { Clock } from "../model/clock.ts";
import type { Config } from "../model/config.ts";
import { type Listing, LISTINGS } from "../model/ledger.ts";
import type { LedgerOperations } from "../model/operations.ts";
import type { Logger } from "../model/plugin.ts";
import { CloudReader } from "./cloud_reader.ts";
import { openApiOnce } from "./openstack.ts";
import { LISTING_NAMES, PROGRESS_EVERY_MS } from "./priming.ts";
import { rulesOf } from "./rules.ts";

/** A resource with its name for people. */
export interface Named {
  readonly id: string;
  /** A server's hostname, an address of the others; `null` when there is none. */
  readonly name: string | null;
}

/** One listing, compared with memory. */
export interface Compared {
  readonly listing: Listing;
  /** Resources that OpenStack lists for our account. */
  readonly found: number;
  /** Resources that were not in memory, and have been added. */
  readonly missing: readonly Named[];
  /**
   * Resources that memory has with a higher revision than OpenStack: Neutron's database was
   * restored from a backup. Memory takes OpenStack's revision, so that later messages count again.
   */
  readonly countedAnew: readonly Named[];
  /** Ids in memory that OpenStack does not list; `null` when our account may not see all. */
  readonly gone: readonly string[] | null;
}

export interface PrimeAgainOptions {
  readonly config: Config;
  readonly ledger: Pick<LedgerOperations, "prime" | "existingIds">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: (part: string) => Logger;
  /** Called after each page with the resources that were read so far. @default they are logged, now and then */
  readonly onProgress?: (listing: Listing, found: number) => void;
}

/** An operator waits at a terminal: give up after 1 minute without an answer. */
const MAX_SILENCE_MS = 60_000;

/**
 * Lists OpenStack's resources and adds the missing ones to memory, whether the service runs or not.
 * Resources in memory stay as messages left them.
 *
 * @throws {UserError} when config.ts has no `openstack` section, or the cloud refuses us or does
 * not answer.
 */
export async function primeAgain(options: PrimeAgainOptions): Promise<readonly Compared[]> {
  const { config, clock, random, log } = options;
  await using api = await openApiOnce(config.openstack, { clock, log: log("openstack") });
  const reader = new CloudReader({ api, clock, random, log: log("openstack"), maxSilenceMs: MAX_SILENCE_MS });
  const compared: Comparison[] = [];
  for (const listing of LISTINGS) compared.push(await compare(listing, { ...options, reader }));
  // Neutron does not say whether it omits other projects. Nova does, for the same account.
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
  { reader, ledger, config, clock, log, onProgress }: PrimeAgainOptions & { readonly reader: CloudReader },
): Promise<Comparison> {
  const before = await ledger.existingIds(listing);
  const found = new Set<string>();
  const missing: Named[] = [];
  const countedAnew: Named[] = [];
  const rules = { ...rulesOf(config), readAtMs: clock.now() };
  let loggedAtMs = clock.passedMs();
  let [allProjects, wasListed]: [boolean | null, boolean] = [null, false];
  for await (const page of reader.read(listing, { after: null, signal: NEVER })) {
    [allProjects, wasListed] = [page.allProjects, true];
    const named = namesOf(page.found);
    for (const id of named.keys()) found.add(id);
    onProgress?.(listing, found.size);
    if (onProgress === undefined && clock.passedMs() - loggedAtMs >= PROGRESS_EVERY_MS) {
      loggedAtMs = clock.passedMs();
      log("priming").info(`Read ${found.size} ${LISTING_NAMES[listing]} so far`);
    }
    // A ledger may call the primer several times: the last result is what it has stored.
    let primed: PrimedPage | undefined;
    await ledger.prime((memory) => (primed = prime(page.found, memory, rules)).changes);
    const nameOf = (id: string): Named => ({ id, name: named.get(id) ?? null });
    missing.push(...primed?.missing.map(nameOf) ?? []);
    countedAnew.push(...primed?.countedAnew.map(nameOf) ?? []);
  }
  // Resources that were deleted during the listing do not count as gone.
  const after = new Set(await ledger.existingIds(listing));
  const gone = before.filter((id) => !found.has(id) && after.has(id));
  return { listing, found, missing, countedAnew, gone, allProjects, wasListed };
}

function namesOf(found: ListedPage): ReadonlyMap<string, string | null> {
  if (found.listing === "servers") {
    return new Map(found.records.flatMap(({ id, hostname }) => id === null ? [] : [[id, hostname] as const]));
  }
  if (found.listing === "ports") {
    return new Map(found.records.map(({ id, fixedAddresses: [first = null] }) => [id, first]));
  }
  return new Map(found.records.map(({ id, address }) => [id, address]));
}

const NEVER = new AbortController().signal;
