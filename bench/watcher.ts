// oss-watcher as a contender: the program itself, as a user runs it, with a configuration for the
// row.
import { join } from "node:path";
import { openDatabase } from "../src/ledger/sqlite/database.ts";
import type { PostgresServer } from "../tools/postgres/server.ts";
import { Service } from "../tools/service.ts";
import type { Sample } from "./contest.ts";
import { drain, type Running } from "./drain.ts";
import { CLAIMED, type Load } from "./mix.ts";
import type { CountingReceiver } from "./receiver.ts";
import { QUEUE, type Stand } from "./stand.ts";

export interface WatcherOptions {
  readonly url: string;
  readonly queue: string;
  /** Source text: the list of plugins. */
  readonly plugins: string;
  /** Source text: further sections of the configuration. */
  readonly sections?: string;
  /** Whether changes of servers are followed, and told at once. @default false */
  readonly follows?: boolean;
  /** The ledger's database. @default a file of SQLite */
  readonly postgres?: PostgresServer;
  /** Whether the ledger on PostgreSQL stays. @default it is dropped */
  readonly keepsLedger?: boolean;
  /** The file of the ledger. @default in a new directory, which is removed afterwards */
  readonly dir?: string;
  /** How many deliveries the ledger must hold as done in the end. */
  readonly deliveries: number;
  /** How many deliveries must be left undone after failed attempts. @default 0 */
  readonly failing?: number;
  /** Resolves with the time of the last delivery. @default when idle plugins say so */
  readonly finished?: Promise<number>;
}

/** This many plugins that do nothing, until each was called for this many events. */
export function idlePlugins(count: number, events: number): string {
  return `idle(${count}, ${count * events})`;
}

/** A plugin that posts to a receiver of the bench. */
export function restPlugin(port: number, name = "RestNotify"): string {
  return `new RestNotify({ name: "${name}", host: "http://127.0.0.1", port: ${port}, urlCreation: "/created", urlDeletion: "/deleted" })`;
}

/** Drains a load into a receiver; `more` says what differs from one plugin, `RestNotify`, and a ledger in a file. */
export function drainTo(
  receiver: CountingReceiver,
  { bus, url }: Pick<Stand, "bus" | "url">,
  { load, ...more }: { readonly load: Load } & Partial<WatcherOptions>,
): Promise<Sample> {
  const start = () =>
    startWatcher({
      url,
      queue: QUEUE,
      plugins: restPlugin(receiver.port),
      deliveries: load.events,
      finished: receiver.expect(load.events),
      ...more,
    });
  return drain({ bus, queue: QUEUE, load, start });
}

/** Starts it. */
export function startWatcher(options: WatcherOptions): Running {
  const dir = options.dir ?? Deno.makeTempDirSync({ prefix: "oss-watcher-bench-" });
  Deno.writeTextFileSync(join(dir, "config.ts"), configOf(options));
  const service = new Service(dir);
  return {
    pid: service.pid,
    finished: Promise.race([options.finished ?? idleDone(service), ended(service)]),
    async end() {
      const { code } = await service.end("SIGTERM");
      try {
        if (code !== 0) throw new Error(`the watcher ended with ${code}: ${service.log.slice(-2000)}`);
        await checkLedger(join(dir, "ledger.db"), options);
      } finally {
        if (options.dir === undefined) Deno.removeSync(dir, { recursive: true });
      }
    },
  };
}

function configOf({ url, queue, plugins, sections = "", follows = false, postgres }: WatcherOptions): string {
  const ledger = postgres === undefined ? `file: "./ledger.db"` : `postgres: { url: ${JSON.stringify(postgres.url)} }`;
  return `import { RestNotify } from "oss-watcher/plugins";
import { idle } from ${JSON.stringify(new URL("./idle.ts", import.meta.url).href)};

export default {
  events: { creation: ${JSON.stringify([CLAIMED[0], CLAIMED[2]])}, deletion: ${
    JSON.stringify([CLAIMED[1], CLAIMED[2]])
  }${follows ? ', update: "all", settleSeconds: 0' : ""} },
  plugins: [${plugins}].flat(),
  rabbit: { url: ${JSON.stringify(url)}, watchQueue: ${JSON.stringify(queue)} },
  // The recording is older than ledger.keepDays: its creations would count as an old queue's.
  ledger: { ${ledger}, keepDays: 36500 },
  ${sections}
};
export { RestNotify, idle };
`;
}

async function idleDone(service: Service): Promise<number> {
  for (;;) {
    const at = /^\{"at":(\d+)\}$/m.exec(service.log)?.[1];
    if (at !== undefined) return Number(at);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function ended(service: Service): Promise<never> {
  const { code } = await service.status;
  throw new Error(`the watcher ended with ${code}: ${service.log.slice(-2000)}`);
}

/** The work of a round, as the ledger has it: all done, with a detail that lacks nothing. */
const DONE = `SELECT
  count(*) FILTER (WHERE state = 'done' AND seq NOT IN (SELECT seq FROM event WHERE key GLOB 'server/*/update/*')) AS done,
  count(*) FILTER (WHERE state <> 'done' AND attempts > 0) AS failing,
  (SELECT count(*) FROM event WHERE missing <> '[]') AS incomplete FROM delivery`;

/** The same on PostgreSQL, where a delivery that waits has no row. */
const DONE_ON_POSTGRES = `SELECT json_build_object(
  'done', count(*) FILTER (WHERE d.state = 'done' AND e.key NOT LIKE 'server/%/update/%'),
  'failing', count(*) FILTER (WHERE d.state <> 'done' AND d.attempts > 0),
  'incomplete', (SELECT count(*) FROM oss_watcher.event WHERE missing <> '[]'))
  FROM oss_watcher.delivery AS d JOIN oss_watcher.event AS e ON e.seq = d.seq`;

async function checkLedger(file: string, options: WatcherOptions): Promise<void> {
  const { postgres } = options;
  if (postgres === undefined) return checkFile(file, options);
  checkWork(JSON.parse(await postgres.psql(DONE_ON_POSTGRES)), options);
  if (options.keepsLedger !== true) await postgres.psql("DROP SCHEMA oss_watcher CASCADE");
}

function checkFile(file: string, options: WatcherOptions): void {
  const database = openDatabase(file, { create: false });
  try {
    checkWork(database.prepare(DONE).get() ?? {}, options);
  } finally {
    database.close();
  }
}

function checkWork(found: Readonly<Record<string, unknown>>, { deliveries, failing = 0 }: WatcherOptions): void {
  if (found["done"] !== deliveries) throw new Error(`${found["done"]} deliveries are done, not ${deliveries}`);
  if (Number(found["failing"]) < failing || (failing === 0 && found["failing"] !== 0)) {
    throw new Error(`attempts of ${found["failing"]} deliveries failed, not of ${failing}`);
  }
  if (found["incomplete"] !== 0) throw new Error(`${found["incomplete"]} details lack something`);
}
