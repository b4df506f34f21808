/**
 * A process beside the tests that does something to a ledger file: `deno run ledger_process.ts own|hold|lock|write FILE`. It prints a line of
 * JSON for each thing that is done, and goes on until it is killed.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { ownLedger } from "../../src/ledger/sqlite/open.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { announceEvents, madeEvent, settlementOf } from "./made_events.ts";

function print(line: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}

/** Opens the ledger as the service does. */
function own(file: string): void {
  try {
    ownLedger(file);
    print("owned");
    wait();
  } catch (error) {
    const { name, message } = error as Error;
    print({ name, message });
  }
}

/** Holds the file against everybody, readers too. */
function hold(file: string): void {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  database.exec("BEGIN EXCLUSIVE");
  print("held");
  wait();
}

/** Holds the right to write. */
function lock(file: string): void {
  new DatabaseSync(file).exec("BEGIN EXCLUSIVE");
  print("locked");
  wait();
}

/** Announces and delivers events without end, as fast as it can; each line says how many are safe. */
async function write(file: string): Promise<void> {
  const ledger = new SqliteLedger(ownLedger(file).database, () => 1000);
  await ledger.activate(["p"]);
  for (let written = 0;; written++) {
    await announceEvents(ledger, [madeEvent(`s${written}/1`, ["a", `s${written}`])]);
    print({ announced: written });
    const [delivery] = await ledger.ready({ plugin: "p", now: 1000, limit: 1 });
    await ledger.settle([settlementOf(delivery!, { outcome: "done", endedAt: 1000 })]);
    print({ delivered: written });
  }
}

function wait(): void {
  setInterval(() => {}, 1 << 30);
}

const ACTIONS = { own, hold, lock, write };

if (import.meta.main) {
  const [action, file] = Deno.args as [keyof typeof ACTIONS, string];
  await ACTIONS[action](file);
}

/** Runs this file as a process of its own. */
export class LedgerProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;

  /** @param options `unprivileged` takes from root what makes it root, so that it needs the same rights as anybody. */
  constructor(
    action: keyof typeof ACTIONS,
    file: string,
    { unprivileged = false }: { readonly unprivileged?: boolean } = {},
  ) {
    const deno = [Deno.execPath(), "run", "--quiet", "--no-check", "--no-prompt", "-A", import.meta.filename!];
    const withoutRights = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    const [command, ...args] = [...unprivileged && Deno.uid() === 0 ? withoutRights : [], ...deno, action, file];
    this.#child = new Deno.Command(command!, { args, stdout: "piped", stdin: "null" }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(lines()).getReader();
  }

  /** The next thing that it says; `undefined` when it has ended. */
  async says(): Promise<unknown> {
    const { value } = await this.#lines.read();
    return value === undefined ? undefined : JSON.parse(value);
  }

  /** Ends it at once and gives what it had still said. */
  async kill(): Promise<unknown[]> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    const said: unknown[] = [];
    for (let line = await this.says(); line !== undefined; line = await this.says()) said.push(line);
    await this.#child.status;
    return said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** Whole lines; one that was cut off by a kill is left out. */
function lines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop()!;
      for (const part of parts) controller.enqueue(part);
    },
  });
}
