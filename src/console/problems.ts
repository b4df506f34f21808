import type { OverviewAnswer, PluginOverview, Problem } from "./api.ts";
import type { RecentAttempts } from "../model/live_service.ts";
import { shellWord } from "../wire/escaping/shell_word.ts";

/** What problems are found in. */
export interface ProblemFacts
  extends Pick<OverviewAnswer, "now" | "startedAt" | "sources" | "lastMessageAt" | "ledger" | "openstack"> {
  readonly plugins: readonly Omit<PluginOverview, keyof RecentAttempts>[];
}

type Facts = ProblemFacts;
type PluginFacts = Facts["plugins"][number];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What is wrong, and what mends it: what the alert rules, `doctor` and docs/OPERATIONS.md know. */
export function problemsOf(facts: Facts, { liveness }: { readonly liveness: readonly string[] }): readonly Problem[] {
  const found = [
    ...liveness.map((text) => error(`${text}`, "Restart the service. If it comes back, the log says more", null)),
    ...ledgerProblems(facts),
    ...sourceProblems(facts),
    ...openstackProblems(facts),
    ...facts.plugins.flatMap((plugin) => pluginProblems(plugin, facts)),
  ];
  return found.sort((one, other) => Number(one.level === "warning") - Number(other.level === "warning"));
}

function ledgerProblems({ ledger }: Facts): readonly Problem[] {
  if (ledger.writable) return [];
  const [what, remedy] = ledger.kind === "sqlite"
    ? [
      "The disk is full or has failed",
      "Make room on the disk of the ledger, or mend it: the service goes on by itself",
    ]
    : ["PostgreSQL does not answer, or refuses us", "Look at PostgreSQL, and run `oss-watcher check --connect`"];
  return [error(`The ledger cannot be written: ${what}. Nothing is acknowledged and nothing is sent`, remedy, null)];
}

function sourceProblems({ sources, now, lastMessageAt, startedAt, ledger }: Facts): readonly Problem[] {
  const problems = sources.flatMap(({ broker, queue, connected, consuming }): Problem[] => {
    if (consuming || (connected && ledger.kind === "postgres")) return [];
    const text = connected
      ? `Queue "${queue}" at ${broker} is not consumed`
      : `There is no connection to RabbitMQ at ${broker}`;
    return [error(text, "The log says why; `oss-watcher doctor` finds out more", null)];
  });
  const silentMs = now - (lastMessageAt ?? startedAt);
  if (silentMs <= HOUR_MS || !sources.some(({ consuming }) => consuming)) return problems;
  const text = `No notification has come for ${spanOf(silentMs)}`;
  const remedy = "Nova and Neutron send some every minute. `oss-watcher doctor` finds out whether they still send";
  return [...problems, warning(text, remedy, null)];
}

function openstackProblems({ openstack, now }: Facts): readonly Problem[] {
  if (openstack === null) return [];
  const { lastComparison: last, agreedAt, deciding } = openstack;
  const problems: Problem[] = [];
  if (!deciding) {
    const text = "The service reads from OpenStack what is there: messages are recorded, and decided afterwards";
    problems.push(warning(text, "Wait. If it takes long, run `oss-watcher check --connect`", null));
  }
  if (last?.outcome === "withheld") {
    const text = "OpenStack lacks more of what targets were told than oss-watcher deletes by itself";
    problems.push(error(text, "Look at the plan, then apply it: `oss-watcher reconcile --apply --force`", "#/drift"));
  } else if (last?.outcome === "failed") {
    const text = `The last comparison with OpenStack failed: ${last.problem ?? "the log says why"}`;
    problems.push(
      warning(
        text,
        "`oss-watcher reconcile` compares now; `oss-watcher check --connect` asks for our rights",
        "#/drift",
      ),
    );
  }
  if (agreedAt !== null && now - agreedAt > 3 * DAY_MS) {
    const text = `No comparison of what targets were told with OpenStack has succeeded for ${spanOf(now - agreedAt)}`;
    problems.push(warning(text, "Compare now: `oss-watcher reconcile`", "#/drift"));
  }
  return problems;
}

function pluginProblems(plugin: PluginFacts, { now }: Facts): readonly Problem[] {
  const { name, isConfigured, breaker, outage, paused, dead, waiting, retrying, oldestAt } = plugin;
  const link = `#/plugins/${encodeURIComponent(name)}`;
  const word = shellWord(name);
  const problems: Problem[] = [];
  // The breaker is known at once, and the outage when the ledger was read.
  if (isConfigured && (outage !== null || breaker === "open")) {
    const text = outage === null
      ? `The target of ${name} cannot be reached, or fails`
      : `The target of ${name} ${refuses(outage.reason)} for ${spanOf(now - outage.since)}: ${outage.error}`;
    problems.push(
      error(
        text,
        `Mend the target; its deliveries wait, in order. Try at once: \`oss-watcher plugins try ${word}\``,
        link,
      ),
    );
  }
  if (paused !== null) {
    const text = `${name} is paused since ${new Date(paused.at).toISOString()} by ${paused.by}: ${deliveries(waiting)}`;
    problems.push(warning(text, `Go on: \`oss-watcher plugins resume ${word}\``, link));
  }
  if (!isConfigured && waiting > 0) {
    const text = `${deliveries(waiting)} for ${name}, which is not configured`;
    problems.push(
      warning(text, `Add it to config.ts, or give them up: \`oss-watcher events drop --plugin ${word}\``, link),
    );
  }
  if (oldestAt !== null && now - oldestAt > HOUR_MS && outage === null && paused === null) {
    // What was attempted is the older: the others wait behind it.
    const state = retrying > 0 ? "retrying" : "waiting";
    const events = `#/events?plugin=${encodeURIComponent(name)}&state=${state}`;
    const text = `A delivery of ${name} has waited for ${spanOf(now - oldestAt)}`;
    problems.push(
      warning(text, `See what it waits for: \`oss-watcher events --plugin ${word} --state ${state}\``, events),
    );
  }
  if (dead > 0) {
    const text = `${name} has ${dead} dead ${dead === 1 ? "letter" : "letters"}`;
    const remedy = "Mend the cause, then replay or drop them";
    problems.push(warning(text, remedy, `#/dead-letters?plugin=${encodeURIComponent(name)}`));
  }
  return problems;
}

function refuses(reason: string): string {
  return reason === "unauthorized" ? "has refused us" : "cannot be reached, or fails,";
}

function deliveries(count: number): string {
  return count === 1 ? "1 delivery waits" : `${count} deliveries wait`;
}

function spanOf(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / MINUTE_MS));
  if (minutes < 120) return minutes === 1 ? "a minute" : `${minutes} minutes`;
  const hours = Math.round(ms / HOUR_MS);
  return hours < 48 ? `${hours} hours` : `${Math.round(ms / DAY_MS)} days`;
}

function error(text: string, remedy: string, link: string | null): Problem {
  return { level: "error", text, remedy, link };
}

function warning(text: string, remedy: string, link: string | null): Problem {
  return { level: "warning", text, remedy, link };
}
