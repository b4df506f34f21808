import { deepStrictEqual as assertEquals, ok as assert } from "node:assert/strict";
import { Pruner } from "../../../src/ledger/sqlite/prune.ts";
import { cpuMs } from "../../support/cpu.ts";
import { tell } from "../../support/decided_ledger.ts";
import { came } from "../../support/stories.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

function keysIn({ database }: TemporaryLedger): string[] {
  return database.prepare("SELECT key FROM event ORDER BY seq").all().map(({ key }) => String(key));
}

async function opened(): Promise<TemporaryLedger> {
  const ledger = new TemporaryLedger();
  await ledger.ledger.activate(["p"]);
  return ledger;
}

Deno.test("Pruner.slice() takes less than 20 ms when 20,000 servers exist", async () => {
  using ledger = await opened();
  await tell(ledger, ...Array.from({ length: 20_000 }, (_, index) => came(`s${index}`)));
  ledger.database.exec("UPDATE delivery SET state = 'done', finished_at = 1");
  const pruner = new Pruner(ledger.database);
  let [slices, late] = [0, 0];
  for (let more = true; more; slices++) {
    const began = cpuMs();
    more = pruner.slice(Number.MAX_SAFE_INTEGER);
    if (cpuMs() - began >= 20) late++;
  }
  assert(late <= Math.max(2, slices / 20), `${late} of ${slices} slices took 20 ms`);
  assertEquals(keysIn(ledger).length, 20_000);
});
