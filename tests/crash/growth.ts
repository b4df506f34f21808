// A ledger with a thousand deliveries against one with a million: nothing that is done often may cost more.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeDetail } from "../../src/detail/make_detail.ts";
import { decide } from "../../src/facts/decide.ts";
import { type Database, openDatabase } from "../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import type { Notification } from "../../src/model/notification.ts";
import { decodeJson } from "../../src/intake/envelope.ts";
import { progress } from "../../tools/packages.ts";
import type { PrivateRabbit } from "../../tools/rabbitmq.ts";
import { PERMISSIONS } from "../../tools/permissions.ts";
import { readSamples } from "../support/captures.ts";
import { EVERYTHING } from "../support/rules.ts";
import { Trial } from "./trial.ts";

/** What something costs in the small ledger and in the large one. */
export interface Comparison {
  readonly what: string;
  readonly smallMs: number;
  readonly largeMs: number;
  readonly ratio: number;
}

export interface GrowthOptions {
  readonly rabbit: PrivateRabbit;
  /** Deliveries. */
  readonly small: number;
  readonly large: number;
}

/** Several plugins get every event: that is how there come to be a million deliveries. */
const PLUGINS = ["Rest", "Directory", "Dns", "Mail", "Log"];
/** Notifications per transaction while a ledger is filled. */
const BATCH = 400;
/** One delivery in so many is dead. */
const DEAD = 500;

/** Builds both ledgers and measures them in turns. */
export async function compareGrowth({ rabbit, small, large }: GrowthOptions): Promise<Comparison[]> {
  const dir = await Deno.makeTempDir({ prefix: "oss-watcher-growth-" });
  try {
    const [one, other] = await Promise.all([small, large].map(async (deliveries) => {
      const ledger = new GrownLedger(join(dir, String(deliveries)));
      await ledger.grow(deliveries);
      return ledger;
    })) as [GrownLedger, GrownLedger];
    const pair = [one, other] as const;
    const comparisons = [
      await compare("an event through all stages", pair, { rounds: 60, measure: (ledger) => ledger.costOfEvents() }),
    ];
    for (const ledger of pair) ledger.close();
    comparisons.push(await compare("start-up", pair, { rounds: 15, measure: (ledger) => startUp(rabbit, ledger) }));
    for (const args of LISTINGS) {
      const what = ["events", ...args].join(" ");
      comparisons.push(await compare(what, pair, { rounds: 15, measure: (ledger) => list(ledger, args) }));
    }
    return comparisons;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A line for each. */
export function describeGrowth(comparisons: readonly Comparison[]): string {
  const width = Math.max(...comparisons.map(({ what }) => what.length));
  const lines = comparisons.map(({ what, smallMs, largeMs, ratio }) =>
    `${what.padEnd(width)}  ${smallMs.toFixed(2).padStart(8)} ms  ${largeMs.toFixed(2).padStart(8)} ms  ${
      ratio.toFixed(2)
    }`
  );
  return lines.join("\n");
}

const LISTINGS: readonly (readonly string[])[] = [
  [],
  ["--state", "waiting"],
  ["--state", "retrying"],
  ["--state", "done"],
  ["--state", "dead"],
  ["--state", "superseded"],
  ["--plugin", "Mail"],
  ["--plugin", "Mail", "--state", "dropped"],
  ["--resource", "00000000-0000-4000-8000-000000000007"],
  ["--since", "2h"],
  // Finds nothing, and must find that out quickly.
  ["--since", "1s"],
  ["--since", "1s", "--plugin", "Mail"],
];

/** Medians of measurements that alternate, so that a busy moment of the machine hits both. */
async function compare(
  what: string,
  [small, large]: readonly [GrownLedger, GrownLedger],
  { rounds, measure }: { readonly rounds: number; readonly measure: (ledger: GrownLedger) => Promise<number> },
): Promise<Comparison> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    times[0].push(await measure(small));
    times[1].push(await measure(large));
  }
  const [smallMs, largeMs] = times.map(median) as [number, number];
  return { what, smallMs, largeMs, ratio: largeMs / smallMs };
}

/** A ledger that servers have come to and gone from. */
class GrownLedger {
  readonly dir: string;
  readonly file: string;
  readonly #database: Database;
  readonly #ledger: SqliteLedger;
  readonly #came = recorded("compute.instance.create.end");
  readonly #went = recorded("compute.instance.delete.end");
  #servers = 0;

  constructor(dir: string) {
    this.dir = dir;
    this.file = join(dir, "ledger.db");
    Deno.mkdirSync(dir);
    this.#database = openDatabase(this.file, { create: true });
    this.#ledger = new SqliteLedger(this.#database, Date.now);
  }

  /** Adds so many deliveries, one in {@linkcode DEAD} of them dead, the last ones waiting. */
  async grow(deliveries: number): Promise<void> {
    await this.#ledger.activate(PLUGINS);
    this.#database.exec("PRAGMA synchronous = OFF");
    const events = deliveries / PLUGINS.length;
    for (let made = 0; made < events; made += BATCH) {
      const more = Math.min(BATCH, events - made);
      await this.#add(Array.from({ length: more / 2 }, () => this.#servers++).flatMap((n) => this.#life(n)));
      await this.#settle(made + more < events ? BATCH : more - 20);
      if (made % 50_000 === 0 && made > 0) progress(`  ${made * PLUGINS.length} of ${deliveries} deliveries`);
    }
    this.#database.exec("PRAGMA synchronous = FULL");
    this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** What one event costs: a server comes and goes, all plugins are told; milliseconds. */
  async costOfEvents(): Promise<number> {
    const servers = 5;
    const notifications = Array.from({ length: servers }, () => this.#servers++).flatMap((n) => this.#life(n));
    const start = performance.now();
    await this.#add(notifications);
    await this.#settle(notifications.length);
    return (performance.now() - start) / notifications.length;
  }

  close(): void {
    this.#database.close();
  }

  async #add(notifications: readonly Notification[]): Promise<void> {
    const receivedAt = Date.now();
    await this.#ledger.record(notifications.map((notification) => ({ receivedAt, notification })));
    await this.#ledger.decide(BATCH, (notification, memory) => decide(notification, memory, EVERYTHING));
    const events = await this.#ledger.undetailed(BATCH);
    const details = events.map(({ seq, event }) => ({
      seq,
      detail: makeDetail(event).detail,
      missing: [],
      learned: null,
    }));
    await this.#ledger.storeDetails(details);
  }

  /** Every plugin gets what is ready, and what becomes ready by that, until so many events are settled. */
  async #settle(events: number): Promise<void> {
    for (const plugin of PLUGINS) {
      for (let left = events; left > 0;) {
        const now = Date.now();
        const ready = await this.#ledger.ready({ plugin, now, limit: left });
        if (ready.length === 0) break;
        left -= ready.length;
        await this.#ledger.settle(ready.map(({ seq }) => {
          const dead = (seq * PLUGINS.length + PLUGINS.indexOf(plugin)) % DEAD === 0;
          const failure = dead ? { reason: "client_error", error: "Cannot POST: 400" } as const : null;
          const outcome = dead ? "dead" : "done";
          return { seq, plugin, startedAt: now, endedAt: now, outcome, failure, dueAt: 0, triedMs: 0 };
        }));
      }
    }
  }

  #life(number: number): Notification[] {
    const id = `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
    const hostname = `server-${number}`;
    const address = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    const time = new Date().toISOString();
    const messageId = () => crypto.randomUUID();
    const payload = { ...this.#came.payload, instance_id: id, hostname, fixed_ips: [{ address, type: "fixed" }] };
    return [
      { ...this.#came, messageId: messageId(), time, payload },
      { ...this.#went, messageId: messageId(), time, payload: { ...this.#went.payload, instance_id: id, hostname } },
    ];
  }
}

/** The time from the start of a process until it consumes. */
async function startUp(rabbit: PrivateRabbit, { dir }: GrownLedger): Promise<number> {
  const load = { events: 1, servers: 1, seed: 1 };
  await using trial = await Trial.open({ title: "Start-up", rabbit, load, ledgerDir: dir });
  const start = performance.now();
  await trial.start();
  return performance.now() - start;
}

/** The time that `oss-watcher events …` takes. */
async function list({ dir, file }: GrownLedger, filter: readonly string[]): Promise<number> {
  const args = ["run", "--quiet", ...PERMISSIONS, MAIN, "events", "--ledger", file, ...filter];
  const command = new Deno.Command(Deno.execPath(), { args, cwd: dir, stdout: "piped", stderr: "piped" });
  const start = performance.now();
  const { success, stderr } = await command.output();
  const ms = performance.now() - start;
  if (!success) throw new Error(`Cannot list ${filter.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return ms;
}

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

function recorded(name: string): Notification {
  const sample = readSamples().find((one) => one.name === name)!.sample;
  const decoded = decodeJson(sample.decoded_inner_message);
  if ("refused" in decoded) throw new Error(`Cannot use the sample ${name}: ${decoded.refused}`);
  return decoded.notification;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
