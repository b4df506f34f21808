// One plugin that hangs in each of its attempts, beside one that delivers. Attempts are cut off
// after a second, so that a round has many of them, and their retries.
import { contest } from "../contest.ts";
import { drain } from "../drain.ts";
import { lives } from "../mix.ts";
import { CountingReceiver } from "../receiver.ts";
import { type Measured, QUEUE, type Row, type Stand } from "../stand.ts";
import { restPlugin, startWatcher } from "../watcher.ts";

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
    const start = () =>
      startWatcher({
        url: stand.url,
        queue: QUEUE,
        plugins: [restPlugin(receiver.port), ...more].join(", "),
        sections: RETRY,
        deliveries: load.events,
        failing,
        finished: receiver.expect(load.events),
      });
    return drain({ bus: stand.bus, queue: QUEUE, load, start });
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
