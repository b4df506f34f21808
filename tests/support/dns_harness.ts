import { type Behaviour, type GateMode, type TargetHarness, TcpGate } from "oss-watcher/testing";
import { AnsweringServer, answerTo } from "./dns_answers.ts";
import type { DnsServer } from "./dns_server.ts";
import type { TestedServer } from "./dns_way.ts";
import { until } from "./until.ts";

/** What is there of a server: records as `name type data`, sorted. */
export interface ServerRecords {
  readonly server: string;
  readonly records: readonly string[];
}

/** What a server says to every message: SERVFAIL, NOTIMP, FORMERR. */
const CODES: Readonly<Partial<Record<Behaviour, number>>> = { busy: 2, fails: 4, refuses: 1 };

/** A real name server behind a gate; one at a time. */
export class DnsHarness implements TargetHarness<ServerRecords> {
  readonly #server: DnsServer;
  readonly #proxy: AnsweringServer;
  readonly #gate: TcpGate;
  #behaviour: Behaviour = "accepts";

  private constructor(server: DnsServer) {
    this.#server = server;
    const codeOf = () => CODES[this.#behaviour];
    this.#proxy = new AnsweringServer(
      (request) => answerTo(request, codeOf() ?? 0),
      () => codeOf() === undefined ? server.port : null,
    );
    this.#gate = new TcpGate({ hostname: "127.0.0.1", port: this.#proxy.port });
  }

  static async open(server: DnsServer): Promise<DnsHarness> {
    await server.clear();
    return new DnsHarness(server);
  }

  get server(): string {
    return `127.0.0.1:${this.#gate.port}`;
  }

  async behave(behaviour: Behaviour): Promise<void> {
    const before = this.#behaviour;
    this.#behaviour = behaviour;
    if (before === behaviour) return;
    if (before === "unauthorized") await this.#server.setKnown(true);
    if (behaviour === "unauthorized") await this.#server.setKnown(false);
    const mode = behaviour === "down" || behaviour === "breaks" || behaviour === "hangs" ? behaviour : "passes";
    await until(() => this.#isSet(mode));
  }

  reached(): Promise<void> {
    return this.#gate.reached();
  }

  async taken(): Promise<readonly ServerRecords[]> {
    return takenFrom(await this.#server.records());
  }

  async addForeign(): Promise<void> {
    await addForeignNames(this.#server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.behave("accepts");
    await this.#gate[Symbol.asyncDispose]();
    await this.#proxy[Symbol.asyncDispose]();
  }

  /** A port that was shut a moment ago may not be free yet. */
  #isSet(mode: GateMode): boolean {
    try {
      this.#gate.set(mode);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) return false;
      throw error;
    }
  }
}

/** The records of each server, by the owners' records beside them. */
export function takenFrom(records: readonly string[]): readonly ServerRecords[] {
  const serverOf = new Map(records.flatMap((line) => {
    const [, name = "", server = ""] =
      /^_oss-watcher\.(\S+) TXT "heritage=oss-watcher" "owner=oss-watcher" "server=([^"]*)"/.exec(line) ?? [];
    return name === "" ? [] : [[name, server] as const];
  }));
  const byServer = Object.groupBy(
    records,
    (line) => serverOf.get(line.split(" ")[0]!.replace(/^_oss-watcher\./, "")) ?? "",
  );
  return Object.entries(byServer).filter(([server]) => server !== "").map(([server, records = []]) => ({
    server,
    records,
  }));
}

/** Puts in records by hand, and of another installation. */
export async function addForeignNames(server: Pick<TestedServer, "nsupdate">): Promise<void> {
  const text = `"heritage=oss-watcher" "owner=another" "server=1" "fixed=10.9.9.9"`;
  await server.nsupdate([
    "zone cloud.example.com",
    "update add by-hand.cloud.example.com. 60 A 10.9.9.8",
    "update add another.cloud.example.com. 60 A 10.9.9.9",
    `update add _oss-watcher.another.cloud.example.com. 60 TXT ${text}`,
    `update add _oss-watcher.odd.cloud.example.com. 60 TXT "v=spf1"`,
  ]);
}
