// One of the processes of a trial, which is started again and again in one directory, and its connections.
import { join } from "node:path";
import { Service } from "../../tools/service.ts";
import { sendSignal } from "../../tools/daemon.ts";
import { TcpGate } from "../../src/testing/tcp_gate.ts";

export interface MemberOptions {
  readonly dir: string;
  readonly rabbitUrl: string;
  /** `null`: the ledger is a file. */
  readonly postgresUrl: string | null;
  /** Of the receivers. */
  readonly targetPorts: readonly number[];
  /** Whether all connections go through gates, by which they can be cut. */
  readonly gated: boolean;
  /** A run ended, in whatever way; `isExpected`: it was told to. */
  readonly onEnd: (end: RunEnd) => void;
}

/** How a run of a member ended. */
export interface RunEnd {
  readonly member: Member;
  readonly run: number;
  readonly startedAt: number;
  readonly log: string;
  readonly code: number;
  /** Whether it was told to. */
  readonly isExpected: boolean;
}

/** The connections of a member that can be cut. */
export type Link = "postgres" | "rabbit" | "targets";

export class Member implements AsyncDisposable {
  /** The number of the run that is there, or was last; 0: none. */
  run = 0;
  readonly #options: MemberOptions;
  readonly #gates: Readonly<Record<Link, readonly TcpGate[]>>;
  readonly #env: Readonly<Record<string, string>>;
  #service: Service | null = null;
  #ended: Promise<RunEnd | null> = Promise.resolve(null);

  constructor(options: MemberOptions) {
    this.#options = options;
    const { dir, rabbitUrl, postgresUrl, targetPorts, gated } = options;
    Deno.mkdirSync(dir, { recursive: true });
    const gates: Record<Link, TcpGate[]> = { postgres: [], rabbit: [], targets: [] };
    const through = (link: Link, port: number) => {
      if (!gated) return port;
      const gate = new TcpGate({ hostname: "127.0.0.1", port });
      gates[link].push(gate);
      return gate.port;
    };
    const ofUrl = (link: Link, url: string) => {
      const changed = new URL(url);
      changed.port = String(through(link, Number(changed.port)));
      return changed.href;
    };
    this.#env = {
      RABBIT_URL: ofUrl("rabbit", rabbitUrl),
      ...postgresUrl === null ? {} : { LEDGER_URL: ofUrl("postgres", postgresUrl) },
      ...Object.fromEntries(targetPorts.map((port, index) => [targetPort(index), String(through("targets", port))])),
    };
    this.#gates = gates;
  }

  get isRunning(): boolean {
    return this.#service !== null;
  }

  /** What the running process has logged. */
  get log(): string {
    return this.#service?.log ?? "";
  }

  /** Starts a process; does not wait for anything. */
  launch(run: number): void {
    const service = new Service(this.#options.dir, [], { ...this.#env, RUN: `run-${run}` });
    const startedAt = Date.now();
    this.run = run;
    this.#service = service;
    this.#ended = service.status.then(async ({ code }) => {
      const isExpected = this.#service !== service;
      if (!isExpected) this.#service = null;
      // Its last words come.
      await service.end("SIGKILL");
      const end = { member: this, run, startedAt, log: service.log, code, isExpected };
      this.#options.onEnd(end);
      return end;
    });
  }

  /** Ends the process. `null`: none was there. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<RunEnd | null> {
    const [service, ended] = [this.#service, this.#ended];
    if (service === null) return null;
    this.#service = null;
    await service.end(signal);
    return await ended;
  }

  /** Stops the process where it is. Returns what lets it go on. */
  freeze(): () => void {
    const service = this.#service;
    if (service === null) return () => {};
    let hasEnded = false;
    service.status.then(() => hasEnded = true);
    sendSignal(service.pid, "SIGSTOP");
    return () => {
      if (!hasEnded) sendSignal(service.pid, "SIGCONT");
    };
  }

  /** Holds back all that goes over some connections, also their ends, or lets it through again. */
  cut(link: Link, isCut: boolean): void {
    for (const gate of this.#gates[link]) gate.set(isCut ? "stalls" : "passes");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
    for (const gate of Object.values(this.#gates).flat()) await gate[Symbol.asyncDispose]();
  }

  get configFile(): string {
    return join(this.#options.dir, "config.ts");
  }
}

/** The variable with the port of a receiver. */
export function targetPort(index: number): string {
  return `TARGET_${index}_PORT`;
}
