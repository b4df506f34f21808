// The service on a real cloud and a receiver that gets its calls: operation by operation, what must come is waited for and judged.
import { DatabaseSync } from "node:sqlite";
import type { Detail } from "../../mod.ts";
import type { OpenStackOptions, OwnQueue } from "../../src/model/config.ts";
import type { CloudClient } from "../../tools/openstack/rest.ts";
import { progress } from "../../tools/packages.ts";
import type { PrivateRabbit } from "../../tools/rabbitmq.ts";
import { type Received, Receiver } from "../../tools/receiver.ts";
import { Service } from "../../tools/service.ts";
import { PERMISSIONS } from "../../tools/permissions.ts";
import { ProgramDirectory, type ProgramEnd, runProgram } from "../support/program.ts";
import { until } from "../support/until.ts";
import { configText, type Follow } from "./config_text.ts";
import { Judge } from "./judge.ts";
import type { Expected, Step } from "./step.ts";
import type { FloatingIpRef } from "./tenant.ts";
import { askTruth, type Truth } from "./truth.ts";

/** A loaded machine is slow. */
const LONG_MS = 180_000;

export interface WatchOptions {
  readonly title: string;
  readonly admin: CloudClient;
  readonly rabbit: PrivateRabbit;
  /** The queue of config.ts: our own, or an existing one. */
  readonly source: { readonly queue: OwnQueue } | { readonly watchQueue: string };
  /** `openstack` of config.ts. */
  readonly openstack: OpenStackOptions;
  /** Event types of the groups. */
  readonly created?: string;
  readonly deleted?: string;
  /** Changes of servers are followed. @default they are not */
  readonly follow?: Follow;
  /** Further files beside config.ts. */
  readonly files?: Readonly<Record<string, string>>;
  /** `false`: the course starts it. @default true */
  readonly isStarted?: boolean;
  /** Warnings and errors that the service must log, or may. @default none */
  readonly warnings?: RegExp;
}

export class Watch implements AsyncDisposable {
  readonly judge = new Judge();
  readonly problems: string[] = [];
  /** How many steps were taken, and how many events they led to. */
  steps = 0;
  events = 0;
  readonly #options: WatchOptions;
  readonly #receiver = new Receiver();
  readonly #dir: ProgramDirectory;
  #service: Service | null = null;
  /** Of each floating IP. */
  readonly #transitions = new Map<string, number>();
  /** Keys of all that had to come, with their steps. */
  readonly #expected = new Map<string, string>();
  readonly #primed = new Set<string>();
  /** What the APIs said last before an operation, by server. */
  readonly #earlier = new Map<string, Truth>();
  /** Keys that may come again. */
  readonly #repeatable = new Set<string>();
  readonly #titles: { readonly title: string; readonly from: number }[] = [];

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#dir = new ProgramDirectory({ "config.ts": this.#config(), ...options.files });
  }

  /** What it has logged since its last start. */
  get log(): string {
    return this.#service?.log ?? "";
  }

  /** The calls so far. */
  get calls(): readonly Received[] {
    return this.#receiver.requests;
  }

  get queue(): string {
    const { source } = this.#options;
    return "queue" in source ? source.queue.name : source.watchQueue;
  }

  /** The path of a file beside config.ts. */
  path(name: string): string {
    return this.#dir.path(name);
  }

  /** Runs a command beside the service, or without it. `config`: another account of OpenStack. */
  async run(
    args: readonly string[],
    { openstack }: { readonly openstack?: OpenStackOptions } = {},
  ): Promise<ProgramEnd> {
    const file = openstack === undefined ? "config.ts" : "other.ts";
    if (openstack !== undefined) this.#dir.write(file, this.#config(openstack));
    return await runProgram({ dir: this.#dir.path(), args: ["--config", file, ...args], permissions: PERMISSIONS });
  }

  /** Stops the service. */
  async stop(): Promise<void> {
    const { code } = await this.#service!.end("SIGTERM");
    if (code !== 0) this.problems.push(`The service ended with exit code ${code}`);
    this.#checkLog();
  }

  /** Stops the running process as a debugger or a hypervisor does; disposing continues it. */
  hang(): Disposable {
    const { pid } = this.#service!;
    Deno.kill(pid, "SIGSTOP");
    return { [Symbol.dispose]: () => Deno.kill(pid, "SIGCONT") };
  }

  /** Waits for a line in the log since the last start. */
  logged(line: RegExp): Promise<void> {
    return this.#logged(line);
  }

  /** Waits until all messages are decided, and all that follows is delivered. */
  async settle(): Promise<void> {
    const isDone = () =>
      this.#count("notification WHERE outcome IS NULL") === 0 && this.#count("pending_update") === 0 &&
      this.#count("delivery WHERE state <> 'done'") === 0;
    // The queue's depth takes a program, the ledger does not.
    await until(async () => isDone() && await this.#depth() === 0 && isDone(), LONG_MS);
  }

  /** How many events a comparison has led to, in this ledger. */
  async found(): Promise<number> {
    const { out } = await this.run(["events", "--json", "--limit", "1000"]);
    return out.split('"origin":"reconcile"').length - 1;
  }

  /**
   * The ledger was put back to an earlier state: calls since then may come again, under the same
   * keys those of servers, and those of floating IPs under others.
   *
   * @param since The number of calls at that time.
   */
  restored(since: number): void {
    const again = this.calls.slice(since).map(({ key }) => key).filter((key) => key.startsWith("server/"));
    for (const key of again) this.#repeatable.add(key);
    for (const id of this.#transitions.keys()) this.#primed.add(id);
  }

  /** A call with this key is due. */
  expect(key: string, title: string): void {
    this.#expected.set(key, title);
  }

  /** Calls of floating IPs since a number of calls were due, whatever their numbers. */
  acceptNumbers(since: number, title: string): void {
    for (const { key } of this.calls.slice(since)) if (key.startsWith("floatingip/")) this.#expected.set(key, title);
  }

  /** Starts the service and waits until it hears everything, and has read what is there. */
  async start(): Promise<void> {
    await this.listen();
    await this.#logged(/Logged in; Nova/);
    await this.#logged(/nothing is sent for them/);
  }

  /** Starts the service and waits until its queue is bound, no longer. */
  async listen(): Promise<void> {
    this.#service = new Service(this.#dir.path());
    await this.#logged(/Listening on queue/);
  }

  /** Floating IPs that were there before the service: nobody knows how it counts their transitions. */
  primed(...floatingIps: readonly FloatingIpRef[]): void {
    for (const { id } of floatingIps) this.#primed.add(id);
  }

  /** A fact that may have been one before the service listened, or after. */
  async allow(expected: Expected, title: string): Promise<void> {
    this.#expected.set(await this.keyOf(expected), title);
  }

  /** Does one thing to the cloud, waits for what must come of it, and compares. */
  async step(step: Step): Promise<void> {
    const { title, before = [], act, unordered = false } = step;
    const { admin } = this.#options;
    this.steps++;
    progress(`  ${title}`);
    this.#titles.push({ title, from: this.#receiver.requests.length });
    for (const server of before) this.#earlier.set(server.id, (await askTruth(admin, server))!);
    const expected = await act();
    const keys: string[] = [];
    for (const one of expected) {
      keys.push(await this.keyOf(one));
      this.#expected.set(keys.at(-1)!, title);
    }
    this.events += keys.length;
    if (!await this.#arrive(keys, title)) return;
    if (!unordered) this.#checkOrder(keys, title);
    for (const [index, one] of expected.entries()) {
      const key = keys[index]!;
      const truth = { earlier: this.#earlier.get(one.server.id) ?? null, now: await askTruth(admin, one.server) };
      const { path, detail } = this.#request(key)! as Received & { readonly detail: Detail };
      const isBeginning = one.kind === "came" || one.kind === "began";
      if (path !== (isBeginning ? "/created" : "/deleted")) this.problems.push(`${title}: ${key} was sent to ${path}`);
      this.judge.hold({ ...one, key, detail }, { step, truth });
    }
  }

  /** Stops the service; what should never have come has had its chance. */
  async conclude(): Promise<void> {
    const isIdle = async () => await this.#depth() === 0 && this.#count("notification WHERE outcome IS NULL") === 0;
    await until(isIdle, LONG_MS).catch((error) => this.problems.push(`Messages are left over: ${error.message}`));
    await this.stop();
    const arrived = Map.groupBy(this.#receiver.requests, ({ key }) => key);
    for (const [key, requests] of arrived) {
      if (requests.length > 1 && !this.#repeatable.has(key)) this.problems.push(`${key} came ${requests.length} times`);
      if (!this.#expected.has(key)) {
        const index = this.#receiver.requests.indexOf(requests[0]!);
        const during = this.#titles.findLast(({ from }) => from <= index)?.title;
        this.problems.push(`${key} came, which nothing led to; during: ${during}`);
      }
    }
    this.#checkLedger();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service?.end("SIGKILL");
    await this.#receiver[Symbol.asyncDispose]();
    this.#dir[Symbol.dispose]();
  }

  async #logged(line: RegExp): Promise<void> {
    await until(() => line.test(this.log), LONG_MS).catch((error) => {
      throw new Error(`The service does not log ${line}: ${this.log}`, { cause: error });
    });
  }

  /** The key that an event must have; each call counts as one event. */
  async keyOf({ kind, server, floatingIp }: Expected): Promise<string> {
    if (floatingIp === undefined) return `server/${server.id}/${kind === "came" ? "creation" : "deletion"}`;
    if (this.#primed.has(floatingIp.id)) return await this.#primedKey(floatingIp, kind);
    const transition = (this.#transitions.get(floatingIp.id) ?? 0) + 1;
    this.#transitions.set(floatingIp.id, transition);
    return `floatingip/${floatingIp.id}/${transition}/${kind === "began" ? "creation" : "deletion"}`;
  }

  /** The key of the first such call that nothing has led to yet. */
  async #primedKey({ id }: FloatingIpRef, kind: string): Promise<string> {
    const end = kind === "began" ? "/creation" : "/deletion";
    const isIt = ({ key }: Received) =>
      key.startsWith(`floatingip/${id}/`) && key.endsWith(end) && !this.#expected.has(key);
    const found = await until(() => this.#receiver.requests.find(isIt), LONG_MS).catch(() => null);
    return found?.key ?? `floatingip/${id}/?${end}`;
  }

  async #arrive(keys: readonly string[], title: string): Promise<boolean> {
    const missing = () => keys.filter((key) => this.#request(key) === undefined);
    try {
      await until(() => missing().length === 0, LONG_MS);
      return true;
    } catch {
      this.problems.push(`${title}: ${missing().join(", ")} did not come`);
      return false;
    }
  }

  #checkOrder(keys: readonly string[], title: string): void {
    const positions = keys.map((key) => this.#receiver.requests.indexOf(this.#request(key)!));
    const isInOrder = positions.every((position, index) => index === 0 || position > positions[index - 1]!);
    if (!isInOrder) this.problems.push(`${title}: not in the order ${keys.join(", ")}`);
  }

  /** How many messages are in the queue, those included that wait for their acknowledgement. */
  async #depth(): Promise<number> {
    const { rabbit } = this.#options;
    const lines = (await rabbit.ctl("list_queues", "name", "messages")).trim().split("\n");
    return Number(lines.map((line) => line.split("\t")).find(([name]) => name === this.queue)?.[1]);
  }

  #request(key: string): Received | undefined {
    return this.#receiver.requests.find((request) => request.key === key);
  }

  /** Everything is done, and nothing that came was refused. */
  #checkLedger(): void {
    for (const rows of ["delivery WHERE state <> 'done'", "rejection"]) {
      if (this.#count(rows) > 0) this.problems.push(`The ledger has ${this.#count(rows)} rows: ${rows}`);
    }
  }

  #count(rows: string): number {
    using database = new DatabaseSync(this.#dir.path("ledger.db"), { readOnly: true });
    return Number(database.prepare(`SELECT count(*) AS n FROM ${rows}`).get()?.["n"]);
  }

  #checkLog(): void {
    const { warnings } = this.#options;
    const isWrong = (line: string) => /WARN|ERROR|Uncaught|at file:/.test(line) && !warnings?.test(line);
    this.problems.push(...this.log.split("\n").filter(isWrong));
  }

  #config(openstack: OpenStackOptions = this.#options.openstack): string {
    return configText({ ...this.#options, openstack, port: this.#receiver.port });
  }
}
