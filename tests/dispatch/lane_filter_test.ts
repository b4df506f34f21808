import assert from "node:assert/strict";
import { openDelivered } from "../../src/ledger/sqlite/delivered.ts";
import { openOperations } from "../../src/ledger/sqlite/operations.ts";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { Following } from "../../src/model/following.ts";
import type { Selection } from "../../src/model/operations.ts";
import { when, type WhenOptions } from "../../src/wire/options/when.ts";
import { madeEvent, madeServerEvent } from "../support/made_events.ts";
import { answer, Dispatching, refuseConnection, type Target } from "./dispatching.ts";

const FOLLOWING: Following = { keys: new Set(["FQDN"]), tellsAssociations: true, settleMs: 0 };
const CAME = madeServerEvent("creation", { hostname: "alpha" });
const RENAMED = madeServerEvent("update", { hostname: "beta" });
const WENT = madeServerEvent("deletion", { hostname: "beta", updates: 1 });
const [CREATION, UPDATE, DELETION] = ["server/s/creation", "server/s/update/1", "server/s/deletion"];

/** Lanes whose one plugin has a filter that a test may change; `null`: it has none. */
class Filtered {
  filter: WhenOptions | null;

  constructor(filter: WhenOptions | null) {
    this.filter = filter;
  }

  start(target: Target = () => {}, options: { readonly perSecond?: number } = {}): Promise<Dispatching> {
    const { perSecond } = options;
    return Dispatching.start({ p: target }, {
      following: FOLLOWING,
      wrap: (plugin) => this.filter === null ? plugin : when(plugin, this.filter),
      ...(perSecond === undefined ? {} : { retry: { limit: { perSecond, burst: 1 } } }),
    });
  }
}

const all: WhenOptions = {};
const none: WhenOptions = { match: () => false };

Deno.test("Lane skips what does not match, without an attempt, and tells the rest", async () => {
  const filtered = new Filtered({ match: ({ FQDN }) => FQDN === "alpha" });
  await using dispatching = await filtered.start();
  const other = madeServerEvent("creation", { id: "t", hostname: "other" });
  await dispatching.announce(CAME, other, RENAMED, WENT, madeServerEvent("deletion", { id: "t", updates: 0 }));
  assert.deepEqual(dispatching.keys(), [CREATION, UPDATE, DELETION]);
  assert.deepEqual(await states(dispatching, ["server/t/creation", "server/t/deletion"]), ["skipped 0", "skipped 0"]);
  assert.deepEqual(dispatching.ends.map(({ outcome }) => outcome).sort(), [
    "done",
    "done",
    "done",
    "unneeded",
    "unneeded",
  ]);
});

for (const [before, after, keys] of [[all, none, [CREATION, UPDATE, DELETION]], [none, all, []]] as const) {
  const was = before === all ? "told" : "skipped";
  Deno.test(`Lane lets updates and deletion follow a creation that was ${was}, after the filter has changed`, async () => {
    const filtered = new Filtered(before);
    await using dispatching = await filtered.start();
    await dispatching.announce(CAME);
    filtered.filter = after;
    await dispatching.restartAfter(0);
    await dispatching.announce(RENAMED, WENT);
    assert.deepEqual(dispatching.keys(), keys);
    assert.deepEqual(
      (await states(dispatching, [UPDATE, DELETION])).map((state) => state.split(" ")[0]),
      Array(2).fill(was === "told" ? "done" : "skipped"),
    );
  });
}

Deno.test("Lane skips an update of a server that begins to match, and tells one that stops to", async () => {
  const filtered = new Filtered({ match: ({ FQDN }) => FQDN !== "alpha" });
  await using dispatching = await filtered.start();
  await dispatching.announce(CAME, RENAMED, WENT);
  assert.deepEqual(dispatching.keys(), []);
  const [id, hostname] = ["t", "alpha"];
  await dispatching.announce(
    madeServerEvent("creation", { id, hostname: "gamma" }),
    madeServerEvent("update", { id, hostname }),
    madeServerEvent("deletion", { id, hostname, updates: 1 }),
  );
  assert.deepEqual(dispatching.keys(), ["creation", "update/1", "deletion"].map((end) => `server/t/${end}`));
});

Deno.test("Lane makes no dead letter of an update whose creation a filter skipped that is gone", async () => {
  const filtered = new Filtered(none);
  await using dispatching = await filtered.start();
  await dispatching.announce(CAME);
  filtered.filter = null;
  await dispatching.restartAfter(0);
  await dispatching.announce(RENAMED);
  assert.deepEqual(await states(dispatching, [UPDATE]), ["skipped 0"]);
});

Deno.test("Lane asks the filter once: a creation that is retried is told", async () => {
  const filtered = new Filtered(all);
  let isDown = true;
  await using dispatching = await filtered.start(() => isDown ? answer(503) : undefined);
  await dispatching.announce(CAME);
  assert.deepEqual(await states(dispatching, [CREATION]), ["retrying 1"]);
  filtered.filter = none;
  isDown = false;
  await dispatching.restartAfter(10_000);
  await dispatching.clock.advance(10_000);
  assert.deepEqual(await states(dispatching, [CREATION]), ["done 2"]);
});

Deno.test("Lane makes dead letters where the filter fails, and tells all in order once it is mended", async () => {
  const filtered = new Filtered({
    match: () => {
      throw new Error("boom\n");
    },
  });
  await using dispatching = await filtered.start();
  await dispatching.announce(CAME, RENAMED, WENT);
  assert.deepEqual(dispatching.keys(), []);
  assert.deepEqual(await states(dispatching, [CREATION, UPDATE, DELETION]), Array(3).fill("dead 0"));
  assert.deepEqual(dispatching.failures().map(({ attempt, reason, error }) => [attempt, reason, error]), [
    [0, "permanent", "Cannot make when.match of p: its function in config.ts threw: boom\\u{a}"],
    ...Array(2).fill([0, "permanent", "The plugin's filter failed on the creation: replay that first, then this"]),
  ]);
  filtered.filter = all;
  await dispatching.restartAfter(0);
  await replay(dispatching, { dead: true });
  await dispatching.clock.advance(5000);
  assert.deepEqual(dispatching.keys(), [CREATION, UPDATE, DELETION]);
});

Deno.test("Lane tells a skipped creation that an operator replays, and its deletion", async () => {
  const filtered = new Filtered(none);
  await using dispatching = await filtered.start();
  await dispatching.announce(CAME);
  assert.deepEqual(await replay(dispatching, { keys: [CREATION], plugin: "p" }), [null]);
  await dispatching.clock.advance(5000);
  await dispatching.announce(WENT);
  assert.deepEqual(dispatching.keys(), [CREATION, DELETION]);
});

Deno.test("Lane decides by the filter on a deletion whose creation the plugin was never offered", async () => {
  const filtered = new Filtered({ match: ({ FQDN }, created) => !created && FQDN === "alpha" });
  await using dispatching = await filtered.start();
  const gone = (id: string, hostname: string) => madeServerEvent("deletion", { id, hostname, updates: 0 });
  await dispatching.announce(gone("a", "alpha"), gone("b", "beta"));
  assert.deepEqual(dispatching.keys(), ["server/a/deletion"]);
});

Deno.test("Lane tells deletions alone, or creations and updates alone, with created", async () => {
  for (const [created, keys] of [[false, [DELETION]], [true, [CREATION, UPDATE]]] as const) {
    await using dispatching = await new Filtered({ created }).start();
    await dispatching.announce(CAME, RENAMED, WENT);
    assert.deepEqual(dispatching.keys(), keys);
  }
});

Deno.test("Lane lets the end of an association follow its beginning, whatever the server's creation did", async () => {
  const filtered = new Filtered({ subjects: ["floatingip"] });
  await using dispatching = await filtered.start();
  await dispatching.announce(CAME, association(1, true));
  filtered.filter = { subjects: ["server"] };
  await dispatching.restartAfter(0);
  await dispatching.announce(association(2, false), association(3, true), association(4, false), WENT);
  assert.deepEqual(dispatching.keys(), ["floatingip/f/1/creation", "floatingip/f/2/deletion"]);
});

Deno.test("Lane spends neither rate nor probes on what it skips", async () => {
  const filtered = new Filtered({ match: ({ FQDN }) => FQDN === "alpha" });
  await using dispatching = await filtered.start(() => {}, { perSecond: 0.1 });
  const others = Array.from({ length: 5 }, (_, index) => madeServerEvent("creation", { id: `o${index}` }));
  await dispatching.announce(...others, CAME);
  assert.deepEqual(dispatching.secondsOf(CREATION), [0]);
  assert.deepEqual(await states(dispatching, others.map(({ key }) => key)), Array(5).fill("skipped 0"));
});

Deno.test("Lane skips while its target is down, without a call", async () => {
  const filtered = new Filtered({ match: ({ FQDN }) => FQDN === "alpha" });
  await using dispatching = await filtered.start(refuseConnection);
  const down = Array.from(
    { length: 6 },
    (_, index) => madeServerEvent("creation", { id: `a${index}`, hostname: "alpha" }),
  );
  await dispatching.announce(...down);
  assert.equal(dispatching.lanes[0]?.breakerState, "open");
  const calls = dispatching.attempts.length;
  await dispatching.announce(madeServerEvent("creation", { id: "z", hostname: "other" }));
  await dispatching.clock.advance(600_000);
  assert.deepEqual(await states(dispatching, ["server/z/creation"]), ["skipped 0"]);
  assert.ok(dispatching.attempts.length > calls);
  assert.ok(!dispatching.keys().includes("server/z/creation"));
});

Deno.test("Lane begins no attempt when it is stopped while it records that one begins", async () => {
  const filtered = new Filtered(all);
  await using dispatching = await filtered.start();
  const { settle } = dispatching.ledger;
  dispatching.ledger.settle = async (settlements) => {
    await settle.call(dispatching.ledger, settlements);
    if (settlements[0]?.outcome === "begun") dispatching.beginStop();
  };
  await dispatching.announce(CAME);
  assert.deepEqual(dispatching.keys(), []);
  // It is chosen: the filter that comes is not asked.
  filtered.filter = none;
  await dispatching.restartAfter(0);
  assert.deepEqual(dispatching.keys(), [CREATION]);
});

Deno.test("Lane tells again what audit repairs, whatever the filter says by then", async () => {
  const filtered = new Filtered(all);
  await using dispatching = await filtered.start();
  await dispatching.announce(CAME);
  filtered.filter = none;
  await dispatching.restartAfter(0);
  await using delivered = openDelivered(dispatching.opened.file);
  const results = await delivered.redeliver({ plugin: "p", seqs: [1], through: 1 });
  assert.deepEqual(results.map(({ refused }) => refused), [null]);
  await dispatching.clock.advance(5000);
  assert.deepEqual(dispatching.keys(), [CREATION, CREATION]);
});

function association(number: number, created: boolean): WatcherEvent {
  const key = `floatingip/f/${number}/${created ? "creation" : "deletion"}`;
  return { ...madeEvent(key, ["floatingip/f"]), subject: "floatingip", created };
}

/** State and attempts of deliveries. */
async function states({ opened }: Dispatching, keys: readonly string[]): Promise<string[]> {
  await using operations = openOperations(opened.file);
  const shown = await Promise.all(keys.map((key) => operations.show(key)));
  return shown.map((event) => `${event?.deliveries[0]?.state} ${event?.deliveries[0]?.attempts}`);
}

/** What the command `events replay` does. */
async function replay({ opened }: Dispatching, selection: Selection): Promise<readonly (string | null)[]> {
  await using operations = openOperations(opened.file);
  return (await operations.replay(selection, { force: false })).map(({ refused }) => refused);
}
