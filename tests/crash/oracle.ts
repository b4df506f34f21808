// The judge from outside: what was to be told, by the model, against what a receiver was told. It knows nothing of the ledger.
import type { ServerState } from "./cloud.ts";
import type { ExpectedEvent } from "./expected.ts";

/** One request that a receiver got. */
export interface Attempt {
  readonly plugin: string;
  /** The run of the service that sent it. */
  readonly run: number;
  readonly key: string;
  readonly created: boolean;
  readonly serverId: string;
  readonly address: string;
  readonly name: string;
  readonly owner: string;
  /** Arrivals and answers of one receiver, counted: which came before which. */
  readonly arrivedAs: number;
  /** Milliseconds since the epoch. */
  readonly arrivedAt: number;
  answeredAs: number | null;
  /** Milliseconds since the epoch. */
  answeredAt: number | null;
  /** Whether the receiver took it. */
  taken: boolean;
}

/** One life of the service's process. */
export interface Run {
  readonly number: number;
  /** Milliseconds since the epoch; `null` unless it was killed. */
  killedAt: number | null;
}

export interface Evidence {
  readonly expected: readonly ExpectedEvent[];
  /** The state of each server that is there in the end, by its id. */
  readonly states: ReadonlyMap<string, ServerState>;
  /** Of one plugin, in the order of arrival. */
  readonly attempts: readonly Attempt[];
  readonly runs: readonly Run[];
  /** How many attempts of one run may be without a record at one time. */
  readonly inFlight: number;
}

export interface Verdict {
  /** Events that the receiver took. */
  readonly delivered: number;
  readonly lost: number;
  /** Events that it took again. */
  readonly duplicated: number;
  readonly reordered: number;
  /** Kills after which something was sent again that had been taken. */
  readonly killsBetween: number;
  /** What must not be, in words. */
  readonly problems: readonly string[];
}

/** An answer is recorded this soon after it was given, even on a busy machine: only then may a kill make it come again. */
const RECORDED_WITHIN_MS = 5000;
const MAX_PROBLEMS = 20;

export function judge(evidence: Evidence): Verdict {
  const problems: string[] = [];
  const byKey = Map.groupBy(evidence.attempts, ({ key }) => key);
  const taken = new Map([...byKey].map(([key, attempts]) => [key, attempts.filter((attempt) => attempt.taken)]));
  const lost = evidence.expected.filter(({ key }) => (taken.get(key)?.length ?? 0) === 0);
  problems.push(...lost.map(({ key }) => `lost: ${key}`));
  problems.push(...contents(evidence, byKey));
  const { duplicated, killsBetween, unexcused } = duplicates(evidence, taken);
  problems.push(...unexcused);
  const reordered = [...disorder(evidence.expected, byKey), ...disorderOfUpdates(evidence.attempts, byKey)];
  problems.push(...reordered);
  problems.push(...wrongStates(evidence));
  const more = problems.length - MAX_PROBLEMS;
  return {
    delivered: evidence.expected.length - lost.length,
    lost: lost.length,
    duplicated,
    reordered: reordered.length,
    killsBetween,
    problems: more > 0 ? [...problems.slice(0, MAX_PROBLEMS), `and ${more} more`] : problems,
  };
}

/** What was sent that nobody expects, or says something else than the operations did. */
function contents({ expected }: Evidence, byKey: ReadonlyMap<string, readonly Attempt[]>): string[] {
  const wanted = new Map(expected.map((event) => [event.key, event]));
  return [...byKey].flatMap(([key, attempts]) => {
    const event = wanted.get(key);
    const [, id] = UPDATE.exec(key) ?? [];
    if (id !== undefined && wanted.has(`server/${id}/creation`)) return [];
    if (event === undefined) return [`invented: ${key}`];
    const { created, serverId, address } = event;
    const differs = (one: Attempt) => one.created !== created || one.serverId !== serverId || one.address !== address;
    const wrong = attempts.find(differs);
    return wrong === undefined
      ? []
      : [`wrong: ${key} says ${wrong.serverId} ${wrong.address}, not ${serverId} ${address}`];
  });
}

/** Taken twice is allowed for what was in flight at a kill, and for nothing else. */
function duplicates(
  { runs, inFlight }: Evidence,
  taken: ReadonlyMap<string, readonly Attempt[]>,
): { readonly duplicated: number; readonly killsBetween: number; readonly unexcused: readonly string[] } {
  const killedAt = new Map(runs.map((run) => [run.number, run.killedAt]));
  const perRun = new Map<number, number>();
  const unexcused: string[] = [];
  let duplicated = 0;
  for (const [key, attempts] of taken) {
    for (const [index, attempt] of attempts.slice(0, -1).entries()) {
      const again = attempts[index + 1]!;
      const kill = killedAt.get(attempt.run) ?? null;
      duplicated++;
      if (again.run === attempt.run || kill === null) {
        unexcused.push(`duplicated without a kill: ${key}, by runs ${attempt.run} and ${again.run}`);
      } else if (kill - (attempt.answeredAt ?? kill) > RECORDED_WITHIN_MS) {
        unexcused.push(`duplicated: ${key} was answered ${Math.round(kill - attempt.answeredAt!)} ms before the kill`);
      }
      perRun.set(attempt.run, (perRun.get(attempt.run) ?? 0) + 1);
    }
  }
  for (const [run, count] of perRun) {
    if (count > inFlight) {
      unexcused.push(`duplicated: ${count} events of run ${run}, and only ${inFlight} can be in flight`);
    }
  }
  const killsBetween = [...perRun.keys()].filter((run) => killedAt.get(run) !== null).length;
  return { duplicated, killsBetween, unexcused };
}

/** An event may arrive only after all that share a key with it and come before it were taken, and none of those may come after it. */
function disorder(expected: readonly ExpectedEvent[], byKey: ReadonlyMap<string, readonly Attempt[]>): string[] {
  const last = new Map<string, ExpectedEvent>();
  const found: string[] = [];
  for (const event of expected) {
    const earlier = new Set(event.orderKeys.map((key) => last.get(key)).filter((one) => one !== undefined));
    const arrivedAs = byKey.get(event.key)?.[0]?.arrivedAs;
    const overtaken = [...earlier].find(({ key }) => !isBefore(byKey.get(key) ?? [], arrivedAs));
    if (overtaken !== undefined) found.push(`reordered: ${event.key} came before ${overtaken.key} was settled`);
    for (const key of event.orderKeys) last.set(key, event);
  }
  return found;
}

/** Updates of a server come between its creation and its deletion, in the order of their numbers. */
function disorderOfUpdates(attempts: readonly Attempt[], byKey: ReadonlyMap<string, readonly Attempt[]>): string[] {
  const updates = Map.groupBy([...byKey.keys()].filter((key) => UPDATE.test(key)), (key) => UPDATE.exec(key)![1]!);
  return [...updates].flatMap(([id, keys]) => {
    const numbered = keys.toSorted((one, other) => Number(UPDATE.exec(one)![2]) - Number(UPDATE.exec(other)![2]));
    const life = [`server/${id}/creation`, ...numbered, `server/${id}/deletion`].filter((key) => byKey.has(key));
    return life.slice(1).flatMap((key, index) => {
      const before = life[index]!;
      const arrivedAs = byKey.get(key)?.[0]?.arrivedAs;
      return isBefore(byKey.get(before) ?? [], arrivedAs)
        ? []
        : [`reordered: ${key} came before ${before} was settled`];
    });
  }).slice(0, attempts.length);
}

const UPDATE = /^server\/([^/]+)\/update\/(\d+)$/;

/** Servers of which the receiver was not told the final state, or whose deletion says another one than what it was told. */
function wrongStates({ attempts, states }: Evidence): string[] {
  const told = new Map<string, Attempt>();
  const wrong: string[] = [];
  for (const attempt of attempts.filter(({ taken }) => taken)) {
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

function isBefore(attempts: readonly Attempt[], arrivedAs: number | undefined): boolean {
  if (arrivedAs === undefined) return true;
  const taken = attempts.find((attempt) => attempt.taken)?.answeredAs ?? Infinity;
  return taken < arrivedAs && attempts.every((attempt) => attempt.arrivedAs < arrivedAs);
}
