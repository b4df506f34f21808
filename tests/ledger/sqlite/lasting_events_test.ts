import { deepStrictEqual as assertEquals, ok as assert } from "node:assert/strict";
import { Pruner } from "../../../src/ledger/sqlite/prune.ts";
import { cpuMs } from "../../support/cpu.ts";
import { deliverAll, tell, tellFollowing } from "../../support/decided_ledger.ts";
import { came, cameVersioned, floatingIpIs, notification, portCame, went } from "../../support/stories.ts";
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

/** `compute.instance.update` of a server with a hostname, a minute later for each number. */
function renamed(server: string, hostname: string, minute: number) {
  const time = new Date(Date.UTC(2026, 10, 21, 20, minute)).toISOString();
  return notification("compute.instance.update", { instance_id: server, hostname, state: "active" }, { time });
}

Deno.test("Pruner keeps the creation of a server and its last update, and earlier ones until that was told", async () => {
  using ledger = await opened();
  await tellFollowing(ledger, came("s"), renamed("s", "one", 1), renamed("s", "two", 2));
  await deliverAll(ledger);
  prune(ledger);
  assertEquals(keysIn(ledger), ["server/s/creation", "server/s/update/2"]);
  await tellFollowing(ledger, renamed("s", "three", 3));
  await deliverAll(ledger, { outcome: "dead" });
  await tellFollowing(ledger, renamed("s", "four", 4));
  prune(ledger);
  assertEquals(keysIn(ledger), ["creation", "update/2", "update/3", "update/4"].map((end) => `server/s/${end}`));
  // The plugin was last told update 2: what update 4 changes for it.
  const [delivery] = await ledger.ledger.ready({ plugin: "p", now: Number.MAX_SAFE_INTEGER, limit: 1 });
  assertEquals([delivery?.event.key, delivery?.before?.FQDN], ["server/s/update/4", "two"]);
  await deliverAll(ledger);
  prune(ledger);
  // A dead letter stays, whatever came later.
  assertEquals(keysIn(ledger), ["creation", "update/3", "update/4"].map((end) => `server/s/${end}`));
});

Deno.test("Pruner keeps the last update of a plugin that was not told the later ones", async () => {
  using ledger = new TemporaryLedger();
  await ledger.ledger.activate(["p", "q"]);
  await tellFollowing(ledger, came("s"), renamed("s", "one", 1), renamed("s", "two", 2));
  await deliverAll(ledger);
  await deliverAll(ledger, { plugin: "q" });
  // As if q had followed then: it was told the first update.
  ledger.database.exec(`INSERT INTO delivery (seq, plugin, state, due_at, attempts, finished_at)
    SELECT e.seq, (SELECT id FROM plugin WHERE name = 'q'), 'done', 0, 1, 0 FROM event AS e WHERE e.key = 'server/s/update/1'`);
  prune(ledger);
  assertEquals(keysIn(ledger), ["creation", "update/1", "update/2"].map((end) => `server/s/${end}`));
  await tellFollowing(ledger, went("s"));
  const deletionOf = async (plugin: string) =>
    (await ledger.ledger.ready({ plugin, now: Number.MAX_SAFE_INTEGER, limit: 1 }))[0]?.before?.FQDN;
  assertEquals([await deletionOf("p"), await deletionOf("q")], ["two", "one"]);
});

Deno.test("Pruner keeps what was told of a deleted server until its deletion is delivered", async () => {
  using ledger = await opened();
  await tellFollowing(ledger, came("s"), renamed("s", "one", 1));
  await deliverAll(ledger);
  await tellFollowing(ledger, went("s"));
  prune(ledger);
  assertEquals(keysIn(ledger), ["creation", "update/1", "deletion"].map((end) => `server/s/${end}`));
  const [delivery] = await ledger.ledger.ready({ plugin: "p", now: Number.MAX_SAFE_INTEGER, limit: 1 });
  assertEquals(delivery?.before?.FQDN, "one");
  await deliverAll(ledger);
  prune(ledger);
  assertEquals(keysIn(ledger), []);
});

Deno.test("Pruner keeps the end of an association while the last update of its server lists the floating IP", async () => {
  using ledger = await opened();
  await tellFollowing(
    ledger,
    came("a"),
    portCame("port-a", { server: "a" }),
    floatingIpIs("f1", { port: "port-a", server: "a" }),
    renamed("a", "one", 1),
    floatingIpIs("f1"),
  );
  await deliverAll(ledger);
  prune(ledger);
  const last = keysIn(ledger).findLast((key) => key.includes("/update/"));
  assert(last !== undefined && keysIn(ledger).includes("floatingip/f1/2/deletion"), keysIn(ledger).join(" "));
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
