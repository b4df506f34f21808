// One plugin that hangs in each of its attempts, beside one that delivers. Attempts are cut off
// after a second, so that a round has many of them, and their retries.
import { contest } from "../contest.ts";
import { lives } from "../mix.ts";
import { CountingReceiver } from "../receiver.ts";
import type { Measured, Row, Stand } from "../stand.ts";
import { drainTo, restPlugin } from "../watcher.ts";

export const hanging: Row = { name: "one plugin hanging", measure };

const HANGS = `{ name: "Hangs", notify: () => new Promise(() => {}) }`;
const RETRY = `retry: { attemptTimeoutSeconds: 1 },`;
/**
 * The least number of its deliveries that must have failed: one for each attempt that may be in
 * flight.
 */
const FAILING = 8;

async function measure(stand: Stand): Promise<Measured> {
  await using receiver = new CountingReceiver();
  const load = lives(stand.quick ? 1000 : 8000);
  const run = (more: readonly string[], failing: number) => () => {
    const plugins = [restPlugin(receiver.port), ...more].join(", ");
    return drainTo(receiver, stand, { load, plugins, sections: RETRY, failing });
  };
  const rounds = await contest({ name: hanging.name, rounds: stand.rounds }, {
    "alone": run([], 0),
    "beside one that hangs": run([HANGS], FAILING),
  });
  return {
    lines: [
      { what: "events/s alone", value: rounds.median("alone", "perSecond"), unit: "/s" },
      {
        what: "events/s beside one that hangs",
        value: rounds.median("beside one that hangs", "perSecond"),
        unit: "/s",
      },
      {
        what: "beside one that hangs against alone",
        value: rounds.ratio("beside one that hangs", "alone", "perSecond"),
        unit: "×",
        aim: { atLeast: 0.9 },
      },
    ],
    raw: rounds,
  };
}
