import type { CloudScope } from "../model/comparison.ts";
import type { Listing } from "../model/ledger.ts";
import type { CloudView } from "./cloud_view.ts";
import { NoConclusion } from "./no_conclusion.ts";
import type { Resource } from "./observation_maker.ts";
import { isSameCloud, scopeChanges } from "./rights.ts";

/** What a listing has shown of what is remembered. */
export interface Recognition {
  /** How many of the remembered resources it has, as deleted ones too. */
  readonly listed: number;
  /** The remembered resources that seem to be gone. */
  readonly suspects: readonly string[];
  /** The other remembered resources. */
  readonly others: readonly string[];
}

export interface SameCloudOptions {
  readonly cloud: CloudView;
  readonly scope: CloudScope;
  /** The scope of the last complete comparison; `null`: there was none. */
  readonly reference: CloudScope | null;
  /** Whether an operator has confirmed that the scope is right although it has changed. */
  readonly acceptsScope?: boolean;
  readonly changesSince: string | null;
  readonly recognition: Readonly<Record<Listing, Recognition>>;
  /** The suspects whose absence would prove that they are gone. */
  readonly provable: readonly Resource[];
}

/**
 * Refuses listings of another cloud than the one that memory is about: its servers would be taken
 * for gone. Another cloud may have the same names and addresses, as after a move to spare hardware.
 *
 * @throws {NoConclusion} when nothing of what is remembered is there; and when the scope is not that
 * of the last complete comparison, and not nearly all of it is there.
 */
export async function refuseOtherCloud(options: SameCloudOptions, signal: AbortSignal): Promise<void> {
  const { scope, reference, acceptsScope = false, changesSince, recognition, provable } = options;
  if (acceptsScope) return;
  if (provable.length > 0 && !await isAnythingThere(options, signal)) {
    throw new NoConclusion(`Nothing is there of what is remembered: this seems to be another cloud. ${NEXT}`);
  }
  const changes = reference === null ? [] : scopeChanges(reference, scope);
  if (reference !== null && changes.length === 0) return;
  const { servers, floatingIps, ports } = recognition;
  const missing = (...listings: readonly Listing[]) =>
    provable.filter(({ listing }) => listings.includes(listing)).length;
  const isSame = isSameCloud({ seen: servers.listed, missing: missing("servers") }) &&
    isSameCloud({ seen: floatingIps.listed + ports.listed, missing: missing("floatingIps", "ports") });
  if (changesSince === null && isSame) return;
  const what = changes.length > 0
    ? `It is not seen as in the last complete comparison: ${changes.join(", ")}`
    : "No comparison was complete yet";
  throw new NoConclusion(
    `${what}; and of what is remembered, ${servers.suspects.length} servers and ${floatingIps.suspects.length} ` +
      `floating IPs are not there. Nothing is concluded. ${NEXT}`,
  );
}

const NEXT = 'If account, region and endpoints are right: "oss-watcher reconcile --accept-scope" shows what differs';

/** Whether a remembered resource was listed, or is shown: a listing of changes may have none. */
async function isAnythingThere(
  { cloud, recognition: { servers, ports, floatingIps } }: SameCloudOptions,
  signal: AbortSignal,
): Promise<boolean> {
  if (servers.listed + ports.listed + floatingIps.listed > 0) return true;
  for (const id of servers.others.slice(0, MAX_QUESTIONS)) {
    if (typeof await cloud.server(id, signal) === "object") return true;
  }
  for (const id of ports.others.slice(0, MAX_QUESTIONS)) {
    if (typeof await cloud.port(id, signal) === "object") return true;
  }
  return false;
}

const MAX_QUESTIONS = 10;
