/**
 * What searches in every ledger must find.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { EventSearch, FoundDelivery, SearchQuery } from "../../src/model/event_search.ts";
import type { Settlement } from "../../src/model/ledger.ts";
import type { Listed } from "../../src/model/operations.ts";
import {
  announceEvents,
  decideEvents,
  decisionOf,
  madeEvent,
  madeMemory,
  madeNotification,
  madeServer,
  settlementOf,
} from "../support/made_events.ts";
import type { OperatedContract, OperatedLedger } from "./operated_ledger.ts";

const UUIDS = ["4818c5b1-ac0b-4458-9eed-faf8936ad379", "4818c5b1-ac0b-4458-9eed-faf8936ad37a"];
const FLOATING_IP = "8d58b4a7-0471-4678-8fc2-7d6f929bab45";
const SERVERS = [...UUIDS, "s1", "s2"];
const NAMES = ["web-1", "WEB-1.example.com", "db.x.org", null, '\x1b[2J\u202e"\\ %_ä'];
const PROJECTS = [["p1", "Alpha"], ["p2", "web-1"], [null, null]] as const;
const ADDRESSES = ["10.0.0.7", "2001:db8::7"];
const PLUGINS = ["P", "Q"];

const EVENT = fc.record({
  server: fc.constantFrom(...SERVERS),
  name: fc.constantFrom(...NAMES),
  project: fc.constantFrom(...PROJECTS),
  address: fc.constantFrom(...ADDRESSES),
  kind: fc.constantFrom("creation" as const, "update" as const, "deletion" as const),
  isFloating: fc.boolean(),
  isDetailed: fc.boolean(),
});
type EventWords = typeof EVENT extends fc.Arbitrary<infer Words> ? Words : never;

const STEP = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("announce" as const), events: fc.array(EVENT, { maxLength: 6 }) }),
  },
  fc.record({
    do: fc.constant("attempt" as const),
    plugin: fc.constantFrom(...PLUGINS),
    outcomes: fc.array(fc.constantFrom("done" as const, "dead" as const, "retry" as const), { maxLength: 4 }),
  }),
  fc.record({ do: fc.constant("drop" as const), which: fc.nat(20) }),
);

const TEXT = fc.constantFrom(
  undefined,
  "",
  ...SERVERS,
  UUIDS[0]!.toUpperCase(),
  UUIDS[0]!.slice(0, 20),
  "server/",
  `server/${UUIDS[0]!.slice(0, 8)}`,
  `floatingip/${FLOATING_IP}/`,
  FLOATING_IP,
  "web-1",
  "WEB-1",
  "web-1.example.com",
  "web",
  "db",
  "example.com",
  '\x1b[2J\u202e"\\ %_ä',
  "p1",
  "alpha",
  ...ADDRESSES,
  "203.0.113.7",
  "%",
  '"',
  "\\",
  "\ud800",
  "\u0000",
  "creation",
  "x".repeat(10_000),
);

const QUERY = fc.record({
  text: TEXT,
  plugin: fc.constantFrom(undefined, "P", "Q", "unknown"),
  state: fc.constantFrom(
    undefined,
    "waiting" as const,
    "retrying" as const,
    "done" as const,
    "dead" as const,
    "dropped" as const,
  ),
  kind: fc.constantFrom(undefined, "creation" as const, "update" as const, "deletion" as const),
  subject: fc.constantFrom(undefined, "server" as const, "floatingip" as const),
  since: fc.constantFrom(undefined, 3, 10),
  until: fc.constantFrom(undefined, 5, 12),
  limit: fc.integer({ min: 1, max: 7 }),
});

export function testSearch({ name, open }: OperatedContract): void {
  const test = (what: string, run: () => Promise<void>) => Deno.test(`${name}: ${what}`, run);

  test("EventSearch.search() finds what a naive filter finds, in the same order, whatever is in the ledger", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(STEP, { minLength: 3, maxLength: 14 }),
        fc.array(QUERY, { minLength: 8, maxLength: 8 }),
        async (steps, queries) => {
          await using opened = await open();
          const history = await write(opened, steps);
          await using operations = await opened.operations();
          const listed = (await Array.fromAsync(operations.list({ limit: 100_000 }))).flat();
          for (const each of queries) {
            const query = withoutUndefined(each);
            const found = await allPages(operations.search, query);
            const expected = listed.filter((delivery) => passes(delivery, query, history.get(delivery.key)!));
            assert.deepEqual(found.map(idOf), expected.map(idOf), JSON.stringify(query));
            for (
              const [index, { seq: _, kind, subject, serverId, projectId, projectName, finishedAt, ...rest }] of found
                .entries()
            ) {
              assert.deepEqual(rest, expected[index]);
              const event = history.get(rest.key)!;
              const { id, projectId: project, projectName: name } = event.server;
              assert.deepEqual([subject, serverId, projectId, projectName], [event.subject, id, project, name]);
              assert.equal(kind, event.updated ? "update" : event.created ? "creation" : "deletion");
              assert.equal(finishedAt === null, rest.state === "waiting" || rest.state === "retrying");
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  test("EventSearch.search() gives no row twice and leaves none out that was there, while others write", async () => {
    await using opened = await open();
    await write(
      opened,
      Array.from({ length: 10 }, () => ({
        do: "announce" as const,
        events: Array.from({ length: 10 }, (_, index): EventWords => ({ ...WORDS, server: SERVERS[index % 4]! })),
      })),
    );
    await using operations = await opened.operations();
    for (const query of [{}, { text: "web-1" }, { text: UUIDS[0]! }, { text: "server/" }, { plugin: "P" }]) {
      const before = await allPages(operations.search, { ...query, limit: 500 });
      assert.ok(before.length >= 50);
      const seen: FoundDelivery[] = [];
      for (let place: SearchQuery["before"], round = 0;; round++) {
        const { rows, next } = await operations.search.search({
          ...query,
          limit: 7,
          ...place === undefined ? {} : { before: place },
        });
        seen.push(...rows);
        if (next === null) break;
        place = next;
        await write(opened, [{ do: "announce", events: [WORDS, WORDS] }, {
          do: "attempt",
          plugin: "P",
          outcomes: ["done", "dead"],
        }], round);
      }
      // Their states may have changed.
      const names = (rows: readonly FoundDelivery[]) => rows.map(({ key, plugin }) => `${plugin} ${key}`);
      assert.deepEqual(names(seen), names(before));
    }
  });

  test("EventSearch.search() with `after` gives what is new, and newest() the number to go on with", async () => {
    await using opened = await open();
    await using operations = await opened.operations();
    const { search } = operations;
    assert.deepEqual([await search.newest(), await search.search({ limit: 5 })], [0, {
      rows: [],
      next: null,
      searchedTo: null,
    }]);
    await write(opened, [{ do: "announce", events: [WORDS, WORDS] }]);
    const after = await search.newest();
    await write(opened, [{ do: "announce", events: [WORDS] }], 1);
    const { rows, next } = await search.search({ after, limit: 500 });
    assert.deepEqual([rows.map(({ plugin }) => plugin), next], [["Q", "P"], null]);
    assert.ok(rows.every(({ seq }) => seq > after && seq === rows[0]!.seq));
    assert.deepEqual((await search.search({ after: await search.newest(), limit: 5 })).rows, []);
  });

  test("EventSearch.states() gives the deliveries of some events, as search() does", async () => {
    await using opened = await open();
    await write(opened, [{ do: "announce", events: Array.from({ length: 120 }, () => WORDS) }]);
    await using operations = await opened.operations();
    const { search } = operations;
    const all = await allPages(search, { limit: 500 });
    const seqs = [...new Set(all.map(({ seq }) => seq))].filter((_, index) => index % 2 === 0);
    assert.deepEqual(await search.states(seqs), all.filter(({ seq }) => seqs.includes(seq)));
    assert.deepEqual(await search.states([]), []);
    assert.deepEqual(await search.states([0, 999_999]), []);
  });

  test("EventSearch.deadGroups() counts dead letters by plugin and reason, deadKeys() names them, oldest first", async () => {
    await using opened = await open();
    const { ledger } = opened;
    await ledger.activate(PLUGINS);
    await announceEvents(ledger, Array.from({ length: 7 }, (_, n) => madeEvent(`s${n}/1`, [`s${n}`])));
    const reasons = ["timeout", "permanent", "timeout", "permanent", "timeout"] as const;
    const ready = await ledger.ready({ plugin: "P", now: 9, limit: 9 });
    for (const [index, reason] of reasons.entries()) {
      const settled = (outcome: "retry" | "dead", failure: Settlement["failure"]) =>
        ledger.settle([{ ...settlementOf(ready[index]!, { outcome, endedAt: 100 + index }), failure }]);
      // What it failed with before does not count.
      await settled("retry", { reason: "connection", error: "first" });
      await settled("dead", { reason, error: `\x1b[2J ${index}` });
    }
    const [other] = await ledger.ready({ plugin: "Q", now: 9, limit: 1 });
    await ledger.settle([settlementOf(other!, { outcome: "dead", endedAt: 300 })]);
    await using operations = await opened.operations();
    const { search } = operations;
    assert.deepEqual(await search.deadGroups(), [
      {
        plugin: "P",
        reason: "timeout",
        count: 3,
        oldestAt: 100,
        newestAt: 104,
        sampleError: "\x1b[2J 4",
        sampleKey: "s4/1",
      },
      {
        plugin: "P",
        reason: "permanent",
        count: 2,
        oldestAt: 101,
        newestAt: 103,
        sampleError: "\x1b[2J 3",
        sampleKey: "s3/1",
      },
      {
        plugin: "Q",
        reason: "other",
        count: 1,
        oldestAt: 300,
        newestAt: 300,
        sampleError: "It failed",
        sampleKey: "s0/1",
      },
    ]);
    const keys = async (group: Parameters<EventSearch["deadKeys"]>[0]) => {
      const all: string[] = [];
      for (let after = 0;;) {
        const page = await search.deadKeys(group, { after, limit: 2 });
        all.push(...page.map(({ key }) => key));
        if (page.length === 0) return all;
        after = page.at(-1)!.seq;
      }
    };
    assert.deepEqual(await keys({ plugin: "P", reason: "timeout" }), ["s0/1", "s2/1", "s4/1"]);
    assert.deepEqual(await keys({ plugin: "P" }), ["s0/1", "s1/1", "s2/1", "s3/1", "s4/1"]);
    assert.deepEqual([await keys({ plugin: "Q", reason: "timeout" }), await keys({ plugin: "unknown" })], [[], []]);
  });

  test("EventSearch.life() gives a server's events with those of its floating IPs, oldest first, and what memory has", async () => {
    await using opened = await open();
    const [id] = UUIDS as [string];
    const history = await write(opened, [{
      do: "announce",
      events: [
        { ...WORDS, server: id },
        { ...WORDS, server: UUIDS[1]! },
        { ...WORDS, server: id, isFloating: true },
        { ...WORDS, server: id, kind: "deletion" },
      ],
    }, { do: "attempt", plugin: "P", outcomes: ["done"] }]);
    await using operations = await opened.operations();
    const life = await operations.search.life(id);
    assert.deepEqual([life?.name, life?.exists, life?.isCut], [null, null, false]);
    const keys = [...history.values()].filter(({ server }) => server.id === id).map(({ key }) => key);
    assert.deepEqual(life?.events.map(({ key }) => key), keys);
    assert.deepEqual(life?.events.map(({ subject, kind, address }) => [subject, kind, address]), [
      ["server", "creation", "10.0.0.7"],
      ["floatingip", "creation", "203.0.113.7"],
      ["server", "deletion", "10.0.0.7"],
    ]);
    assert.deepEqual(life?.events[0]?.deliveries.map(({ plugin, state, attempts }) => [plugin, state, attempts]), [
      ["P", "done", 1],
      ["Q", "waiting", 0],
    ]);
    assert.equal(await operations.search.life(UUIDS[1]!.replace("4", "5")), undefined);
    const snapshot = madeServer("known", { hostname: "web-9", projectId: "p9", projectName: "Nine" });
    const changes = { servers: [madeMemory("known", { snapshot })], ports: [], floatingIps: [] };
    await opened.ledger.record([{ receivedAt: 0, notification: madeNotification("known") }]);
    await opened.ledger.decide(1, () => decisionOf([], { changes }));
    assert.deepEqual(await operations.search.life("known"), {
      id: "known",
      name: "web-9",
      projectId: "p9",
      projectName: "Nine",
      exists: true,
      events: [],
      isCut: false,
    });
  });
}

const WORDS: EventWords = {
  server: "s1",
  name: "web-1",
  project: PROJECTS[0],
  address: "10.0.0.7",
  kind: "creation",
  isFloating: false,
  isDetailed: true,
};

let made = 0;

/** Does the steps, a millisecond each. Returns the events by their keys. */
async function write(
  opened: OperatedLedger,
  steps: readonly (typeof STEP extends fc.Arbitrary<infer Step> ? Step : never)[],
  startAt = 0,
): Promise<ReadonlyMap<string, WatcherEvent>> {
  const { ledger } = opened;
  await ledger.activate(PLUGINS);
  const history = new Map<string, WatcherEvent>();
  for (const [index, step] of steps.entries()) {
    opened.now = startAt + index + 1;
    if (step.do === "announce") {
      for (const words of step.events) {
        const event = eventOf(words, made++);
        history.set(event.key, event);
        if (words.isDetailed) await announceEvents(ledger, [event]);
        else await decideEvents(ledger, [event]);
      }
    } else if (step.do === "attempt") {
      const ready = await ledger.ready({ plugin: step.plugin, now: opened.now, limit: step.outcomes.length });
      await ledger.settle(
        ready.map((delivery, index) =>
          settlementOf(delivery, { outcome: step.outcomes[index]!, endedAt: opened.now, dueAt: opened.now + 5 })
        ),
      );
    } else {
      await using operations = await opened.operations();
      const key = [...history.keys()][step.which];
      if (key !== undefined) await operations.drop({ keys: [key], plugin: "P" });
    }
  }
  return history;
}

function eventOf(
  { server: id, name, project: [projectId, projectName], address, kind, isFloating }: EventWords,
  number: number,
): WatcherEvent {
  const floatingIp = { id: FLOATING_IP, address: "203.0.113.7", fixedAddress: address, mac: null };
  const created = kind !== "deletion";
  const end = created ? "creation" : "deletion";
  const updates = kind === "update" && !isFloating ? { updated: true, updates: 0 } : {};
  const key = isFloating ? `floatingip/${FLOATING_IP}/${number}/${end}` : `server/${id}/${kind}/${number}`;
  return {
    ...madeEvent(key, [`server/${id}`]),
    ...updates,
    subject: isFloating ? "floatingip" : "server",
    created,
    server: madeServer(id, {
      hostname: name,
      projectId,
      projectName,
      addresses: [{ address, mac: null, type: "fixed", network: null, version: null }],
    }),
    floatingIp: isFloating ? floatingIp : null,
    floatingIps: isFloating && created ? [floatingIp] : [],
  };
}

/** Whether a delivery passes the filter, in the fewest words. */
function passes(delivery: Listed, query: SearchQuery, event: WatcherEvent): boolean {
  const { text = "", plugin = delivery.plugin, state = delivery.state, since = -1, until = Infinity } = query;
  const kind = event.updated ? "update" : event.created ? "creation" : "deletion";
  return delivery.plugin === plugin && delivery.state === state && delivery.at >= since && delivery.at < until &&
    (query.kind ?? kind) === kind && (query.subject ?? event.subject) === event.subject && has(event, text);
}

function has({ key, server, floatingIp }: WatcherEvent, text: string): boolean {
  if (text === "") return true;
  if (/^(server|floatingip)\//.test(text)) return key.startsWith(text);
  const wanted = text.toLowerCase();
  const words = [server.id, server.hostname, server.projectId, server.projectName, server.addresses[0]?.address];
  words.push(server.hostname?.includes(".") ? server.hostname.split(".")[0] : null);
  words.push(floatingIp?.id, floatingIp?.address, floatingIp?.fixedAddress);
  return words.some((word) => word?.toLowerCase() === wanted);
}

async function allPages(search: EventSearch, query: SearchQuery): Promise<readonly FoundDelivery[]> {
  const all: FoundDelivery[] = [];
  for (let before = query.before;;) {
    const { rows, next, searchedTo } = await search.search({ ...query, ...before === undefined ? {} : { before } });
    assert.ok(rows.length <= query.limit);
    assert.equal(next === null, searchedTo === null);
    all.push(...rows);
    if (next === null) return all;
    before = next;
  }
}

function idOf({ key, plugin, state }: Pick<Listed, "key" | "plugin" | "state">): string {
  return `${plugin} ${key} ${state}`;
}

function withoutUndefined<Value extends object>(
  value: Value,
): { [key in keyof Value]: Exclude<Value[key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as never;
}
