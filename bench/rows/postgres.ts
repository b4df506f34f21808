// Claimed events from end to end, with the ledger on PostgreSQL against the ledger in a file: the same
// program, load and receiver. PostgreSQL is local, and waits for its disk.
import { startPostgres } from "../../tools/postgres/server.ts";
import { contest } from "../contest.ts";
import { lives } from "../mix.ts";
import { CountingReceiver } from "../receiver.ts";
import type { Measured, Row, Stand } from "../stand.ts";
import { drainTo } from "../watcher.ts";

export const postgres: Row = { name: "ledger on PostgreSQL", measure };

async function measure(stand: Stand): Promise<Measured> {
  await using receiver = new CountingReceiver();
  await using server = await startPostgres();
  const load = lives(stand.quick ? 400 : 4000);
  const run = (place: object) => () => drainTo(receiver, stand, { load, ...place });
  const rounds = await contest({ name: postgres.name, rounds: stand.rounds }, {
    "SQLite": run({}),
    "PostgreSQL": run({ postgres: server }),
  });
  const ratio = (figure: string) => rounds.ratio("PostgreSQL", "SQLite", figure);
  return {
    lines: [
      { what: "events/s on PostgreSQL", value: rounds.median("PostgreSQL", "perSecond"), unit: "/s" },
      { what: "events/s in a file", value: rounds.median("SQLite", "perSecond"), unit: "/s" },
      { what: "the first against the second", value: ratio("perSecond"), unit: "×", aim: { atLeast: 0.8 } },
      { what: "our CPU per event on PostgreSQL", value: rounds.median("PostgreSQL", "cpuMicros"), unit: "µs" },
      { what: "against a file", value: ratio("cpuMicros"), unit: "×", aim: { atMost: 1 } },
    ],
    raw: rounds,
  };
}
