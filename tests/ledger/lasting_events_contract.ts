/**
 * Which events every ledger that outlives its process must keep for as long as their resources exist.
 *
 * @module
 */

import { deepStrictEqual as assertEquals, ok as assert } from "node:assert/strict";
import { deliverAll, tell, tellFollowing } from "../support/decided_ledger.ts";
import { came, cameVersioned, floatingIpIs, notification, portCame, went } from "../support/stories.ts";
import { count, type OperatedContract, type OperatedLedger, textsIn } from "./operated_ledger.ts";

export function testLastingEvents({ name, open }: OperatedContract): void {
  const test = (what: string, run: () => Promise<void>) => Deno.test(`${name}: ${what}`, run);
  const activated = async () => {
    const opened = await open();
    await opened.ledger.activate(["p"]);
    return opened;
  };

  test("Pruner keeps the creation of a server until the server is deleted", async () => {
    await using ledger = await activated();
    await tell(ledger, came("s/1"), came("s2"), went("s2"));
    await deliverAll(ledger);
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(await keysIn(ledger), ["server/s/1/creation"]);
    await tell(ledger, went("s/1"));
    await deliverAll(ledger);
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(await keysIn(ledger), []);
    assertEquals(await count(ledger, "server"), 0);
  });

  test("Pruner keeps the creation of a server and its last update, and earlier ones until that was told", async () => {
    await using ledger = await activated();
    await tellFollowing(ledger, came("s"), renamed("s", "one", 1), renamed("s", "two", 2));
    await deliverAll(ledger);
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(await keysIn(ledger), ["server/s/creation", "server/s/update/2"]);
    await tellFollowing(ledger, renamed("s", "three", 3));
    await deliverAll(ledger, { outcome: "dead" });
    await tellFollowing(ledger, renamed("s", "four", 4));
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(
      await keysIn(ledger),
      ["creation", "update/2", "update/3", "update/4"].map((end) => `server/s/${end}`),
    );
    // The plugin was last told update 2: what update 4 changes for it.
    const [delivery] = await ledger.ledger.ready({ plugin: "p", now: Number.MAX_SAFE_INTEGER, limit: 1 });
    assertEquals([delivery?.event.key, delivery?.before?.FQDN], ["server/s/update/4", "two"]);
    await deliverAll(ledger);
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    // A dead letter stays, whatever came later.
    assertEquals(await keysIn(ledger), ["creation", "update/3", "update/4"].map((end) => `server/s/${end}`));
  });

  test("Pruner keeps the last update of a plugin that was not told the later ones", async () => {
    await using ledger = await open();
    await ledger.ledger.activate(["p", "q"]);
    await tellFollowing(ledger, came("s"), renamed("s", "one", 1), renamed("s", "two", 2));
    await deliverAll(ledger);
    await deliverAll(ledger, { plugin: "q" });
    // As if q had followed then: it was told the first update.
    await ledger.markTold({ key: "server/s/update/1", plugin: "q" });
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(await keysIn(ledger), ["creation", "update/1", "update/2"].map((end) => `server/s/${end}`));
    await tellFollowing(ledger, went("s"));
    const deletionOf = async (plugin: string) =>
      (await ledger.ledger.ready({ plugin, now: Number.MAX_SAFE_INTEGER, limit: 1 }))[0]?.before?.FQDN;
    assertEquals([await deletionOf("p"), await deletionOf("q")], ["two", "one"]);
  });

  test("Pruner keeps what was told of a deleted server until its deletion is delivered", async () => {
    await using ledger = await activated();
    await tellFollowing(ledger, came("s"), renamed("s", "one", 1));
    await deliverAll(ledger);
    await tellFollowing(ledger, went("s"));
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(await keysIn(ledger), ["creation", "update/1", "deletion"].map((end) => `server/s/${end}`));
    const [delivery] = await ledger.ledger.ready({ plugin: "p", now: Number.MAX_SAFE_INTEGER, limit: 1 });
    assertEquals(delivery?.before?.FQDN, "one");
    await deliverAll(ledger);
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(await keysIn(ledger), []);
  });

  test("Pruner keeps the end of an association while the last update of its server lists the floating IP", async () => {
    await using ledger = await activated();
    await tellFollowing(
      ledger,
      came("a"),
      portCame("port-a", { server: "a" }),
      floatingIpIs("f1", { port: "port-a", server: "a" }),
      renamed("a", "one", 1),
      floatingIpIs("f1"),
    );
    await deliverAll(ledger);
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    const keys = await keysIn(ledger);
    const last = keys.findLast((key) => key.includes("/update/"));
    assert(last !== undefined && keys.includes("floatingip/f1/2/deletion"), keys.join(" "));
  });

  test("Pruner keeps the beginning of a floating IP's current association, and no earlier one", async () => {
    await using ledger = await activated();
    await tell(ledger, portCame("port-a", { server: "a" }), portCame("port-b", { server: "b" }), came("a"), came("b"));
    const to = (port: string | null) =>
      floatingIpIs("f/1", { port, ...(port === null ? {} : { server: port.slice(5) }) });
    await tell(ledger, to("port-a"), to("port-b"), to("port-a"));
    await deliverAll(ledger);
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    const servers = ["server/a/creation", "server/b/creation"];
    assertEquals(await keysIn(ledger), [...servers, "floatingip/f/1/5/creation"]);
    await tell(ledger, to(null));
    await deliverAll(ledger);
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(await keysIn(ledger), servers);
  });

  test("Pruner keeps the end of an association while the creation of its server lists the floating IP", async () => {
    await using ledger = await activated();
    await tell(ledger, portCame("port-a", { server: "a" }), floatingIpIs("f1", { port: "port-a", server: "a" }));
    await tell(ledger, cameVersioned("a"), floatingIpIs("f1"));
    await deliverAll(ledger);
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(await keysIn(ledger), ["server/a/creation", "floatingip/f1/2/deletion"]);
    await tell(ledger, went("a"));
    await deliverAll(ledger);
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(await keysIn(ledger), []);
  });

  test("Pruner takes the order keys of what it keeps, so that look-ups search no partitions of years", async () => {
    await using ledger = await activated();
    await tell(ledger, came("a"), came("b"));
    await deliverAll(ledger);
    await tell(ledger, came("c"));
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    // What waits keeps its order keys.
    const kept = (await ledger.sql(
      "SELECT e.key FROM event AS e WHERE e.seq IN (SELECT seq FROM event_order) ORDER BY e.seq",
    )).map(({ key }) => key);
    assertEquals(kept, ["server/c/creation"]);
    assertEquals(await count(ledger, "event"), 3);
  });
}

function keysIn(opened: OperatedLedger): Promise<string[]> {
  return textsIn(opened, "event", "key", "seq");
}

/** `compute.instance.update` of a server with a hostname, a minute later for each number. */
function renamed(server: string, hostname: string, minute: number) {
  const time = new Date(Date.UTC(2026, 10, 21, 20, minute)).toISOString();
  return notification("compute.instance.update", { instance_id: server, hostname, state: "active" }, { time });
}
