import assert from "node:assert/strict";
import { Comparisons } from "../../src/ledger/sqlite/comparisons.ts";
import { type Database, openDatabase } from "../../src/ledger/sqlite/database.ts";
import type { ComparisonReport } from "../../src/model/comparison.ts";
import type { Config } from "../../src/model/config.ts";
import { nextComparison } from "../../src/reconcile/schedule.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type RunComparison, runComparison } from "../../src/runtime/run_comparison.ts";
import { reconcileOnce } from "../../src/runtime/reconcile_once.ts";
import { SILENT } from "../support/loggers.ts";
import { idOf, MadeCloud } from "../support/made_cloud.ts";
import { OpenStackServer } from "../support/openstack_server.ts";
import { ProgramDirectory, runProgram } from "../support/program.ts";

const OWN_PROJECT = "a966afeff6ad40f8bf469c6c312df6ef";
const HOUR_MS = 3_600_000;

/** A made cloud, and a ledger that was primed from it. */
class Place implements AsyncDisposable {
  readonly server = new OpenStackServer();
  readonly #dir = new ProgramDirectory({});
  readonly #config: Config;
  cloud!: MadeCloud;
  database!: Database;

  private constructor() {
    this.#config = {
      events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
      plugins: [{ name: "P", notify: () => {} }],
      openstack: {
        ...{ authUrl: this.server.authUrl, user: "admin", password: "hush-4711", project: "admin" },
        reconcile: { confirmSeconds: 1, maxDeletions: 2 },
      },
    };
  }

  static async open(): Promise<Place> {
    const place = new Place();
    place.cloud = await MadeCloud.behind(place.server, { servers: 10, floatingIps: 0, ownProject: OWN_PROJECT });
    place.cloud.keepsDeleted = true;
    const { openstack } = place.#config;
    place.#dir.write(
      "config.ts",
      `export default { events: { creation: ["compute.instance.create.end"], deletion: [] },
        plugins: [{ name: "P", notify() {} }], ledger: { file: "./ledger.db" }, openstack: ${
        JSON.stringify(openstack)
      } };`,
    );
    {
      using database = openDatabase(place.#dir.path("ledger.db"), { create: true });
      database.exec(`INSERT INTO fact (name, value) VALUES ('began_at', '${Date.now()}')`);
    }
    const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-net"];
    const { code, err } = await runProgram({ dir: place.#dir.path(), args: ["prime"], permissions });
    assert.equal(code, 0, err);
    place.database = openDatabase(place.#dir.path("ledger.db"), { create: false });
    return place;
  }

  get ledger(): Comparisons {
    return new Comparisons(this.database);
  }

  /** As the service does. */
  async compare(wanted: Partial<RunComparison> = {}): Promise<ComparisonReport> {
    const { ledger } = this;
    const { report } = await runComparison(
      {
        ...this.#options(),
        settled: () => Promise.resolve(),
        record: (observations) => ledger.record(observations),
        maxSilenceMs: 1000,
      },
      { changesSince: null, why: "test", apply: true, ...wanted },
      new AbortController().signal,
    );
    return report;
  }

  /** As an operator's command does. */
  async compareByHand({ apply = false } = {}): Promise<ComparisonReport> {
    const wanted = { apply, force: false, acceptsScope: false, server: null };
    return (await reconcileOnce(this.#options(), wanted, new AbortController().signal)).report;
  }

  /** The account becomes a member of one project. */
  becomeMember(): void {
    this.cloud.isMember = true;
    this.server.editLogin = (body) => body.replaceAll('"name": "admin"', '"name": "member"');
  }

  #options() {
    return {
      config: this.#config,
      ledger: this.ledger,
      clock: systemClock,
      random: Math.random,
      log: () => SILENT,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.database.close();
    await this.server[Symbol.asyncDispose]();
    this.#dir[Symbol.dispose]();
  }
}

const SERVER = (number: number) => idOf("5e", number);
const anHourAgo = () => new Date(Date.now() - HOUR_MS).toISOString();

Deno.test("runComparison() reads everything, not only changes, when the account is another one", async () => {
  await using place = await Place.open();
  assert.equal((await place.compare()).outcome, "agreed");
  place.server.editLogin = (body) => body.replaceAll('"name": "admin"', '"name": "chief"');
  const { outcome, isFull, problem } = await place.compare({ changesSince: anHourAgo() });
  assert.deepEqual([outcome, isFull, problem], ["agreed", true, null]);
});

Deno.test("reconcileOnce() with an account that sees less answers no gap, and no restore", async () => {
  await using place = await Place.open();
  await place.compare();
  const { lastComplete } = await place.ledger.past();
  const restoredAt = Date.now() + 1;
  place.database.exec(`INSERT INTO fact (name, value) VALUES ('restored_at', '${restoredAt}')`);
  place.becomeMember();
  const { outcome } = await place.compareByHand();
  assert.equal(outcome, "agreed");
  const past = await place.ledger.past();
  assert.deepEqual(past.lastComplete, lastComplete);
  assert.equal(past.restoredAt, restoredAt);
});

Deno.test("runComparison() leaves what it has withheld to later comparisons, a day later", async () => {
  await using place = await Place.open();
  await place.compare();
  const { lastComplete } = await place.ledger.past();
  for (const number of [1, 2, 3]) place.cloud.remove("servers", SERVER(number));
  assert.equal((await place.compare()).outcome, "withheld");
  const past = await place.ledger.past();
  assert.deepEqual(past.lastComplete, lastComplete);
  const { startedAt, endedAt } = past.last!;
  const gap = { source: { queue: "q", brokers: "b" }, exchange: "nova", from: endedAt, certainty: "lost" } as const;
  const now = endedAt;
  for (const gaps of [[], [{ ...gap, from: startedAt - 2, to: startedAt - 1 }]]) {
    assert.equal(nextComparison({ past, gaps, everyHours: 24, now })?.dueAt, endedAt + 24 * HOUR_MS);
  }
  assert.equal(nextComparison({ past, gaps: [], everyHours: false, now })?.dueAt, undefined);
  const restored = nextComparison({
    past: { ...past, restoredAt: lastComplete!.endedAt },
    gaps: [],
    everyHours: 24,
    now,
  });
  assert.equal(restored?.dueAt, endedAt + 24 * HOUR_MS);
  const newGap = nextComparison({ past, gaps: [{ ...gap, to: endedAt + 20 }], everyHours: 24, now });
  assert.ok(newGap!.dueAt < endedAt + HOUR_MS);
});

Deno.test("reconcileOnce() that fails does not delay the service's own comparison", async () => {
  await using place = await Place.open();
  const { startedAt } = await place.compare();
  place.server.editLogin = (body) => body.replaceAll('"name": "admin"', '"name": "chief"');
  for (let number = 0; number < 10; number++) place.cloud.remove("servers", SERVER(number));
  assert.equal((await place.compareByHand({ apply: true })).outcome, "failed");
  const past = await place.ledger.past();
  assert.equal(past.last?.outcome, "failed");
  const gap = { source: { queue: "q", brokers: "b" }, exchange: "nova", certainty: "lost" } as const;
  const gaps = [{ ...gap, from: startedAt, to: startedAt + 1000 }];
  assert.equal(nextComparison({ past, gaps, everyHours: 24, now: Date.now() })?.dueAt, startedAt + 11_000);
});
