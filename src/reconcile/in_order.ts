import { Draft } from "../facts/draft.ts";
import { listingOf, type Observation, observedId } from "../facts/observation.ts";
import type { MemoryReader } from "../model/comparison_ledger.ts";
import type { Memory } from "../model/memory.ts";
import { judge, type Judgement, type JudgeOptions } from "./judge.ts";
import { slices } from "./slices.ts";

/**
 * The order in which observations are recorded: a name or an address is released before it is
 * reused, and a server comes before its floating IPs. A floating IP comes before its port, whose
 * server its state contains: otherwise it would follow a port on which it is no more. In old
 * releases it does not contain the server, so the port comes first.
 */
const PLAN_ORDER: readonly ((judgement: Judgement) => boolean)[] = [
  ({ observation: { what } }) => what === "serverAbsent",
  ({ observation: { what } }) => what === "floatingIpAbsent",
  ({ observation }) => observation.what === "floatingIp" && observation.state.portId === null,
  ({ observation: { what } }) => what === "portAbsent",
  ({ observation: { what } }) => what === "server",
  ({ observation }) => observation.what === "floatingIp" && observation.state.port !== null,
  ({ observation: { what } }) => what === "port",
  ({ observation }) =>
    observation.what === "floatingIp" && observation.state.portId !== null && observation.state.port === null,
];

/**
 * Puts judgements in order, and judges each observation again with memory as the ones before it
 * leave it: the end of a server also ends its associations, and each is told once. What has nothing
 * left to change is left out.
 */
export async function inOrder(
  judgements: readonly Judgement[],
  { memory, rules, findUpdate }: JudgeOptions & { readonly memory: MemoryReader },
): Promise<readonly Judgement[]> {
  const ordered: Judgement[] = [];
  for (const slice of slices(PLAN_ORDER.flatMap((isNext) => judgements.filter(isNext)))) {
    ordered.push(...await memory.look((known) => judgeAgain(slice, { known, ordered, rules, findUpdate })));
  }
  return withUpdatesOnce(ordered);
}

/** The judgements of one slice, behind those that are in order. */
function judgeAgain(
  slice: readonly Judgement[],
  { known, ordered, rules, findUpdate }: JudgeOptions & {
    readonly known: Memory;
    readonly ordered: readonly Judgement[];
  },
): readonly Judgement[] {
  const draft = new Draft(known);
  for (const { changes } of ordered) draft.put(changes);
  return slice.flatMap(({ observation, difference }) => {
    const rebased = rebase(observation, { known, draft });
    const judged = judge(rebased, { memory: draft, rules, findUpdate, evidence: difference?.evidence ?? [] });
    if (judged === null) return [];
    draft.put(judged.changes);
    return [judged];
  });
}

/** Tells each update once, by its key: a server and its port may both differ. */
function withUpdatesOnce(ordered: readonly Judgement[]): readonly Judgement[] {
  const updates = new Set<string>();
  return ordered.map((judged) => {
    const [key = ""] = judged.difference?.change === "changed" ? judged.difference.keys : [];
    if (key === "") return judged;
    const isTold = updates.has(key);
    updates.add(key);
    return isTold ? { ...judged, difference: null } : judged;
  });
}

/** Observations that come before this one may change the row with which it was compared. */
function rebase(
  observation: Observation,
  { known, draft }: { readonly known: Memory; readonly draft: Memory },
): Observation {
  if (!("comparedWith" in observation) || observation.comparedWith !== rowOf(observation, known)) return observation;
  return { ...observation, comparedWith: rowOf(observation, draft) };
}

function rowOf(observation: Observation, memory: Memory): string {
  const id = observedId(observation);
  return JSON.stringify((listingOf(observation) === "ports" ? memory.port(id) : memory.floatingIp(id)) ?? null);
}
