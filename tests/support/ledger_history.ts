/**
 * A history of a ledger with everything in it, for tests of what copies ledgers.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Decision } from "../../src/model/decision.ts";
import type { Decider, FollowOptions } from "../../src/model/ledger.ts";
import type { FloatingIpMemory, PortMemory } from "../../src/model/memory.ts";
import type { OpenedLedger, TestPlace } from "./copied_ledgers.ts";
import { decisionOf, madeEvent, madeMemory, madeNotification, promptDetail, settlementOf } from "./made_events.ts";

export const HISTORY_NOW = Date.UTC(2026, 10, 21);
export const HISTORY_PLUGINS = ["a", "b", "c"] as const;

/** Gives a ledger at least one row of everything, with a text where strangers may write one. */
export async function writeHistory(place: TestPlace, text: string): Promise<void> {
  await using opened = await place.open();
  opened.now = HISTORY_NOW;
  await opened.ledger.activate(HISTORY_PLUGINS);
  await opened.ledger.follow(following(HISTORY_PLUGINS.slice(0, 2)));
  await writeDecisions(opened, text);
  await writeOutcomes(opened, text);
  await writeRest(opened, text);
  await writeOperations(place, text);
  await decideAll(opened, { changed: decisionOf([], { changedServers: ["s2"] }) });
  const undecided = ["u1", `u2 ${text}`].map(madeNotification);
  await opened.ledger.record(undecided.map((notification) => ({ receivedAt: HISTORY_NOW + 9, notification })));
}

function following(plugins: readonly string[]): FollowOptions {
  return { plugins, settleMs: 1000, makeUpdate: () => null };
}

/** Decides one notification per decision; those without a detail come first. */
async function decideAll({ ledger }: OpenedLedger, decisions: Readonly<Record<string, Decision>>): Promise<void> {
  const notifications = Object.keys(decisions).map((id) => ({
    receivedAt: HISTORY_NOW,
    notification: madeNotification(id),
  }));
  await ledger.record(notifications);
  const decide: Decider = ({ messageId }) => decisions[messageId] ?? null;
  await ledger.decide(1000, decide, promptDetail);
}

async function writeDecisions(opened: OpenedLedger, text: string): Promise<void> {
  const port: PortMemory = {
    id: `port ${text}`,
    serverId: "s1",
    lastServerId: "s1",
    mac: null,
    fixedAddresses: ["10.0.0.5"],
    dnsName: text,
    dnsHostname: null,
    revision: 4,
    deleted: false,
  };
  const floatingIp: FloatingIpMemory = {
    id: "f1",
    address: "203.0.113.7",
    projectId: null,
    portId: port.id,
    fixedAddress: null,
    revision: null,
    deleted: true,
    transitions: 2,
    association: { portId: port.id, serverId: "s1", fixedAddress: null, mac: null },
  };
  const event = (key: string, keys: readonly string[]) => ({ ...madeEvent(key, keys), eventType: text });
  await decideAll(opened, {
    one: decisionOf([event("s1/creation", ["k1"]), event("server/s2/creation", ["k2", "k1"])], {
      changes: {
        servers: [madeMemory("s1"), madeMemory("s2"), madeMemory(`s3 ${text}`, { deleted: true })],
        ports: [port, { ...port, id: "p2", lastServerId: null, deleted: true }],
        floatingIps: [floatingIp, { ...floatingIp, id: "f2", association: null, portId: null, deleted: false }],
      },
    }),
    [`two ${text}`]: decisionOf([event(`s3 ${text}/creation`, [text])]),
    late: decisionOf([], { outcome: "superseded", reason: `too late ${text}` }),
    remembered: decisionOf([]),
    repeated: decisionOf([], { outcome: "repeated", reason: "again" }),
    many: decisionOf(Array.from({ length: 12 }, (_, index) => event(`m${index}/creation`, [`m${index}`, "many"]))),
    free: decisionOf(Array.from({ length: 12 }, (_, index) => event(`n${index}/creation`, [`n${index}`]))),
  });
  await opened.ledger.activate(["a", "b"]);
  await decideAll(opened, { fewer: decisionOf([event("o1/creation", ["k1"]), event("o2/creation", [])]) });
  await opened.ledger.activate(HISTORY_PLUGINS);
  const later = [event("x1/creation", ["x"]), event("x2/creation", ["x"])];
  await opened.ledger.record([{ receivedAt: HISTORY_NOW, notification: madeNotification("later") }]);
  await opened.ledger.decide(9, () => decisionOf(later));
}

async function writeOutcomes({ ledger }: OpenedLedger, text: string): Promise<void> {
  const attempt = async (plugin: string) => await ledger.ready({ plugin, now: HISTORY_NOW, limit: 100 });
  const failed = { reason: "server_error" as const, error: `refused ${text}`, progress: { done: [text] } };
  for (const [index, delivery] of (await attempt("a")).entries()) {
    const common = settlementOf(delivery, {
      outcome: "retry",
      endedAt: HISTORY_NOW + 1,
      dueAt: HISTORY_NOW + 60_000 * index,
      triedMs: 5,
    });
    const outcome = (["done", "dead", "retry", "unneeded"] as const)[index % 5];
    if (outcome === undefined) continue;
    const failure = outcome === "done" || outcome === "unneeded" ? null : failed;
    await ledger.settle([{ ...common, outcome, failure }]);
  }
  const [first, second] = await attempt("b");
  for (const dueAt of [HISTORY_NOW + 5, HISTORY_NOW + 500]) {
    await ledger.settle([{
      ...settlementOf(first!, { outcome: "retry", endedAt: HISTORY_NOW + 2, dueAt }),
      failure: failed,
    }]);
  }
  await ledger.settle([settlementOf(second!, { outcome: "done", endedAt: HISTORY_NOW + 3 })]);
  await ledger.noteOutage(
    "b",
    { since: HISTORY_NOW, reason: "connection", error: "gone", nextAttemptAt: HISTORY_NOW } as never,
  );
}

async function writeRest({ ledger }: OpenedLedger, text: string): Promise<void> {
  const gap = {
    source: { queue: `q ${text}`, brokers: "rabbit-1:5672" },
    exchange: null,
    from: HISTORY_NOW,
    to: null,
    certainty: "possible",
  } as const;
  for (const each of [gap, { ...gap, exchange: "nova", to: HISTORY_NOW + 5 }]) await ledger.recordGap(each);
  const rejection = { reason: `no ${text}`, size: 3, sha256: "ab", exchange: "x", routingKey: text };
  for (const body of [null, new Uint8Array([0, 255, 30, 29])]) {
    await ledger.record([{ receivedAt: HISTORY_NOW, rejection: { ...rejection, body } }]);
  }
  await ledger.prime(() => ({
    changes: { servers: [madeMemory("primed")], ports: [], floatingIps: [] },
    progress: { listing: "servers", next: `next ${text}`, done: false, count: 1 },
  }));
}

/** What operators do: replays, drops, repairs, comparisons. */
async function writeOperations(place: TestPlace, text: string): Promise<void> {
  await using operations = await place.operations();
  await operations.drop({ keys: ["n3/creation"], plugin: "c" });
  await operations.drop({ keys: ["n4/creation", "m3/creation"], plugin: "c" });
  await operations.replay({ keys: ["n4/creation"], plugin: "c" }, { force: true });
  const report = {
    startedAt: HISTORY_NOW,
    endedAt: HISTORY_NOW + 1,
    why: text,
    isFull: true,
    isByHand: true,
    isPartial: false,
    outcome: "applied",
    problem: null,
    scope: { projectId: null, isAdmin: true, fields: { region: text } },
    found: { servers: 1, ports: 2, floatingIps: 3 },
    drift: { untold: 1, gone: 0, moved: 0, changed: 0 },
    corrected: 0,
    undecided: 0,
    differences: [{
      change: "untold",
      subject: "server",
      id: "s1",
      name: text,
      address: null,
      keys: ["s1/creation"],
      evidence: [text],
    }],
  } as const;
  await operations.comparisons.report(report);
  await operations.comparisons.report({ ...report, isByHand: false, outcome: "failed", differences: [] });
  await operations.comparisons.primed(report.scope);
  for (const [index, action] of (["drop", "replay"] as const).entries()) {
    const what = `two deliveries ${text}`;
    await operations.trail.write({ at: HISTORY_NOW + index, who: `who ${text}`, action, what, details: { text } });
  }
  await operations.pause("a", text);
  await operations.pause("c", `by ${text}`);
  await operations.resume("c");
  await using delivered = await place.delivered();
  const records = (await Array.fromAsync(delivered.deliveries("a"))).flat();
  const done = records.filter(({ state }) => state === "done").map(({ seq }) => seq);
  assert.ok(done.length > 1);
  await delivered.redeliver({ plugin: "a", seqs: done.slice(-1), through: records.at(-1)!.seq });
}
