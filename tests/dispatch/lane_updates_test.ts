import assert from "node:assert/strict";
import { PermanentError } from "../../src/model/errors.ts";
import { openOperations } from "../../src/ledger/sqlite/operations.ts";
import type { Detail } from "../../src/model/detail.ts";
import type { Following } from "../../src/model/following.ts";
import type { NotifyContext, UpdateContext } from "../../src/model/plugin.ts";
import { madeAssociation, madeServerEvent } from "../support/made_events.ts";
import { answer, Dispatching, hang, refuseConnection, type Target } from "./dispatching.ts";

const SECOND_MS = 1000;
const FOLLOWING: Following = { keys: new Set(["FQDN"]), tellsAssociations: true, settleMs: 0 };

const CAME = madeServerEvent("creation", { hostname: "alpha" });
const RENAMED = madeServerEvent("update", { hostname: "beta" });
const RENAMED_AGAIN = madeServerEvent("update", { hostname: "gamma", updates: 1 });
const WENT = madeServerEvent("deletion", { hostname: "gamma", updates: 2 });
const ASSOCIATED = madeAssociation({ hostname: "gamma", updates: 2 });

/** What a target was told of a server: by which method, and under which name. */
interface Told {
  readonly key: string;
  readonly kind: string;
  readonly name: unknown;
  readonly before?: unknown;
  readonly changed?: readonly string[];
}

function toldBy(context: NotifyContext | UpdateContext, { FQDN }: Detail): Told {
  const { key, kind } = context;
  if (context.kind !== "update") return { key, kind, name: FQDN };
  return { key, kind, name: FQDN, before: context.before.FQDN, changed: context.changed };
}

/** Lanes whose one target keeps what it is told, unless it refuses. */
async function start(refuse: Target = () => {}): Promise<Dispatching & { readonly told: Told[] }> {
  const told: Told[] = [];
  const target: Target = async (context, detail) => {
    await refuse(context, detail);
    told.push(toldBy(context, detail));
  };
  const dispatching = await Dispatching.start({ p: target }, { following: FOLLOWING });
  return Object.assign(dispatching, { told });
}

Deno.test("Lane calls update with the detail, what was told before, and the keys that changed", async () => {
  await using dispatching = await start();
  await dispatching.announce(CAME, RENAMED, RENAMED_AGAIN, ASSOCIATED, WENT);
  assert.deepEqual(dispatching.told, [
    { key: "server/s/creation", kind: "creation", name: "alpha" },
    { key: "server/s/update/1", kind: "update", name: "beta", before: "alpha", changed: ["FQDN"] },
    { key: "server/s/update/2", kind: "update", name: "gamma", before: "beta", changed: ["FQDN"] },
    { key: "floatingip/f/1/creation", kind: "creation", name: "gamma" },
    { key: "server/s/deletion", kind: "deletion", name: "gamma" },
  ]);
});

Deno.test("Lane finishes an update that has nothing to tell, without an attempt", async () => {
  await using dispatching = await start();
  await dispatching.announce(CAME, madeServerEvent("update", { hostname: "alpha", vcpus: 2 }), WENT);
  assert.deepEqual(dispatching.keys(), ["server/s/creation", "server/s/deletion"]);
  assert.equal(dispatching.count("done"), 3);
  assert.equal(dispatching.ends.length, 2);
  assert.equal(dispatching.told.at(-1)?.name, "alpha");
});

Deno.test("Lane makes a dead letter of an update whose creation is one, and tells the rest by itself", async () => {
  await using dispatching = await start(({ kind }) => {
    if (kind === "creation") throw new PermanentError("No such project");
  });
  await dispatching.announce(CAME, RENAMED, WENT);
  assert.deepEqual(dispatching.told, [{ key: "server/s/deletion", kind: "deletion", name: "gamma" }]);
  assert.equal(dispatching.count("dead"), 2);
  assert.match(dispatching.failures()[1]?.error ?? "", /creation was not delivered to this plugin: replay that first/);
});

Deno.test("Lane tells a replayed update once its creation was replayed", async () => {
  let refuses = true;
  await using dispatching = await start(() => {
    if (refuses) throw new PermanentError("No such project");
  });
  await dispatching.announce(CAME, RENAMED);
  refuses = false;
  await using operations = openOperations(dispatching.opened.file);
  await operations.replay({ keys: ["server/s/creation", "server/s/update/1"], plugin: "p" }, { force: true });
  await dispatching.clock.advance(5 * SECOND_MS);
  assert.deepEqual(dispatching.told.map(({ kind, name, before }) => [kind, name, before]), [
    ["creation", "alpha", undefined],
    ["update", "beta", "alpha"],
  ]);
});

Deno.test("Lane tells an update with what was told last when the one before it is a dead letter", async () => {
  await using dispatching = await start(({ key }) => {
    if (key === "server/s/update/1") throw new PermanentError("Name taken");
  });
  await dispatching.announce(CAME, RENAMED, RENAMED_AGAIN, WENT);
  assert.deepEqual(dispatching.told.map(({ key, name, before }) => [key, name, before]), [
    ["server/s/creation", "alpha", undefined],
    ["server/s/update/2", "gamma", "alpha"],
    ["server/s/deletion", "gamma", undefined],
  ]);
});

Deno.test("Lane gives associations and deletions the server as it was told, where its last update is a dead letter", async () => {
  await using dispatching = await start(({ kind }) => {
    if (kind === "update") throw new PermanentError("Name taken");
  });
  await dispatching.announce(CAME, RENAMED, RENAMED_AGAIN, ASSOCIATED, WENT);
  assert.deepEqual(dispatching.told.map(({ kind, name }) => [kind, name]), [
    ["creation", "alpha"],
    ["creation", "alpha"],
    ["deletion", "alpha"],
  ]);
});

Deno.test("Lane tries an update again after a failure, with the same before, and holds back what follows", async () => {
  let failures = 2;
  const seen: unknown[] = [];
  await using dispatching = await start((context) => {
    if (context.kind !== "update") return;
    seen.push([context.key, context.attempt, context.before.FQDN]);
    if (failures-- > 0) answer(503);
  });
  await dispatching.announce(CAME, RENAMED, RENAMED_AGAIN);
  assert.equal(dispatching.told.length, 1);
  await dispatching.clock.advance(10 * SECOND_MS);
  assert.deepEqual(seen, [
    ["server/s/update/1", 1, "alpha"],
    ["server/s/update/1", 2, "alpha"],
    ["server/s/update/1", 3, "alpha"],
    ["server/s/update/2", 1, "beta"],
  ]);
});

Deno.test("Lane ends an attempt of update that takes too long, and tries again", async () => {
  let hangs = true;
  await using dispatching = await start(({ kind }) => kind === "update" && hangs ? hang() : undefined);
  await dispatching.announce(CAME, RENAMED);
  await dispatching.clock.advance(29 * SECOND_MS);
  assert.equal(dispatching.failures().length, 0);
  hangs = false;
  await dispatching.clock.advance(5 * SECOND_MS);
  assert.equal(dispatching.failures()[0]?.reason, "timeout");
  assert.deepEqual(dispatching.told.map(({ key }) => key), ["server/s/creation", "server/s/update/1"]);
});

Deno.test("Lane tells an update after a restart that interrupted it", async () => {
  let hangs = true;
  await using dispatching = await start(({ kind }) => kind === "update" && hangs ? hang() : undefined);
  await dispatching.announce(CAME, RENAMED);
  hangs = false;
  await dispatching.restartAfter(SECOND_MS);
  assert.deepEqual(dispatching.told.map(({ name, before }) => [name, before]), [["alpha", undefined], [
    "beta",
    "alpha",
  ]]);
});

Deno.test("Lane does not take an update that cannot be told for a sign that the target is back", async () => {
  let isDown = false;
  await using dispatching = await start(({ key }) => {
    if (key === "server/s/creation") throw new PermanentError("No such project");
    if (isDown) refuseConnection();
  });
  await dispatching.announce(CAME);
  isDown = true;
  await dispatching.announce(madeServerEvent("creation", { id: "t" }));
  assert.equal(dispatching.lanes[0]?.breakerState, "open");
  const { length } = dispatching.attempts;
  await dispatching.announce(RENAMED);
  await dispatching.clock.advance(20 * SECOND_MS);
  assert.equal(dispatching.count("dead"), 2);
  assert.equal(dispatching.lanes[0]?.breakerState, "open");
  assert.deepEqual(dispatching.outages.filter((outage) => outage === null), []);
  assert.ok(dispatching.attempts.length > length);
  assert.equal(dispatching.told.length, 0);
});
