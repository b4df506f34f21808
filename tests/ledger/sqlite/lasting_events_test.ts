import { deepStrictEqual as assertEquals, ok as assert } from "node:assert/strict";
import { Pruner } from "../../../src/ledger/sqlite/prune.ts";
import { cpuMs } from "../../support/cpu.ts";
import { deliverAll, tell } from "../../support/decided_ledger.ts";
import { came, cameVersioned, floatingIpIs, portCame, went } from "../../support/stories.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

function keysIn({ database }: TemporaryLedger): string[] {
  return database.prepare("SELECT key FROM event ORDER BY seq").all().map(({ key }) => String(key));
}

function prune({ database }: TemporaryLedger): void {
  const pruner = new Pruner(database);
  while (pruner.slice(Number.MAX_SAFE_INTEGER));
}

async function opened(): Promise<TemporaryLedger> {
  const ledger = new TemporaryLedger();
  await ledger.ledger.activate(["p"]);
  return ledger;
}

Deno.test("Pruner keeps the creation of a server until the server is deleted", async () => {
  using ledger = await opened();
  await tell(ledger, came("s/1"), came("s2"), went("s2"));
  await deliverAll(ledger);
  prune(ledger);
  assertEquals(keysIn(ledger), ["server/s/1/creation"]);
  await tell(ledger, went("s/1"));
  await deliverAll(ledger);
  prune(ledger);
  assertEquals(keysIn(ledger), []);
  assertEquals(ledger.database.prepare("SELECT count(*) AS n FROM server").get()?.["n"], 0);
});

Deno.test("Pruner keeps the beginning of a floating IP's current association, and no earlier one", async () => {
  using ledger = await opened();
  await tell(ledger, portCame("port-a", { server: "a" }), portCame("port-b", { server: "b" }), came("a"), came("b"));
  const to = (port: string | null) =>
    floatingIpIs("f/1", { port, ...(port === null ? {} : { server: port.slice(5) }) });
  await tell(ledger, to("port-a"), to("port-b"), to("port-a"));
  await deliverAll(ledger);
  prune(ledger);
  const servers = ["server/a/creation", "server/b/creation"];
  assertEquals(keysIn(ledger), [...servers, "floatingip/f/1/5/creation"]);
  await tell(ledger, to(null));
  await deliverAll(ledger);
  prune(ledger);
  assertEquals(keysIn(ledger), servers);
});

Deno.test("Pruner keeps the end of an association while the creation of its server lists the floating IP", async () => {
  using ledger = await opened();
  await tell(ledger, portCame("port-a", { server: "a" }), floatingIpIs("f1", { port: "port-a", server: "a" }));
  await tell(ledger, cameVersioned("a"), floatingIpIs("f1"));
  await deliverAll(ledger);
  prune(ledger);
  assertEquals(keysIn(ledger), ["server/a/creation", "floatingip/f1/2/deletion"]);
  await tell(ledger, went("a"));
  await deliverAll(ledger);
  prune(ledger);
  assertEquals(keysIn(ledger), []);
});

Deno.test("Pruner takes the order keys of what it keeps, so that look-ups search no partitions of years", async () => {
  using ledger = await opened();
  await tell(ledger, came("a"), came("b"));
  await deliverAll(ledger);
  await tell(ledger, came("c"));
  prune(ledger);
  // What waits keeps its order keys.
  const kept = ledger.database.prepare(
    "SELECT DISTINCT e.key FROM event_order AS o JOIN event AS e USING (seq) ORDER BY o.seq",
  ).all().map(({ key }) => key);
  assertEquals(kept, ["server/c/creation"]);
  assertEquals(keysIn(ledger).length, 3);
});

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
