// A target that takes 200 ms for each request: deliveries a second, against what so many requests at once
// allow.
import { contest } from "../contest.ts";
import { lives } from "../mix.ts";
import { CountingReceiver } from "../receiver.ts";
import type { Line, Measured, Row, Stand } from "../stand.ts";
import { drainTo } from "../watcher.ts";

export const slowTarget: Row = { name: "a target that takes 200 ms", measure };

const TAKES_MS = 200;

/** Requests at once, the share of the possible rate to be reached, and how many servers come and go. */
const AT_ONCE = [
  { concurrency: 8, atLeast: 0.95, servers: 80 },
  { concurrency: 64, atLeast: 0.95, servers: 640 },
  { concurrency: 256, atLeast: 0.9, servers: 2560 },
  { concurrency: 1000, atLeast: 0.6, servers: 5000 },
];

async function measure(stand: Stand): Promise<Measured> {
  await using receiver = new CountingReceiver({ takesMs: TAKES_MS });
  const run = (concurrency: number, servers: number) => () => {
    const load = lives(stand.quick ? Math.ceil(servers / 10) : servers);
    return drainTo(receiver, stand, { load, sections: `retry: { concurrency: ${concurrency} },` });
  };
  const named = (concurrency: number) => `${concurrency} at once`;
  const contenders = AT_ONCE.map(({ concurrency, servers }) =>
    [named(concurrency), run(concurrency, servers)] as const
  );
  const rounds = await contest<string>({ name: slowTarget.name, rounds: stand.rounds }, Object.fromEntries(contenders));
  const lines = AT_ONCE.flatMap(({ concurrency, atLeast }): Line[] => {
    const rate = rounds.median(named(concurrency), "perSecond");
    const share = typeof rate === "number" ? rate * TAKES_MS / 1000 / concurrency : rate;
    return [
      { what: `deliveries/s, ${named(concurrency)}`, value: rate, unit: "/s" },
      { what: `of ${concurrency * 1000 / TAKES_MS} that are possible`, value: share, unit: "×", aim: { atLeast } },
    ];
  });
  const [least, most] = [8, 1000].map((concurrency) => rounds.median(named(concurrency), "peakMib"));
  const more = typeof least === "number" && typeof most === "number" ? most - least : { refused: "a round failed" };
  const memory = { what: "memory, 1000 at once, more than 8", value: more, unit: "MiB", aim: { atMost: 100 } };
  return { lines: [...lines, memory], raw: rounds };
}
