import assert from "node:assert/strict";
import { type AuditedTarget, auditTarget } from "../../../src/inspect/audit/audit_target.ts";
import { openDelivered } from "../../../src/ledger/sqlite/delivered.ts";
import { Pruner } from "../../../src/ledger/sqlite/prune.ts";
import type { Plugin } from "../../../src/model/plugin.ts";
import { cloudLife } from "../../support/cloud_lives.ts";
import { deliverAll, tell } from "../../support/decided_ledger.ts";
import { deliverTo, HeldTarget } from "../../support/held_target.ts";
import { madeMemory, NO_CHANGES } from "../../support/made_events.ts";
import { SeededRandom } from "../../support/random.ts";
import { came, floatingIpIs, portCame, went } from "../../support/stories.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

const NOW = 1000;

async function opened(): Promise<{ ledger: TemporaryLedger; target: HeldTarget } & Disposable> {
  const ledger = new TemporaryLedger();
  await ledger.ledger.activate(["p"]);
  return { ledger, target: new HeldTarget(), [Symbol.dispose]: () => ledger[Symbol.dispose]() };
}

type Audited = Extract<AuditedTarget, { readonly outcome: "audited" }>;

async function audit(
  plugin: Plugin,
  ledger: TemporaryLedger,
  { isApplied = false, now = () => NOW }: { readonly isApplied?: boolean; readonly now?: () => number } = {},
): Promise<Audited> {
  await using delivered = openDelivered(ledger.file);
  const signal = new AbortController().signal;
  const audited = await auditTarget({ name: "p", plugin, ledger: delivered, isApplied, now, signal });
  assert.equal(audited.outcome, "audited");
  return audited as Audited;
}

/** `kind subject/id`, with a mark for what deliveries cannot repair. */
function found({ differences }: Audited): string[] {
  return differences.map(({ kind, subject, id, repair }) =>
    `${kind} ${subject}/${id}${repair.length === 0 ? " (by hand)" : ""}`
  );
}

const A = [portCame("port-a", { server: "a" }), came("a", { hostname: "web" })];
const onA = () => floatingIpIs("f1", { port: "port-a", server: "a" });

Deno.test("auditTarget() finds what is missing, different and orphaned, and repairs it in order", async () => {
  using place = await opened();
  const { ledger, target } = place;
  await tell(ledger, ...A, onA(), came("b"), came("gone"), went("gone"));
  await deliverTo(target, ledger);
  const right = new Map(target.held);
  assert.deepEqual(found(await audit(target, ledger)), []);

  target.held.set("server/a", "by hand|203.0.113.9");
  target.held.delete("floatingip/f1");
  target.held.delete("server/b");
  target.held.set("server/gone", "by hand");
  const audited = await audit(target, ledger, { isApplied: true });

  assert.deepEqual(found(audited), [
    "different server/a",
    "missing floatingip/f1",
    "missing server/b",
    "orphaned server/gone",
  ]);
  assert.deepEqual([audited.held, audited.asDelivered, audited.repair?.remaining], [2, 0, 0]);
  const keys = ["server/a/creation", "floatingip/f1/1/creation", "server/b/creation", "server/gone/deletion"];
  assert.deepEqual((await deliverTo(target, ledger)).sort(), keys.sort());
  assert.deepEqual(target.held, right);
  assert.deepEqual(found(await audit(target, ledger)), []);
});

Deno.test("auditTarget() changes nothing unless it is told to", async () => {
  using place = await opened();
  const { ledger, target } = place;
  await tell(ledger, ...A);
  await deliverTo(target, ledger);
  target.held.clear();
  assert.equal((await audit(target, ledger)).repair, null);
  assert.deepEqual([await deliverTo(target, ledger), target.held.size], [[], 0]);
});

Deno.test("auditTarget() finds an orphaned floating IP, and delivers again what has it by now", async () => {
  using place = await opened();
  const { ledger, target } = place;
  await tell(ledger, ...A, onA(), floatingIpIs("f1"), floatingIpIs("f2", { port: "port-a", server: "a" }));
  await deliverTo(target, ledger);
  target.held.set("floatingip/f1", "by hand");
  const audited = await audit(target, ledger, { isApplied: true });
  assert.deepEqual(found(audited), ["orphaned floatingip/f1"]);
  // Both have the address of the stories.
  assert.deepEqual(await deliverTo(target, ledger), ["floatingip/f1/2/deletion", "floatingip/f2/1/creation"]);
  assert.equal(target.held.has("floatingip/f1"), false);
});

Deno.test("auditTarget() does not judge what waits, was given up, or was delivered since the listing began", async () => {
  using place = await opened();
  const { ledger, target } = place;
  await tell(ledger, came("dead"));
  await deliverAll(ledger, { outcome: "dead" });
  ledger.now = NOW;
  await tell(ledger, came("changing"));
  await deliverAll(ledger);
  await tell(ledger, came("waits"));
  target.held.set("server/waits", "by hand");
  const audited = await audit(target, ledger);
  assert.deepEqual(found(audited), []);
  assert.deepEqual(audited.notJudged, { "unfinished": 1, "given up": 1, "changing": 1, "unknown": 0, "failing": 0 });
});

Deno.test("auditTarget() does not report what only the first reading finds", async () => {
  using place = await opened();
  const { ledger, target } = place;
  await tell(ledger, ...A);
  await deliverTo(target, ledger);
  const right = target.held.get("server/a") ?? "";
  target.held.clear();
  target.onListed = () => void target.held.set("server/a", right);
  assert.deepEqual(found(await audit(target, ledger)), []);
});

Deno.test("auditTarget() leaves alone what it does not know, and counts what it cannot judge", async () => {
  using place = await opened();
  const { ledger, target } = place;
  await ledger.ledger.prime(() => ({
    changes: { ...NO_CHANGES, servers: [madeMemory("primed")] },
    progress: { listing: "servers", next: null, done: true, count: 1 },
  }));
  for (const id of ["primed", "nobody's"]) target.held.set(`server/${id}`, "by hand");
  target.held.set("floatingip/nobody's", "by hand");
  const audited = await audit(target, ledger, { isApplied: true });
  assert.deepEqual(found(audited), ["orphaned server/nobody's (by hand)", "orphaned floatingip/nobody's (by hand)"]);
  assert.deepEqual([audited.notJudged.unknown, audited.repair], [1, { redelivered: [], remaining: 2 }]);
});

Deno.test("auditTarget() does not take for right what was deleted while the plugin was not configured", async () => {
  using place = await opened();
  const { ledger, target } = place;
  await tell(ledger, ...A, onA());
  await deliverTo(target, ledger);
  await ledger.ledger.activate([]);
  await tell(ledger, went("a"));
  await ledger.ledger.activate(["p"]);
  const audited = await audit(target, ledger);
  assert.deepEqual(found(audited), ["orphaned server/a (by hand)", "orphaned floatingip/f1 (by hand)"]);
  assert.match(audited.differences[0]?.reason ?? "", /^it was deleted, and the plugin was not told$/);
  // One that is not held is as it should be.
  target.held.clear();
  assert.deepEqual(found(await audit(target, ledger)), []);
});

Deno.test("auditTarget() tells of a plugin that cannot list, fails to, or cannot tell what it would write", async () => {
  using place = await opened();
  const { ledger, target } = place;
  await tell(ledger, came("a"));
  await deliverTo(target, ledger);
  await using delivered = openDelivered(ledger.file);
  const options = {
    name: "p",
    ledger: delivered,
    isApplied: false,
    now: () => NOW,
    signal: new AbortController().signal,
  };
  const notify = () => {};
  assert.deepEqual(await auditTarget({ ...options, plugin: { notify } }), {
    ...{ plugin: "p", outcome: "not listed", reason: "the plugin has no `list` and `expected`" },
  });
  // deno-lint-ignore require-yield
  const list = async function* () {
    throw await Promise.resolve(new Error("It is down"));
  };
  assert.deepEqual(await auditTarget({ ...options, plugin: { notify, list, expected: () => [] } }), {
    ...{ plugin: "p", outcome: "failed", error: "It is down" },
  });
  const expected = () => {
    throw new Error("Option x fails");
  };
  const audited = await audit({ notify, list: () => target.list(), expected }, ledger);
  assert.deepEqual([found(audited), audited.notJudged.failing, audited.error], [[], 1, "Option x fails"]);
});

Deno.test("auditTarget() tells of copies, which deliveries cannot remove", async () => {
  using place = await opened();
  const { ledger, target } = place;
  await tell(ledger, came("a"));
  await deliverTo(target, ledger);
  const list = async function* () {
    yield* target.list();
    yield* target.list();
  };
  const expected: NonNullable<Plugin["expected"]> = (delivered) => target.expected(delivered);
  assert.deepEqual(found(await audit({ notify() {}, list, expected }, ledger)), ["orphaned server/a (by hand)"]);
});

for (let seed = 1; seed <= 12; seed++) {
  Deno.test(`auditTarget() makes a target right again, whatever was changed by hand, also in a pruned ledger (seed ${seed})`, async () => {
    using place = await opened();
    const { ledger, target } = place;
    const random = new SeededRandom(seed);
    for (let index = 0; index < 15; index++) await tell(ledger, ...cloudLife(index, random).notifications);
    await deliverTo(target, ledger);
    const right = new Map(target.held);
    const pruner = new Pruner(ledger.database);
    if (seed % 2 === 0) { while (pruner.slice(Number.MAX_SAFE_INTEGER)); }
    assert.deepEqual(found(await audit(target, ledger)), []);
    for (const name of right.keys()) {
      const fate = random.below(5);
      if (fate === 0) target.held.delete(name);
      if (fate === 1) target.held.set(name, "by hand|203.0.113.9");
    }

    const { repair } = await audit(target, ledger, { isApplied: true });

    assert.deepEqual(repair?.redelivered.filter(({ refused }) => refused !== null), []);
    await deliverTo(target, ledger);
    assert.deepEqual(new Map([...target.held].sort()), new Map([...right].sort()));
    const again = await audit(target, ledger);
    assert.deepEqual([found(again), again.asDelivered], [[], right.size]);
  });
}
