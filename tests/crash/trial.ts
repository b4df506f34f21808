// Processes of the service on one ledger, with their queue, their receivers and their load: what a scenario plays with.
import { join } from "node:path";
import type { PostgresServer } from "../../tools/postgres/server.ts";
import type { PrivateRabbit } from "../../tools/rabbitmq.ts";
import { configText } from "./config_text.ts";
import { type Fault, type FaultKind, FaultLog } from "./faults.ts";
import { type LedgerProbe, postgresProbe, sqliteProbe } from "./ledger_probe.ts";
import type { LoadOptions, Step } from "./load.ts";
import { type Link, Member, type RunEnd } from "./member.ts";
import { concluded, type Outcome } from "./outcome.ts";
import { Publishing } from "./publishing.ts";
import { sleep, Witness } from "./witness.ts";

export interface TrialOptions {
  readonly title: string;
  readonly rabbit: PrivateRabbit;
  readonly load: LoadOptions;
  /** @default "quorum" */
  readonly queueType?: "classic" | "quorum";
  /** Names of plugins, each with a receiver of its own. @default ["RestNotify"] */
  readonly plugins?: readonly string[];
  /** `retry` of config.ts. */
  readonly retry?: Readonly<Record<string, unknown>>;
  /** How many events may be published ahead of their delivery by the first plugin. @default a tenth of them */
  readonly ahead?: number;
  /** Where the ledger is. @default the trial's own directory */
  readonly ledgerDir?: string;
  /** TypeScript that config.ts begins with. */
  readonly preamble?: string;
  /** Several processes that share a ledger on a server. @default one, with a file */
  readonly cluster?: ClusterOptions;
}

export interface ClusterOptions {
  readonly postgres: PostgresServer;
  readonly leaseSeconds: number;
  /** How many processes. */
  readonly size: number;
}

/** Nothing at all happens for so long only if something is stuck, on the slowest machine. */
const STALL_MS = 60_000;

/** Quick, so that a scenario does not take hours. */
const RETRY = { firstDelaySeconds: 0.05, maxDelaySeconds: 0.5, attemptTimeoutSeconds: 20 };

export class Trial implements AsyncDisposable {
  readonly options: TrialOptions;
  readonly publishing: Publishing;
  readonly witnesses: readonly Witness[];
  readonly members: readonly Member[];
  readonly faults = new FaultLog();
  readonly notes: string[] = [];
  readonly problems: string[] = [];
  readonly startedAt = Date.now();
  readonly ledger: LedgerProbe;
  readonly #dir = Deno.makeTempDirSync({ prefix: "oss-watcher-crash-" });
  /** What is cut at the moment. */
  readonly #cuts = new Set<{ readonly member: Member; readonly kind: FaultKind; readonly faults: Fault[] }>();
  /** What each run that has ended has logged. */
  readonly logs = new Map<number, string>();
  #runs = 0;
  #progressAt = Date.now();
  #hasCollapsed = false;
  #isEnding = false;

  private constructor(options: TrialOptions, publishing: Publishing) {
    this.options = options;
    this.publishing = publishing;
    const { plugins = ["RestNotify"], rabbit, cluster } = options;
    this.witnesses = plugins.map((plugin) => new Witness(plugin));
    this.ledger = cluster === undefined ? sqliteProbe(this.#ledgerFile) : postgresProbe(cluster.postgres);
    this.members = Array.from({ length: cluster?.size ?? 1 }, (_, index) =>
      new Member({
        dir: join(this.#dir, `process-${index + 1}`),
        rabbitUrl: rabbit.url,
        postgresUrl: cluster?.postgres.url ?? null,
        targetPorts: this.witnesses.map(({ port }) => port),
        gated: cluster !== undefined,
        onEnd: (end) => this.#ended(end),
      }));
    for (const { configFile } of this.members) Deno.writeTextFileSync(configFile, this.#config());
  }

  static async open(options: TrialOptions): Promise<Trial> {
    return new Trial(options, await Publishing.open(options.rabbit.url, options.load));
  }

  get steps(): readonly Step[] {
    return this.publishing.steps;
  }

  get witness(): Witness {
    return this.witnesses[0]!;
  }

  get member(): Member {
    return this.members[0]!;
  }

  get queue(): string {
    return `${this.publishing.exchanges["nova"]}-watcher`;
  }

  /** Messages that the broker confirmed. */
  get published(): number {
    return this.publishing.messages;
  }

  /** What the running process has logged, the first one if there are several. */
  get log(): string {
    return this.member.log;
  }

  /** Whether changes are followed. */
  get follows(): boolean {
    return (this.options.load.changes ?? 0) > 0;
  }

  /** Starts a process; does not wait for anything. */
  launch(member: Member = this.member): void {
    if (this.#isEnding || member.isRunning) return;
    member.launch(++this.#runs);
    for (const cut of this.#cuts) {
      if (cut.member === member) cut.faults.push(this.faults.begin(member.run, cut.kind));
    }
    this.#progressAt = Date.now();
  }

  /** Starts a process and waits until it consumes. */
  async start(member: Member = this.member): Promise<void> {
    this.launch(member);
    await this.until(() => member.log.includes("Listening on queue"));
  }

  /** Ends a process as a power failure would. */
  async kill(member: Member = this.member): Promise<void> {
    if (!member.isRunning) return;
    this.faults.begin(member.run, "kill");
    await member.end("SIGKILL");
  }

  /** Ends a process as an operator does. */
  async stop(member: Member = this.member): Promise<void> {
    const from = Date.now();
    const end = await member.end("SIGTERM");
    if (end === null || end.code === 0) return;
    // Before it has read its configuration it has nothing to end in an orderly way.
    if (!end.log.includes("Listen queue") || this.#hasHinderedLedger(end.run, from)) return;
    this.problems.push(`SIGTERM ended run ${end.run} with exit code ${end.code}`);
  }

  /** Stops a process where it is, with what it has in hand, for some time. Its targets get that late. */
  async freeze(member: Member, ms: number): Promise<void> {
    if (!member.isRunning) return;
    const fault = this.faults.begin(member.run, "freeze");
    member.cut("targets", true);
    // Until its requests hang.
    await sleep(10);
    const thaw = member.freeze();
    await sleep(ms);
    thaw();
    member.cut("targets", false);
    fault.to = Date.now();
  }

  /** Holds back all between a process and a server for some time. */
  async cut(member: Member, { from, ms }: { readonly from: Exclude<Link, "targets">; readonly ms: number }) {
    const kind = `cut from ${from}` as const;
    const cut = { member, kind, faults: [this.faults.begin(member.run, kind)] };
    this.#cuts.add(cut);
    member.cut(from, true);
    await sleep(ms);
    member.cut(from, false);
    this.#cuts.delete(cut);
    for (const fault of cut.faults) fault.to = Date.now();
  }

  /** Kills RabbitMQ and starts it again. */
  async killBroker(): Promise<void> {
    const fault = this.faults.begin("rabbit", "kill");
    await this.options.rabbit.restart();
    fault.to = Date.now();
  }

  /** Kills PostgreSQL, and starts it again after some time. */
  async killPostgres(ms: number): Promise<void> {
    const { postgres } = this.options.cluster!;
    const fault = this.faults.begin("postgres", "kill");
    await postgres.kill();
    await sleep(ms);
    await postgres.start();
    fault.to = Date.now();
  }

  /** Publishes all, one message after the other, not too far ahead of what is delivered. Resolves when everything was confirmed. */
  publish(): Promise<void> {
    const published = this.#publishAll();
    // Whoever waits for it hears of it; a scenario may be waiting for something else.
    published.catch(() => {});
    return published;
  }

  /**
   * Publishes the next so many operations.
   *
   * @throws {RangeError} when none are left.
   */
  async publishSome(steps: number): Promise<void> {
    if (this.publishing.isDone) throw new RangeError(`${this.#standing()}: nothing is left to publish`);
    for (let left = steps; left > 0 && !this.publishing.isDone; left--) await this.publishing.next();
  }

  /** Waits until a plugin, the first one if none is named, got so many events. */
  delivered(events: number, witness: Witness = this.witness): Promise<void> {
    return this.until(() => witness.taken.size >= events);
  }

  /**
   * Waits for a condition as long as anything goes on.
   *
   * @throws {Error} when everything stands still or a process has ended by itself, with what it logged.
   */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const arrivals = this.witnesses.map(({ lastArrivalAt }) => lastArrivalAt);
      const lastAt = Math.max(this.#progressAt, this.publishing.lastConfirmAt, ...arrivals);
      if (this.#hasCollapsed || Date.now() - lastAt > STALL_MS) {
        const logs = this.members.map(({ run, log }) => `run ${run}: ${log.slice(-3000)}`);
        throw new Error(`${this.#standing()}: ${condition}\n${logs.join("\n")}`);
      }
      await sleep(5);
    }
  }

  /** Waits until everything published was delivered, or will never be; ends the processes; judges. */
  async conclude(): Promise<Outcome> {
    try {
      for (const witness of this.witnesses) {
        await this.delivered(this.publishing.expected.length, witness);
        await this.until(() => this.#isCurrent(witness));
      }
    } catch (error) {
      this.problems.push(error instanceof Error ? error.message : String(error));
    }
    // What should not come has a chance to come now.
    await Promise.all(this.members.map((member) => this.stop(member)));
    this.#isEnding = true;
    return await concluded(this);
  }

  /** From the sending of a message to the first arrival of its event, for operations of one message; milliseconds, in order. */
  latencies({ attempts }: Witness): number[] {
    const arrivals = Map.groupBy(attempts, ({ key }) => key);
    const { sentAt } = this.publishing;
    return [...sentAt].map(([key, sent]) => (arrivals.get(key)?.[0]?.arrivedAt ?? Infinity) - sent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    for (const member of this.members) await member[Symbol.asyncDispose]();
    for (const witness of this.witnesses) await witness.close();
    await this.publishing[Symbol.asyncDispose]();
    await Deno.remove(this.#dir, { recursive: true });
  }

  /** Whether a receiver was told the state of every server that is there. */
  #isCurrent({ states }: Witness): boolean {
    return this.publishing.model.states.entries().every(([id, { name, owner }]) => {
      const told = states.get(id);
      return told?.name === name && told.owner === owner;
    });
  }

  async #publishAll(): Promise<void> {
    const { publishing, options: { load, ahead = Math.ceil(load.events / 10) } } = this;
    while (!publishing.isDone) {
      await this.until(() => publishing.expected.length - this.witness.taken.size < ahead);
      await publishing.next();
    }
  }

  /** A process that ends by itself is wrong, unless it could not reach its ledger when it began: then it is started again. */
  #ended({ member, run, startedAt, log, code, isExpected }: RunEnd): void {
    this.logs.set(run, log);
    this.problems.push(...log.split("\n").filter((line) => UNSEEMLY.test(line)).slice(0, 5));
    if (isExpected || this.#isEnding) return;
    if (!log.includes("Listen queue") && this.#hasHinderedLedger(run, startedAt)) {
      this.notes.push(`Run ${run} could not begin: ${log.trim().split("\n").at(-1)}`);
      setTimeout(() => this.launch(member), SUPERVISOR_MS);
      return;
    }
    this.problems.push(`Run ${run} ended by itself with exit code ${code}: ${log.slice(-500)}`);
    this.#hasCollapsed = true;
  }

  /** Whether a run could not reach its ledger at any time since. */
  #hasHinderedLedger(run: number, sinceMs: number): boolean {
    return this.faults.all.some(({ of, kind, to }) =>
      to > sinceMs - 1000 && (of === "postgres" || of === run && kind !== "cut from rabbit")
    );
  }

  get #ledgerFile(): string {
    return join(this.options.ledgerDir ?? this.#dir, "ledger.db");
  }

  #standing(): string {
    const taken = this.witnesses.map(({ plugin, taken }) => `${plugin} got ${taken.size}`).join(", ");
    return `Stuck with ${this.publishing.confirmed} of ${this.steps.length} operations published, ${taken}`;
  }

  #config(): string {
    const { queueType = "quorum", retry = {}, preamble = "", cluster } = this.options;
    return configText({
      plugins: this.witnesses.map(({ plugin }) => plugin),
      queue: { name: this.queue, exchanges: Object.values(this.publishing.exchanges), type: queueType },
      retry: { ...RETRY, ...retry },
      ledger: cluster === undefined
        ? JSON.stringify({ file: this.#ledgerFile })
        : `{ postgres: { url: env("LEDGER_URL"), leaseSeconds: ${cluster.leaseSeconds} } }`,
      follows: this.follows,
      preamble,
    });
  }
}

/** After this time a supervisor, as systemd is one, starts a process again. */
const SUPERVISOR_MS = 500;

/** What no log may hold, whatever happens outside. */
const UNSEEMLY = /Uncaught|Unexpected|Cannot record(?!.*before the service stops)|panicked|\bat file:/;
