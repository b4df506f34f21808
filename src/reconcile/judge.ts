import { decide } from "../facts/decide.ts";
import type { Rules } from "../facts/decision_context.ts";
import { type Observation, observedId, observedNotification } from "../facts/observation.ts";
import type { Change, Difference } from "../model/comparison.ts";
import type { Subject, WatcherEvent } from "../model/event.ts";
import type { FloatingIpMemory, Memory, MemoryChanges, ServerMemory } from "../model/memory.ts";
import { isSameData } from "../model/same_data.ts";

/** What follows from an observation, if memory and OpenStack differ. */
export interface Judgement {
  readonly observation: Observation;
  /** `null`: memory alone has to be corrected, no target was told anything wrong. */
  readonly difference: Difference | null;
  /** What the observation changes in memory. */
  readonly changes: MemoryChanges;
}

/** A server as memory has it, and as it would be. */
export interface ServerChange {
  readonly before: ServerMemory;
  readonly now: ServerMemory;
  readonly floatingIps: readonly FloatingIpMemory[];
}

/** The update that a changed server leads to; `null`: nothing that is followed has changed. */
export type FindUpdate = (change: ServerChange) => { readonly key: string; readonly changed: readonly string[] } | null;

/** How observations are judged. */
export interface JudgeOptions {
  readonly rules: Rules;
  /** @default changes of servers are not followed */
  readonly findUpdate?: FindUpdate | undefined;
}

/**
 * Compares an observation with memory; `null`: they agree. It is decided as it would be if it were
 * recorded now, so the plan says exactly what applying it does.
 */
export function judge(
  observation: Observation,
  { memory, rules, findUpdate, evidence }: JudgeOptions & {
    readonly memory: Memory;
    readonly evidence: readonly string[];
  },
): Judgement | null {
  const notification = observedNotification(observation, { messageId: "plan", time: EPOCH });
  const { events, changes, outcome, changedServers = [] } = decide(notification, memory, rules);
  if (events.length === 0) {
    if (outcome === "superseded" || !isCorrection(changes, memory)) return null;
    const [difference = null] = changedServers.flatMap((id) => {
      const now = changes.servers.find((server) => server.id === id);
      return now === undefined || findUpdate === undefined
        ? []
        : changeOfServer(now, { memory, findUpdate, evidence }) ?? [];
    });
    return { observation, difference, changes };
  }
  const own = ownEvent(events, observation);
  return {
    observation,
    difference: {
      change: changeOf(events),
      subject: own.subject,
      id: observedId(observation),
      name: own.server.hostname,
      address: own.floatingIp?.address ?? own.server.addresses[0]?.address ?? null,
      keys: events.map(({ key }) => key),
      evidence,
    },
    changes,
  };
}

/** The difference that a changed server is; `null`: nothing that is followed has changed. */
function changeOfServer(
  now: ServerMemory,
  { memory, findUpdate, evidence }: {
    readonly memory: Memory;
    readonly findUpdate: FindUpdate;
    readonly evidence: readonly string[];
  },
): Difference | null {
  const before = memory.server(now.id);
  const update = before && findUpdate({ before, now, floatingIps: memory.floatingIpsOfServer(now.id) });
  if (!update) return null;
  const { id, snapshot: { hostname, addresses } } = now;
  return {
    change: "changed",
    subject: "server",
    id,
    name: hostname,
    address: addresses[0]?.address ?? null,
    keys: [update.key],
    evidence: [...evidence, `Told otherwise: ${update.changed.join(", ")}`],
  };
}

const EPOCH = new Date(0).toISOString();

/** The event of the observed resource itself: the end of a server also ends its associations. */
function ownEvent(events: readonly WatcherEvent[], { what }: Observation): WatcherEvent {
  const subject: Subject = what.startsWith("server") ? "server" : "floatingip";
  return events.find((event) => event.subject === subject) ?? events[0] as WatcherEvent;
}

function changeOf(events: readonly WatcherEvent[]): Change {
  if (events.every(({ created }) => created)) return "untold";
  return events.every(({ created }) => !created) ? "gone" : "moved";
}

/**
 * Whether rows of memory would change in more than what only tells readings apart. Of a row that is
 * not there yet, everything counts.
 */
function isCorrection({ servers, ports, floatingIps }: MemoryChanges, memory: Memory): boolean {
  return servers.some((row) => differs(row, memory.server(row.id))) ||
    ports.some((row) => differs(row, memory.port(row.id))) ||
    floatingIps.some((row) => differs(row, memory.floatingIp(row.id)));
}

function differs(row: object, known: object | undefined): boolean {
  return known === undefined || !isSameData(essential(row), essential(known));
}

function essential(row: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !UNESSENTIAL.has(name)));
}

const UNESSENTIAL: ReadonlySet<string> = new Set(["revision", "updatedAt", "primed", "stated"]);
