// The judge from outside: what was to be told, by the model, against what a receiver was told. It knows nothing of the ledger.
import type { ServerState } from "./cloud.ts";
import type { ExpectedEvent } from "./expected.ts";
import { type Fault, isLate, unrecordedBy } from "./faults.ts";

/** One request that a receiver got. */
export interface Attempt {
  readonly plugin: string;
  /** The run of the service that sent it. */
  readonly run: number;
  readonly key: string;
  /** The header `OSS-Watcher-Sequence`. */
  readonly sequence: number;
  readonly created: boolean;
  readonly serverId: string;
  readonly address: string;
  readonly name: string;
  readonly owner: string;
  /** Arrivals and answers of one receiver, counted: which came before which. */
  readonly arrivedAs: number;
  /** Milliseconds since the epoch. */
  readonly arrivedAt: number;
  /** Whether its sequence was lower than one that had come before: it is answered well, and nothing else. */
  readonly outdated: boolean;
  answeredAs: number | null;
  /** Milliseconds since the epoch. */
  answeredAt: number | null;
  /** Whether the receiver answered well, and acts upon it. */
  accepted: boolean;
}

export interface Evidence {
  readonly expected: readonly ExpectedEvent[];
  /** The state of each server that is there in the end, by its id. */
  readonly states: ReadonlyMap<string, ServerState>;
  /** Of one plugin, in the order of arrival. */
  readonly attempts: readonly Attempt[];
  readonly faults: readonly Fault[];
  /** How many attempts of one run may be without a record at one time. */
  readonly inFlight: number;
}

export interface Verdict {
  /** Events that the receiver accepted. */
  readonly delivered: number;
  readonly lost: number;
  /** Events that it accepted again. */
  readonly duplicated: number;
  readonly reordered: number;
  /** Kills of runs after which something was sent again that had been accepted. */
  readonly killsBetween: number;
  /** Requests that came so late that the receiver refused them by their sequence. */
  readonly refused: number;
  /** Events that one run had sent and another one sent again, without a kill. */
  readonly takenOver: number;
  /** What must not be, in words. */
  readonly problems: readonly string[];
}

const MAX_PROBLEMS = 20;

type ByKey = ReadonlyMap<string, readonly Attempt[]>;

export function judge(evidence: Evidence): Verdict {
  const problems: string[] = [];
  const { expected, attempts, faults } = evidence;
  const outdated = attempts.filter((attempt) => attempt.outdated);
  const byKey = Map.groupBy(attempts.filter((attempt) => !attempt.outdated), ({ key }) => key);
  const accepted = new Map([...byKey].map(([key, all]) => [key, all.filter((attempt) => attempt.accepted)]));
  const lost = expected.filter(({ key }) => (accepted.get(key)?.length ?? 0) === 0);
  problems.push(...lost.map(({ key }) => `lost: ${key}`));
  problems.push(...contents(evidence, Map.groupBy(attempts, ({ key }) => key)));
  const { duplicated, killsBetween, takenOver, unexcused } = duplicates(evidence, accepted);
  problems.push(...unexcused);
  problems.push(
    ...outdated.filter((attempt) => !isLate(attempt, faults)).map(({ key, run }) =>
      `reordered: ${key} came late from run ${run}, which nothing had held up`
    ),
  );
  const reordered = [...disorder(evidence, byKey), ...disorderOfUpdates(evidence, byKey)];
  problems.push(...reordered);
  problems.push(...wrongStates(evidence));
  const more = problems.length - MAX_PROBLEMS;
  return {
    delivered: expected.length - lost.length,
    lost: lost.length,
    duplicated,
    reordered: reordered.length,
    killsBetween,
    refused: outdated.length,
    takenOver,
    problems: more > 0 ? [...problems.slice(0, MAX_PROBLEMS), `and ${more} more`] : problems,
  };
}

/** What was sent that nobody expects, or says something else than the operations did. */
function contents({ expected }: Evidence, byKey: ByKey): string[] {
  const wanted = new Map(expected.map((event) => [event.key, event]));
  return [...byKey].flatMap(([key, attempts]) => {
    const event = wanted.get(key);
    const [, id] = UPDATE.exec(key) ?? [];
    if (id !== undefined && wanted.has(`server/${id}/creation`)) return [];
    if (event === undefined) return [`invented: ${key}`];
    const { created, serverId, address } = event;
    const differs = (one: Attempt) => one.created !== created || one.serverId !== serverId || one.address !== address;
    const wrong = attempts.find(differs);
    if (wrong !== undefined) {
      return [`wrong: ${key} says ${wrong.serverId} ${wrong.address}, not ${serverId} ${address}`];
    }
    const sequences = new Set(attempts.map(({ sequence }) => sequence));
    return sequences.size === 1 ? [] : [`wrong: ${key} has the sequences ${[...sequences].join(", ")}`];
  });
}

/** Accepted twice is allowed for what was in flight at a fault, and for nothing else. */
function duplicates({ faults, inFlight }: Evidence, accepted: ByKey): {
  readonly duplicated: number;
  readonly killsBetween: number;
  readonly takenOver: number;
  readonly unexcused: readonly string[];
} {
  /** Events without a record, by fault and run. */
  const counts = new Map<string, { readonly fault: Fault; readonly run: number; count: number }>();
  const unexcused: string[] = [];
  let [duplicated, takenOver] = [0, 0];
  for (const [key, attempts] of accepted) {
    for (const [index, attempt] of attempts.slice(0, -1).entries()) {
      const again = attempts[index + 1]!;
      duplicated++;
      const fault = unrecordedBy(attempt, faults);
      const isKill = fault?.kind === "kill" && fault.of === attempt.run;
      if (again.run !== attempt.run && !isKill) takenOver++;
      if (fault === null ? !isLate(again, faults) : isKill && again.run === attempt.run) {
        unexcused.push(`duplicated without a fault: ${key}, ${told(attempt)} and ${told(again)}`);
      }
      if (fault === null) continue;
      const place = `${faults.indexOf(fault)} ${attempt.run}`;
      const entry = counts.get(place) ?? { fault, run: attempt.run, count: 0 };
      counts.set(place, { ...entry, count: entry.count + 1 });
    }
  }
  for (const { fault, run, count } of counts.values()) {
    if (count <= inFlight) continue;
    unexcused.push(
      `duplicated: ${count} events of run ${run} at "${fault.kind}" of ${fault.of}, and only ${inFlight} can be in flight`,
    );
  }
  const kills = [...counts.values()].filter(({ fault, run }) => fault.kind === "kill" && fault.of === run);
  return { duplicated, killsBetween: kills.length, takenOver, unexcused };
}

function told({ run, arrivedAt, answeredAt }: Attempt): string {
  const answered = answeredAt === null ? "" : ` answered after ${Math.round(answeredAt - arrivedAt)} ms`;
  return `by run ${run} at ${new Date(arrivedAt).toISOString().slice(11, 23)}${answered}`;
}

/** An event may arrive only after all that share a key with it and come before it were accepted, and none of those may come after it. */
function disorder(evidence: Evidence, byKey: ByKey): string[] {
  const last = new Map<string, ExpectedEvent>();
  const found: string[] = [];
  for (const event of evidence.expected) {
    const earlier = new Set(event.orderKeys.map((key) => last.get(key)).filter((one) => one !== undefined));
    const first = byKey.get(event.key)?.[0];
    const overtaken = [...earlier].find(({ key }) => !isBefore(byKey.get(key) ?? [], { first, evidence }));
    if (overtaken !== undefined) {
      found.push(
        `reordered: ${event.key} came before ${overtaken.key} was settled: ${first && told(first)}, ` +
          (byKey.get(overtaken.key) ?? []).map(told).join(", "),
      );
    }
    for (const key of event.orderKeys) last.set(key, event);
  }
  return found;
}

/** Updates of a server come between its creation and its deletion, in the order of their numbers. */
function disorderOfUpdates(evidence: Evidence, byKey: ByKey): string[] {
  const updates = Map.groupBy([...byKey.keys()].filter((key) => UPDATE.test(key)), (key) => UPDATE.exec(key)![1]!);
  return [...updates].flatMap(([id, keys]) => {
    const numbered = keys.toSorted((one, other) => Number(UPDATE.exec(one)![2]) - Number(UPDATE.exec(other)![2]));
    const life = [`server/${id}/creation`, ...numbered, `server/${id}/deletion`].filter((key) => byKey.has(key));
    return life.slice(1).flatMap((key, index) => {
      const before = life[index]!;
      return isBefore(byKey.get(before) ?? [], { first: byKey.get(key)?.[0], evidence })
        ? []
        : [`reordered: ${key} came before ${before} was settled`];
    });
  }).slice(0, evidence.attempts.length);
}

const UPDATE = /^server\/([^/]+)\/update\/(\d+)$/;

/** Servers of which the receiver was not told the final state, or whose deletion says another one than what it was told. */
function wrongStates({ attempts, states }: Evidence): string[] {
  const told = new Map<string, Attempt>();
  const wrong: string[] = [];
  for (const attempt of attempts.filter(({ accepted }) => accepted)) {
    const { key, serverId, name, owner } = attempt;
    if (!key.startsWith("server/")) continue;
    const last = told.get(serverId);
    if (!key.endsWith("/deletion")) told.set(serverId, attempt);
    else if (last !== undefined && (last.name !== name || last.owner !== owner)) {
      wrong.push(`wrong: ${key} says ${name} ${owner}, not ${last.name} ${last.owner}`);
    }
  }
  for (const [id, { name, owner }] of states) {
    const last = told.get(id);
    if (last?.name === name && last.owner === owner) continue;
    wrong.push(`lost: ${id} is ${name} ${owner}, and was told as ${last?.name} ${last?.owner}`);
  }
  return wrong;
}

/**
 * Whether all attempts of an event came before the first one of a later event, the first accepted one being
 * answered. A repetition by another process that was held up may come later: no process can prevent that, and by
 * the sequence alone a receiver cannot tell where the two share an address or a name, and no resource.
 */
function isBefore(
  attempts: readonly Attempt[],
  { first, evidence: { faults } }: { readonly first: Attempt | undefined; readonly evidence: Evidence },
): boolean {
  if (first === undefined) return true;
  const accepted = attempts.find((attempt) => attempt.accepted)?.answeredAs ?? Infinity;
  return accepted < first.arrivedAs &&
    attempts.every((attempt) =>
      attempt.arrivedAs < first.arrivedAs || attempt.run !== first.run && isLate(attempt, faults)
    );
}
