import type { Listing } from "../model/ledger.ts";
import type { Compared, Named } from "../runtime/prime_again.ts";
import { printable } from "../wire/escaping/printable.ts";
import { WIDTH } from "./wrapped.ts";

/** The name of a listing's resources, in the plural and in the singular. */
const NAMES: Readonly<Record<Listing, readonly [string, string]>> = {
  floatingIps: ["floating IPs", "floating IP"],
  ports: ["ports", "port"],
  servers: ["servers", "server"],
};

/** The most lines of each kind that a terminal gets. */
const SHOWN = 10;

/** A state of the progress line. */
export function describeRead(listing: Listing, found: number): string {
  return `Reading ${NAMES[listing][0]}: ${found}`;
}

/**
 * Counts of the resources in OpenStack, those that were missing in memory, and those in memory
 * alone.
 */
export function describePrimed(compared: readonly Compared[]): string {
  const missing = compared.flatMap(({ listing, missing }) => listed(missing, listing));
  const countedAnew = compared.flatMap(({ listing, countedAnew }) => listed(countedAnew, listing));
  const gone = compared.flatMap(({ listing, gone }) =>
    shown((gone ?? []).map((id) => `  ${NAMES[listing][1].padEnd(11)}  ${id}`), listing)
  );
  return [
    `${"".padEnd(12)}  OPENSTACK    MISSING       GONE`,
    ...compared.map(describeRow),
    ...(missing.length > 0 ? ["", "Was missing, and is remembered from now on:", ...missing] : []),
    ...(countedAnew.length > 0 ? ["", COUNTED_ANEW, ...countedAnew] : []),
    ...(gone.length > 0 ? ["", GONE, ...gone] : []),
    ...(compared.some((one) => one.gone === null) ? ["", UNSEEN] : []),
  ].join("\n");
}

const COUNTED_ANEW = `Neutron's revision is lower than the one that is remembered: its database was
restored from a backup. Its next message will be believed:`;

const GONE = `Is remembered, and is not in OpenStack. Unless the message of its deletion is
still on the way, it was lost:`;

const UNSEEN = `-: deleted resources cannot be found, since the account does not see all
projects, or may not list these.`;

function describeRow({ listing, found, missing, gone }: Compared): string {
  const columns = [found, missing.length, gone?.length ?? "-"].map((value) => String(value).padStart(9));
  return `${NAMES[listing][0].padEnd(12)}  ${columns.join("  ")}`;
}

function listed(named: readonly Named[], listing: Listing): string[] {
  return shown(named.map(({ id, name }) => `  ${NAMES[listing][1].padEnd(11)}  ${id}  ${name ?? ""}`), listing);
}

function shown(lines: readonly string[], listing: Listing): string[] {
  const first = lines.slice(0, SHOWN).map((line) => printable(line.trimEnd(), WIDTH));
  const more = lines.length - SHOWN;
  return more > 0 ? [...first, `  and ${more} more ${NAMES[listing][0]}; --json has all`] : first;
}
