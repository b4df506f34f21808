import assert from "node:assert/strict";
import { ServerCache } from "../../../src/ledger/sqlite/server_cache.ts";
import { tellFollowing } from "../../support/decided_ledger.ts";
import { madeMemory } from "../../support/made_events.ts";
import { came, notification } from "../../support/stories.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

/** `compute.instance.update` of the server `s` with a hostname, at a minute. */
function named(hostname: string, minute: number) {
  const time = new Date(Date.UTC(2026, 10, 21, 20, minute)).toISOString();
  return notification("compute.instance.update", { instance_id: "s", hostname, state: "active" }, { time });
}

function rowsOf({ database }: TemporaryLedger, sql: string): unknown[] {
  return database.prepare(sql).all().map((row) => Object.values(row)[0]);
}

Deno.test("SqliteLedger writes nothing of a message that states what memory has", async () => {
  using ledger = new TemporaryLedger();
  await ledger.ledger.activate(["p"]);
  await tellFollowing(ledger, came("s"), named("one", 1));
  const changes = () => rowsOf(ledger, "SELECT total_changes()")[0];
  const [before, types] = [changes(), rowsOf(ledger, "SELECT event_type FROM notification ORDER BY seq")];
  await tellFollowing(ledger, named("one", 2), named("one", 3));
  assert.deepEqual(changes(), before);
  assert.deepEqual(types, ["compute.instance.create.end", "compute.instance.update"]);
  assert.deepEqual(rowsOf(ledger, "SELECT event_type FROM notification ORDER BY seq"), types);
});

Deno.test("SqliteLedger knows the time of a statement that it has not written", async () => {
  using ledger = new TemporaryLedger();
  await ledger.ledger.activate(["p"]);
  await tellFollowing(ledger, came("s"), named("one", 1), named("one", 3), named("two", 2));
  const keys = () => rowsOf(ledger, "SELECT key FROM event ORDER BY seq");
  assert.deepEqual(keys(), ["server/s/creation", "server/s/update/1"]);
  await tellFollowing(ledger, named("two", 4));
  assert.deepEqual(keys().at(-1), "server/s/update/2");
});

Deno.test("SqliteLedger takes a recorded message that states nothing new out of the file", async () => {
  using ledger = new TemporaryLedger();
  await ledger.ledger.activate(["p"]);
  await tellFollowing(ledger, came("s"), named("one", 1));
  await ledger.ledger.record([{ receivedAt: ledger.now, notification: named("one", 2) }]);
  assert.deepEqual(rowsOf(ledger, "SELECT count(*) FROM notification WHERE outcome IS NULL"), [1]);
  await tellFollowing(ledger, named("one", 3));
  assert.deepEqual(rowsOf(ledger, "SELECT count(*) FROM notification"), [2]);
});

Deno.test("SqliteLedger reads a server again that another process has changed", async () => {
  using ledger = new TemporaryLedger();
  await ledger.ledger.activate(["p"]);
  await tellFollowing(ledger, came("s"), named("one", 1));
  using other = new TemporaryLedger({ file: ledger.file });
  other.database.exec(`UPDATE server SET data = json_set(data, '$.snapshot.hostname', 'three')`);
  await tellFollowing(ledger, named("one", 2));
  const [text] = rowsOf(ledger, "SELECT data FROM server");
  assert.equal(JSON.parse(String(text)).snapshot.hostname, "one");
});

Deno.test("ServerCache forgets what was put longest ago when it holds too much", () => {
  const cache = new ServerCache();
  for (const id of ["a", "b", "c"]) cache.put(madeMemory(id), 4_000_000);
  assert.deepEqual(["a", "b", "c"].map((id) => cache.get(id)?.id), [undefined, "b", "c"]);
  cache.put(madeMemory("b"), 4_000_000);
  cache.put(madeMemory("d"), 1);
  assert.deepEqual(["b", "c", "d"].map((id) => cache.get(id)?.id), ["b", "c", "d"]);
  cache.put(madeMemory("e"), 4_000_000);
  assert.deepEqual(["b", "c", "d", "e"].map((id) => cache.get(id)?.id), ["b", undefined, "d", "e"]);
  for (let number = 0; number < 5000; number++) cache.put(madeMemory(String(number)), 1);
  assert.deepEqual([cache.get("b"), cache.get("999"), cache.get("1000")?.id], [undefined, undefined, "1000"]);
});

Deno.test("ServerCache replaces only what it holds", () => {
  const cache = new ServerCache();
  cache.replace(madeMemory("a"));
  assert.equal(cache.get("a"), undefined);
  cache.put(madeMemory("a"), 1);
  cache.replace(madeMemory("a", { deleted: true }));
  assert.equal(cache.get("a")?.deleted, true);
});
