// One service process after another on one ledger, with its queue, its receivers and its load: what a scenario plays with.
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { DELIVERY_DEFAULTS } from "../../src/dispatch/policy.ts";
import { CloudPublisher } from "../../tools/publisher.ts";
import type { PrivateRabbit } from "../../tools/rabbitmq.ts";
import { Service } from "../../tools/service.ts";
import { type ExpectedEvent, Model } from "./expected.ts";
import { type LoadOptions, makeLoad, type Step } from "./load.ts";
import { judge, type Run } from "./oracle.ts";
import { now, sleep, Witness } from "./witness.ts";

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
}

/** What is printed of a scenario. */
export interface Outcome {
  readonly title: string;
  readonly published: number;
  readonly recorded: number;
  readonly events: number;
  readonly delivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Of the service; of the broker in `brokerKills`. */
  readonly kills: number;
  readonly brokerKills: number;
  readonly killsBetween: number;
  readonly seconds: number;
  /** What is worth knowing and not wrong. */
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

/** Short, so that some changes become one update, and some do not. */
const SETTLE_SECONDS = 0.3;

/** Nothing at all happens for so long only if something is stuck, on the slowest machine. */
const STALL_MS = 60_000;

/** Quick, so that a scenario does not take hours. */
const RETRY = { firstDelaySeconds: 0.05, maxDelaySeconds: 0.5, attemptTimeoutSeconds: 20 };

/** How many deliveries of a plugin may be attempted and not recorded yet: src/dispatch/lane.ts lets four times as many wait as run. */
const IN_FLIGHT = 4 * DELIVERY_DEFAULTS.concurrency;

export class Trial implements AsyncDisposable {
  readonly steps: readonly Step[];
  readonly witnesses: readonly Witness[];
  readonly runs: Run[] = [];
  readonly notes: string[] = [];
  readonly problems: string[] = [];
  brokerKills = 0;
  readonly #options: TrialOptions;
  readonly #dir = Deno.makeTempDirSync({ prefix: "oss-watcher-crash-" });
  readonly #publisher: CloudPublisher;
  readonly #startedAt = Date.now();
  readonly #messageIds = new Set<string>();
  readonly #exchanges: Readonly<Record<string, string>>;
  #service: Service | null = null;
  #progressAt = Date.now();
  #hasCollapsed = false;
  readonly #model = new Model();
  /** What the confirmed operations must lead to. */
  readonly #expected: ExpectedEvent[] = [];
  readonly #sentAt = new Map<string, number>();
  #confirmedSteps = 0;
  #messages = 0;

  private constructor(options: TrialOptions) {
    const id = crypto.randomUUID().slice(0, 8);
    this.#options = options;
    this.#exchanges = { nova: `${id}-nova`, neutron: `${id}-neutron` };
    this.#publisher = new CloudPublisher(options.rabbit.url);
    this.steps = makeLoad(options.load);
    this.witnesses = (options.plugins ?? ["RestNotify"]).map((plugin) => new Witness(plugin));
  }

  /** Declares the exchanges, as Kolla does: durable. */
  static async open(options: TrialOptions): Promise<Trial> {
    const trial = new Trial(options);
    for (const exchange of Object.values(trial.#exchanges)) {
      await trial.#publisher.declareExchange(exchange, { durable: true });
    }
    return trial;
  }

  get witness(): Witness {
    return this.witnesses[0]!;
  }

  get events(): number {
    return this.#options.load.events;
  }

  get queue(): string {
    return `${this.#exchanges["nova"]}-watcher`;
  }

  get ledgerFile(): string {
    return join(this.#options.ledgerDir ?? this.#dir, "ledger.db");
  }

  /** Messages that the broker confirmed. */
  get published(): number {
    return this.#messages;
  }

  /** What the running service has logged. */
  get log(): string {
    return this.#service?.log ?? "";
  }

  /** Starts a process; does not wait for anything. */
  launch(): void {
    const run = { number: this.runs.length + 1, killedAt: null };
    this.runs.push(run);
    Deno.writeTextFileSync(join(this.#dir, "config.ts"), this.#config(run.number));
    this.#service = new Service(this.#dir);
    this.#watch(this.#service);
    this.#progressAt = Date.now();
  }

  /** Starts a process and waits until it consumes. */
  async start(): Promise<void> {
    this.launch();
    await this.until(() => this.log.includes("Listening on queue"));
  }

  /** Ends the process as a power failure would. */
  async kill(): Promise<void> {
    this.runs.at(-1)!.killedAt = Date.now();
    await this.#end("SIGKILL");
  }

  /** Ends the process as an operator does. */
  async stop(): Promise<void> {
    const service = this.#service;
    const status = await this.#end("SIGTERM");
    // Before it has read its configuration it has nothing to end in an orderly way.
    const begun = service?.log.includes("Listen queue") ?? true;
    if (status.code !== 0 && begun) {
      this.problems.push(`SIGTERM ended run ${this.runs.length} with exit code ${status.code}`);
    }
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
    if (this.#confirmedSteps === this.steps.length) {
      throw new RangeError(`${this.#standing()}: nothing is left to publish`);
    }
    for (const step of this.steps.slice(this.#confirmedSteps, this.#confirmedSteps + steps)) {
      await this.#publishStep(step);
    }
  }

  /** Waits until a plugin, the first one if none is named, got so many events. */
  delivered(events: number, witness: Witness = this.witness): Promise<void> {
    return this.until(() => witness.taken.size >= events);
  }

  /**
   * Waits for a condition as long as anything goes on.
   *
   * @throws {Error} when everything stands still or the service has ended by itself, with what it logged.
   */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const lastAt = Math.max(this.#progressAt, ...this.witnesses.map(({ lastArrivalAt }) => lastArrivalAt));
      if (this.#hasCollapsed || Date.now() - lastAt > STALL_MS) {
        throw new Error(`${this.#standing()}: ${condition}\n${this.log.slice(-3000)}`);
      }
      await sleep(5);
    }
  }

  /** Waits until everything published was delivered, or will never be; ends the service; judges. */
  async conclude(): Promise<Outcome> {
    const expected = this.#expected;
    try {
      for (const witness of this.witnesses) {
        await this.delivered(expected.length, witness);
        await this.until(() => this.#isCurrent(witness));
      }
    } catch (error) {
      this.problems.push(error instanceof Error ? error.message : String(error));
    }
    // What should not come has a chance to come now.
    if (this.#service !== null) await this.stop();
    const verdicts = this.witnesses.map(({ attempts }) =>
      judge({ expected, states: this.#model.states, attempts, runs: this.runs, inFlight: IN_FLIGHT })
    );
    const updates = this.witnesses.reduce((total, witness) => total + witness.updates.size, 0);
    if (this.#follows) this.notes.push(`${updates} updates were told`);
    const sum = (count: "delivered" | "lost" | "duplicated" | "reordered" | "killsBetween") =>
      verdicts.reduce((total, verdict) => total + verdict[count], 0);
    const recorded = this.#checkLedger(expected.length);
    return {
      title: this.#options.title,
      published: this.#messages,
      recorded,
      events: expected.length * this.witnesses.length,
      delivered: sum("delivered"),
      lost: sum("lost"),
      duplicated: sum("duplicated"),
      reordered: sum("reordered"),
      kills: this.runs.filter(({ killedAt }) => killedAt !== null).length,
      brokerKills: this.brokerKills,
      killsBetween: sum("killsBetween"),
      seconds: (Date.now() - this.#startedAt) / 1000,
      notes: this.notes,
      problems: [...this.problems, ...verdicts.flatMap(({ problems }) => problems)],
    };
  }

  /** Whether a receiver was told the state of every server that is there. */
  #isCurrent({ states }: Witness): boolean {
    return this.#model.states.entries().every(([id, { name, owner }]) => {
      const told = states.get(id);
      return told?.name === name && told.owner === owner;
    });
  }

  get #follows(): boolean {
    return (this.#options.load.changes ?? 0) > 0;
  }

  /** From the sending of a message to the first arrival of its event, for operations of one message; milliseconds, in order. */
  latencies({ attempts }: Witness): number[] {
    const arrivals = Map.groupBy(attempts, ({ key }) => key);
    return [...this.#sentAt].map(([key, sentAt]) => (arrivals.get(key)?.[0]?.arrivedAt ?? Infinity) - sentAt);
  }

  /** How many attempts the ledger recorded as interrupted. */
  interrupted(): number {
    return this.#query("SELECT count(*) AS n FROM failure WHERE reason = 'interrupted'");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#service !== null) await this.#end("SIGKILL");
    for (const witness of this.witnesses) await witness.close();
    await this.#publisher[Symbol.asyncDispose]();
    await Deno.remove(this.#dir, { recursive: true });
  }

  async #publishAll(): Promise<void> {
    const ahead = this.#options.ahead ?? Math.ceil(this.events / 10);
    for (const step of this.steps.slice(this.#confirmedSteps)) {
      await this.until(() => this.#expected.length - this.witness.taken.size < ahead);
      await this.#publishStep(step);
    }
  }

  async #publishStep({ messages, operation }: Step): Promise<void> {
    const events = this.#model.expect(operation);
    if (messages.length === 1) { for (const { key } of events) this.#sentAt.set(key, now()); }
    for (const { exchange, routingKey, body, messageId, recorded } of messages) {
      await this.#publisher.publish({ exchange: this.#exchanges[exchange]!, routingKey, body });
      this.#messages++;
      if (recorded) this.#messageIds.add(messageId);
      this.#progressAt = Date.now();
    }
    this.#confirmedSteps++;
    this.#expected.push(...events);
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<Deno.CommandStatus> {
    const service = this.#service!;
    this.#service = null;
    const status = await service.end(signal);
    this.problems.push(...service.log.split("\n").filter((line) => UNSEEMLY.test(line)).slice(0, 5));
    return status;
  }

  /** A process that ends by itself is wrong, always. */
  #watch(service: Service): void {
    service.status.then(({ code }) => {
      if (this.#service !== service) return;
      this.problems.push(`Run ${this.runs.length} ended by itself with exit code ${code}: ${service.log.slice(-500)}`);
      this.#hasCollapsed = true;
    });
  }

  /** Every message that was confirmed is recorded once, and nothing is left to do. */
  #checkLedger(events: number): number {
    // Recorded only where changes are followed: the load counts neither.
    const recorded = this.#query(`SELECT count(*) AS n FROM notification
      WHERE event_type NOT LIKE '%instance.update' AND event_type NOT LIKE '%instance.delete.start'`);
    const open = this.#query("SELECT count(*) AS n FROM delivery WHERE state <> 'done'");
    const done = this.#query(`SELECT count(*) AS n FROM delivery AS d JOIN event AS e ON e.seq = d.seq
      WHERE state = 'done' AND key NOT LIKE '%/update/%'`);
    if (recorded !== this.#messageIds.size) {
      this.problems.push(`${recorded} notifications are recorded, and ${this.#messageIds.size} were published`);
    }
    if (open > 0) this.problems.push(`${open} deliveries are not done`);
    const wanted = events * this.witnesses.length;
    if (done !== wanted) this.problems.push(`${done} deliveries are done in the ledger, not ${wanted}`);
    return recorded;
  }

  #query(sql: string): number {
    const database = new DatabaseSync(this.ledgerFile, { readOnly: true });
    try {
      return Number(database.prepare(sql).get()?.["n"]);
    } finally {
      database.close();
    }
  }

  #standing(): string {
    const taken = this.witnesses.map(({ plugin, taken }) => `${plugin} got ${taken.size}`).join(", ");
    return `Stuck with ${this.#confirmedSteps} of ${this.steps.length} operations published, ${taken}`;
  }

  /** The run's number is the user's name: a receiver sees which process a request is from. */
  #config(run: number): string {
    const { rabbit, queueType = "quorum", retry = {}, preamble = "" } = this.#options;
    const plugins = this.witnesses.map(({ plugin, port }) => {
      const options = {
        name: plugin,
        host: "http://127.0.0.1",
        port,
        user: `run-${run}`,
        urlCreation: "/created",
        urlDeletion: "/deleted",
        ...(this.#follows ? { urlUpdate: "/updated" } : {}),
      };
      return `new RestNotify(${JSON.stringify(options)})`;
    });
    const queue = { name: this.queue, exchanges: Object.values(this.#exchanges), type: queueType };
    return `${preamble}
import type { Config } from "oss-watcher";
import { RestNotify } from "oss-watcher/plugins";

export default {
  events: {
    creation: ["compute.instance.create.end", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
    ${this.#follows ? `update: ["FQDN", "Owner"], settleSeconds: ${SETTLE_SECONDS},` : ""}
  },
  plugins: [${plugins.join(", ")}],
  rabbit: ${JSON.stringify({ url: rabbit.url, queue })},
  retry: ${JSON.stringify({ ...RETRY, ...retry })},
  ledger: { file: ${JSON.stringify(this.ledgerFile)} },
} satisfies Config;
`;
  }
}

/** What no log may hold, whatever happens outside. */
const UNSEEMLY = /Uncaught|Unexpected|Cannot record|panicked|\bat file:/;
