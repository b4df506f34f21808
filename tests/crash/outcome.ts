// What comes out of a trial: the verdicts on all receivers, and what the ledger says.
import { DELIVERY_DEFAULTS } from "../../src/model/config_defaults.ts";
import { judge } from "./oracle.ts";
import type { Trial } from "./trial.ts";

/** What is printed of a scenario. */
export interface Outcome {
  readonly title: string;
  readonly published: number;
  readonly recorded: number;
  readonly events: number;
  readonly delivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Of processes of the service; of servers in `serverKills`. */
  readonly kills: number;
  readonly serverKills: number;
  readonly killsBetween: number;
  readonly refused: number;
  readonly takenOver: number;
  readonly seconds: number;
  /** What is worth knowing and not wrong. */
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

/** How many deliveries of a plugin may be attempted and not recorded yet: src/dispatch/lane.ts, `MAX_UNRECORDED`. */
const IN_FLIGHT = 8 * DELIVERY_DEFAULTS.concurrency;

/** Judges a trial whose processes have ended. */
export async function concluded(trial: Trial): Promise<Outcome> {
  const { publishing: { expected, model, messages }, witnesses, faults, notes, problems } = trial;
  const verdicts = witnesses.map(({ plugin, attempts }) => {
    const verdict = judge({ expected, states: model.states, attempts, faults: faults.all, inFlight: IN_FLIGHT });
    const named = witnesses.length === 1 ? "" : `${plugin}: `;
    return { ...verdict, problems: verdict.problems.map((problem) => `${named}${problem}`) };
  });
  const updates = witnesses.reduce((total, witness) => total + witness.updates.size, 0);
  if (trial.follows) notes.push(`${updates} updates were told`);
  type Count = "delivered" | "lost" | "duplicated" | "reordered" | "killsBetween" | "refused" | "takenOver";
  const sum = (count: Count) => verdicts.reduce((total, verdict) => total + verdict[count], 0);
  const recorded = await checkLedger(trial);
  return {
    title: trial.options.title,
    published: messages,
    recorded,
    events: expected.length * witnesses.length,
    delivered: sum("delivered"),
    lost: sum("lost"),
    duplicated: sum("duplicated"),
    reordered: sum("reordered"),
    kills: faults.count("kill"),
    serverKills: faults.all.filter(({ of, kind }) => typeof of === "string" && kind === "kill").length,
    killsBetween: sum("killsBetween"),
    refused: sum("refused"),
    takenOver: sum("takenOver"),
    seconds: (Date.now() - trial.startedAt) / 1000,
    notes,
    problems: [...problems, ...verdicts.flatMap((verdict) => verdict.problems)],
  };
}

/** Every message that was confirmed is recorded once, and nothing is left to do. */
async function checkLedger({ ledger, publishing, witnesses, problems }: Trial): Promise<number> {
  const [recorded, open, done] = [await ledger.recorded(), await ledger.open(), await ledger.done()];
  const published = publishing.recorded.size;
  if (recorded !== published) {
    problems.push(`${recorded} notifications are recorded, and ${published} were published`);
  }
  if (open > 0) problems.push(`${open} deliveries are not done`);
  const wanted = publishing.expected.length * witnesses.length;
  if (done !== wanted) problems.push(`${done} deliveries are done in the ledger, not ${wanted}`);
  return recorded;
}
