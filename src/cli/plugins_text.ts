import type { TargetOutage } from "../model/outage.ts";
import type { PluginPause } from "../model/pause.ts";
import type { PluginState } from "../model/operations.ts";
import { duration } from "../observe/duration.ts";
import { printable } from "../wire/escaping/printable.ts";
import { wrapped } from "./wrapped.ts";
import { shellWord } from "../wire/escaping/shell_word.ts";

/**
 * When the service last wrote to the ledger, and the present time, in milliseconds since the epoch.
 */
interface Seen {
  readonly seenAt: number | null;
  readonly now: number;
}

/** The service writes each minute that it runs. */
const GONE_MS = 150_000;

/** A shorter time would be shown as "0 s". */
const SOON_MS = 500;

/** A table of plugins for a terminal, with the error of a target below its plugin. */
export function describePlugins(states: readonly PluginState[], seen: Seen): string {
  if (states.length === 0) return "The ledger knows no plugin yet: the service has not run with it.";
  const width = Math.max(...states.map(({ plugin }) => printable(plugin).length), "PLUGIN".length);
  const heading = ["PLUGIN".padEnd(width), ...COLUMNS.map(({ title }) => title.padStart(9)), "TARGET"].join("  ");
  const rows = states.flatMap(({ plugin, deliveries, isConfigured, outage, paused }) => {
    const counts = COLUMNS.map(({ state }) => String(deliveries[state]).padStart(9));
    const away = outage === null ? "ok" : `${stateOf(outage)} for ${duration(seen.now - outage.since)}`;
    const reached = isGone(seen) ? "-" : away;
    const target = !isConfigured ? "not in config.ts" : paused !== null ? "paused" : reached;
    return [
      [printable(plugin).padEnd(width), ...counts, target].join("  "),
      ...(paused === null ? [] : wrapped(printable(`  ${pausedWords(paused)}; its deliveries wait`), { indent: 2 })),
      ...(outage === null || isGone(seen) || paused !== null
        ? []
        : wrapped(printable(`  ${nextProbe(outage.nextProbeAt, seen)}: ${outage.error}`), { indent: 2 })),
    ];
  });
  return [heading, ...rows, ...goneLines(seen)].join("\n");
}

/** What `plugins try` has asked of the service. */
export function describeTried(plugin: string, { count, ...seen }: Seen & { readonly count: number }): string {
  const waited = `${count} ${count === 1 ? "delivery" : "deliveries"} waited for the next attempt`;
  const asked = `${printable(plugin)}: ${waited}; the service tries now. See: oss-watcher plugins`;
  return [...wrapped(asked, { indent: 2 }), ...goneLines(seen)].join("\n");
}

/** `paused since … by …`. */
export function pausedWords({ at, by }: PluginPause): string {
  return `paused since ${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC by ${by}`;
}

/** What `plugins pause` has done. */
export function describePaused(
  plugin: string,
  { isNew, paused, ...seen }: Seen & { readonly isNew: boolean; readonly paused: PluginPause | null },
): string {
  const state = paused === null ? "resumed meanwhile" : pausedWords(paused);
  const was = isNew ? "its deliveries wait, in order" : "it was paused already";
  const text = `${plugin} is ${state}; ${was}. To go on: oss-watcher plugins resume ${shellWord(plugin)}`;
  return [...wrapped(printable(text), { indent: 2 }), ...goneLines(seen)].join("\n");
}

/** What `plugins resume` has done. */
export function describeResumed(
  plugin: string,
  { wasPaused, ...seen }: Seen & { readonly wasPaused: boolean },
): string {
  const text = wasPaused
    ? `${plugin} is resumed: the service delivers what has waited. See: oss-watcher plugins`
    : `${plugin} was not paused.`;
  return [...wrapped(printable(text), { indent: 2 }), ...goneLines(seen)].join("\n");
}

const COLUMNS = [
  { title: "DELIVERED", state: "done" },
  { title: "WAITING", state: "waiting" },
  { title: "RETRYING", state: "retrying" },
  { title: "DEAD", state: "dead" },
] as const;

/** A target that answers is not away. */
function stateOf({ reason }: TargetOutage): string {
  if (reason === "connection") return "away";
  return reason === "unauthorized" ? "refuses the credentials" : "fails";
}

function nextProbe(nextProbeAt: number, { now }: Seen): string {
  return nextProbeAt - now >= SOON_MS ? `next probe in ${duration(nextProbeAt - now)}` : "being probed";
}

function isGone({ seenAt, now }: Seen): boolean {
  return seenAt === null || now - seenAt > GONE_MS;
}

function goneLines(seen: Seen): readonly string[] {
  if (!isGone(seen)) return [];
  const last = seen.seenAt === null ? "" : `: it was last seen ${duration(seen.now - seen.seenAt)} ago`;
  return ["", `The service does not run${last}.`];
}
