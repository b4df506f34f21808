/**
 * Updates against a model of a cloud: whatever is lost, comes late or fails, in the end each target was told what is, in order.
 *
 * `UPDATES_RUNS=100000` plays more runs, `UPDATES_SEED` other ones, `UPDATES_ACTS` longer ones.
 *
 * @module
 */

import fc from "fast-check";
import { RamLedger } from "../../src/ledger/ram/ledger.ts";
import { OPTIONAL_KEYS } from "../../src/model/detail.ts";
import { sharedPostgres } from "../support/postgres_server.ts";
import { SwiftTimers } from "../support/swift_timers.ts";
import { TemporaryLedger } from "../support/temporary_ledger.ts";
import { TemporaryPostgresLedger } from "../support/temporary_postgres_ledger.ts";
import { type OpenedLedger, Run, type RunOptions } from "./run.ts";

const RUNS = Number(Deno.env.get("UPDATES_RUNS") ?? 1500);
const SQLITE_RUNS = Math.ceil(RUNS / 30);
const MAX_ACTS = Number(Deno.env.get("UPDATES_ACTS") ?? 14);
const SEED = Number(Deno.env.get("UPDATES_SEED") ?? 20_261_121);

const UPDATE: fc.Arbitrary<RunOptions["update"]> = fc.oneof(
  fc.constant("all" as const),
  fc.subarray([
    "FQDN",
    "IP",
    "MAC",
    "Addresses",
    "Metadata",
    "Owner",
    "CPU",
    "OS",
    "Description",
    "FloatingIPs",
    ...OPTIONAL_KEYS,
  ], {
    minLength: 1,
  }),
);

const OPTIONS: fc.Arbitrary<RunOptions> = fc.record({
  format: fc.constantFrom("legacy", "versioned", "both"),
  update: UPDATE,
  tellsAssociations: fc.boolean(),
  isImmediate: fc.boolean(),
  acts: fc.array(fc.record({ kind: fc.nat(17), which: fc.nat(3), value: fc.nat(59) }), {
    minLength: 1,
    maxLength: MAX_ACTS,
  })
    .map((acts) => [{ kind: 0, which: 0, value: 5 }, ...acts]),
  loss: fc.constantFrom(0, 0, 30, 90),
  lateness: fc.constantFrom(0, 0, 2, 5, 30),
  numbers: fc.array(fc.nat(9999), { maxLength: 60 }),
});

class OpenedRamLedger implements OpenedLedger {
  now = Date.UTC(2026, 10, 21, 19);
  readonly ledger = new RamLedger(() => this.now);
}

Deno.test("updates over the ledger in RAM end with what is", async () => {
  await fc.assert(
    fc.asyncProperty(OPTIONS, (options) => new Run(new OpenedRamLedger(), options).play()),
    { numRuns: RUNS, seed: SEED },
  );
});

Deno.test("updates over the ledger in SQLite end with what is", async () => {
  using _ = new SwiftTimers();
  await fc.assert(
    fc.asyncProperty(OPTIONS, async (options) => {
      using opened = new TemporaryLedger({ windowSize: 3 });
      opened.now = Date.UTC(2026, 10, 21, 19);
      await new Run(opened, options).play();
    }),
    { numRuns: SQLITE_RUNS, seed: SEED },
  );
});

Deno.test("updates over the ledger on PostgreSQL end with what is", async () => {
  await sharedPostgres();
  await fc.assert(
    fc.asyncProperty(OPTIONS, async (options) => {
      await using opened = await TemporaryPostgresLedger.open();
      opened.now = Date.UTC(2026, 10, 21, 19);
      await new Run(opened, options).play();
    }),
    { numRuns: Math.ceil(RUNS / 100), seed: SEED },
  );
});
