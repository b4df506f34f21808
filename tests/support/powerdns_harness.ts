import { type Behaviour, type TargetHarness, TcpGate } from "oss-watcher/testing";
import { addForeignNames, type ServerRecords, takenFrom } from "./dns_harness.ts";
import type { PowerDnsServer } from "./dns_server.ts";
import { HttpProxy, passedOnTo, type ProxiedAnswer, type ProxiedRequest } from "./http_proxy.ts";

/** What a web server before PowerDNS answers, or PowerDNS to what it will never take. */
const STATUSES: Readonly<Partial<Record<Behaviour, number>>> = { busy: 503, fails: 500, refuses: 422 };

/** A real PowerDNS with its HTTP API, behind a web server that can be told how to behave. */
export class PowerDnsHarness implements TargetHarness<ServerRecords> {
  readonly #server: PowerDnsServer;
  readonly #front: HttpProxy;
  readonly #gate: TcpGate;
  readonly #handle: { behaviour: Behaviour };

  private constructor(server: PowerDnsServer, front: HttpProxy, handle: { behaviour: Behaviour }) {
    this.#server = server;
    this.#front = front;
    this.#handle = handle;
    this.#gate = new TcpGate({ hostname: "127.0.0.1", port: front.port });
  }

  static async open(server: PowerDnsServer): Promise<PowerDnsHarness> {
    await server.clear();
    const handle: { behaviour: Behaviour } = { behaviour: "accepts" };
    const pass = passedOnTo(`http://127.0.0.1:${server.apiPort}`);
    const front = await HttpProxy.open(async (request: ProxiedRequest): Promise<ProxiedAnswer | null> => {
      const status = STATUSES[handle.behaviour];
      // It quotes the request with its credentials, so that a careless error text would show them.
      if (status !== undefined) return { status, body: JSON.stringify({ error: JSON.stringify(request) }) };
      return await pass(
        handle.behaviour === "unauthorized" ? { ...request, headers: { "x-api-key": "unknown" } } : request,
      );
    });
    return new PowerDnsHarness(server, front, handle);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#gate.port}`;
  }

  behave(behaviour: Behaviour): void {
    this.#handle.behaviour = behaviour;
    this.#gate.set(behaviour === "down" || behaviour === "breaks" || behaviour === "hangs" ? behaviour : "passes");
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
    await this.#gate[Symbol.asyncDispose]();
    await this.#front[Symbol.asyncDispose]();
  }
}
