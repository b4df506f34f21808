// One plugin that never answers, beside one that does.
import { contest } from "../contest.ts";
import { drain } from "../drain.ts";
import { lives } from "../mix.ts";
import { CountingReceiver } from "../receiver.ts";
import { type Measured, QUEUE, type Row, type Stand } from "../stand.ts";
import { restPlugin, startWatcher } from "../watcher.ts";

export const hanging: Row = { name: "one plugin hanging", measure };

const HANGS = `{ name: "Hangs", notify: () => new Promise(() => {}) }`;

async function measure(stand: Stand): Promise<Measured> {
  await using receiver = new CountingReceiver();
  const load = lives(stand.quick ? 400 : 2500);
  const run = (more: readonly string[]) => () => {
    const start = () =>
      startWatcher({
        url: stand.url,
        queue: QUEUE,
        plugins: [restPlugin(receiver.port), ...more].join(", "),
        deliveries: load.events,
        finished: receiver.expect(load.events),
      });
    return drain({ bus: stand.bus, queue: QUEUE, load, start });
  };
  const rounds = await contest({ name: hanging.name, rounds: stand.rounds }, {
    "alone": run([]),
    "beside one that hangs": run([HANGS]),
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
