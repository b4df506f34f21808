// A disk that fills up under the ledger, and is emptied again.
import { DELIVERY_DEFAULTS } from "../../src/model/config_defaults.ts";
import { TmpfsDisk } from "../support/tmpfs_disk.ts";
import type { PrivateRabbit } from "../../tools/rabbitmq.ts";
import type { ScenarioOptions } from "./scenarios.ts";
import type { Outcome } from "./outcome.ts";
import { Trial } from "./trial.ts";
import { type Reply, sleep, TAKEN, wellAnswered } from "./witness.ts";

/** While the disk is full nothing is acknowledged and nothing attempted; when there is room again all goes on. */
export async function fillDisk({ rabbit, load }: ScenarioOptions): Promise<Outcome> {
  await using disk = await TmpfsDisk.isAllowed() ? await TmpfsDisk.mount(SIZE_MIB) : new PageLimit();
  const [how, preamble] = disk instanceof PageLimit
    ? ["max_page_count", disk.preamble]
    : [`a tmpfs of ${SIZE_MIB} MiB`, ""];
  await using trial = await Trial.open({
    title: `Disk full (${how})`,
    rabbit,
    load,
    // Counts its messages exactly at any time.
    queueType: "classic",
    ahead: load.events,
    // What hangs while the disk fills up is not given up.
    retry: { attemptTimeoutSeconds: 300 },
    ledgerDir: disk.dir,
    preamble,
  });
  const held: PromiseWithResolvers<Reply>[] = [];
  trial.witness.respond = () => {
    const reply = Promise.withResolvers<Reply>();
    held.push(reply);
    return reply.promise;
  };
  await trial.witness.open();
  await trial.start();
  await trial.publishSome(Math.floor(trial.steps.length / 3));
  // Every place is taken and more is waiting: nothing but the full disk keeps the service from going on.
  await trial.until(() => held.length === DELIVERY_DEFAULTS.concurrency);
  await disk.fill();
  while (!trial.log.includes(TOLD)) {
    held.shift()?.resolve(TAKEN);
    await trial.publishSome(1);
  }
  // What was sent at that very moment arrives.
  await sleep(300);
  const arrived = trial.witness.attempts.length;
  trial.witness.respond = wellAnswered;
  for (const reply of held) reply.resolve(TAKEN);
  await watchStandstill(trial, { rabbit, arrived });
  await disk.empty();
  await trial.until(() => trial.log.includes("can be written again"));
  await trial.publish();
  return await trial.conclude();
}

const TOLD = "Cannot write the ledger";

/** Publishes on, and looks whether anything still moves. */
async function watchStandstill(
  trial: Trial,
  { rabbit, arrived }: { readonly rabbit: PrivateRabbit; readonly arrived: number },
): Promise<void> {
  const { attempts } = trial.witness;
  const { published } = trial;
  const before = await look(rabbit, trial.queue);
  await trial.publishSome(Math.floor(trial.steps.length / 6));
  const after = await look(rabbit, trial.queue);
  const [more, queued] = [trial.published - published, after.messages - before.messages];
  if (queued !== more) {
    trial.problems.push(`${more} messages were published to a full disk, and ${queued} stayed queued`);
  }
  if (after.consumers > 0) trial.problems.push("the queue is consumed with a full disk");
  if (attempts.length > arrived) {
    trial.problems.push(`${attempts.length - arrived} attempts were made with a full disk`);
  }
  const told = trial.log.split(TOLD).length - 1;
  if (told !== 1) trial.problems.push(`a full disk was told ${told} times`);
  trial.notes.push(`while it was full ${after.messages} messages waited in the queue, and nothing was attempted`);
}

/** Messages in a queue, delivered and not acknowledged ones included, and who consumes it. */
async function look(rabbit: PrivateRabbit, queue: string): Promise<{ messages: number; consumers: number }> {
  const lines = (await rabbit.ctl("list_queues", "name", "messages", "consumers", "--no-table-headers")).split("\n");
  const [, messages, consumers] = lines.map((line) => line.split("\t")).find(([name]) => name === queue) ?? [];
  return { messages: Number(messages), consumers: Number(consumers) };
}

const SIZE_MIB = 64;

/** SQLite's own limit, which a connection must set itself: config.ts does so from within, as the directory's mode says. */
class PageLimit implements AsyncDisposable {
  readonly dir = Deno.makeTempDirSync({ prefix: "oss-watcher-disk-" });

  get preamble(): string {
    return `
import { DatabaseSync } from "node:sqlite";
const exec = DatabaseSync.prototype.exec;
const opened = new Set<DatabaseSync>();
DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
  opened.add(this);
  exec.call(this, sql);
};
setInterval(() => {
  const isFull = (Deno.statSync(${JSON.stringify(this.dir)}).mode! & 0o1) > 0;
  // SQLite takes 1 for "as many as there are".
  for (const database of opened) exec.call(database, "PRAGMA max_page_count = " + (isFull ? 1 : 1_000_000));
}, 20);
`;
  }

  async fill(): Promise<void> {
    await Deno.chmod(this.dir, 0o701);
  }

  async empty(): Promise<void> {
    await Deno.chmod(this.dir, 0o700);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.dir, { recursive: true });
  }
}
