import type { OpenStackOptions } from "oss-watcher";
import { type Behaviour, type TargetHarness, TcpGate } from "oss-watcher/testing";
import { addForeignNames, type ServerRecords, takenFrom } from "./dns_harness.ts";
import type { DesignateServer } from "./designate_server.ts";
import type { ProxiedAnswer, ProxiedRequest } from "./http_proxy.ts";

/** What a web server before Designate answers, or Designate to what it will never take. */
const STATUSES: Readonly<Partial<Record<Behaviour, number>>> = { busy: 503, fails: 500, refuses: 400 };

/** A real Designate with its Keystone, behind a web server that can be told how to behave; one at a time. */
export class DesignateHarness implements TargetHarness<ServerRecords> {
  readonly #server: DesignateServer;
  readonly #gate: TcpGate;
  readonly #whole: DesignateServer["handle"];
  #behaviour: Behaviour = "accepts";

  private constructor(server: DesignateServer) {
    this.#server = server;
    this.#whole = server.handle;
    this.#gate = new TcpGate({ hostname: "127.0.0.1", port: server.frontPort });
    server.handle = (request) => this.#answer(request);
  }

  static async open(server: DesignateServer): Promise<DesignateHarness> {
    await server.clear();
    const harness = new DesignateHarness(server);
    await harness.#lead(harness.#gate.port);
    return harness;
  }

  get openstack(): OpenStackOptions {
    return this.#server.login(this.#gate.port);
  }

  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
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
    this.#server.handle = this.#whole;
    await this.#gate[Symbol.asyncDispose]();
    await this.#lead(this.#server.frontPort);
  }

  /** Where the catalogue leads those who use the front. */
  async #lead(port: number): Promise<void> {
    await this.#server.designate.setRegion("front", `http://127.0.0.1:${port}`);
  }

  async #answer(request: ProxiedRequest): Promise<ProxiedAnswer | null> {
    const status = STATUSES[this.#behaviour];
    const isLogin = request.path.startsWith("/v3");
    // It quotes the request with its credentials, so that a careless error text would show them.
    if (status !== undefined && !(status === 400 && (isLogin || request.method === "GET"))) {
      return { status, body: JSON.stringify({ code: status, type: "bad_request", message: JSON.stringify(request) }) };
    }
    if (this.#behaviour !== "unauthorized") return await this.#whole(request);
    // A refused login is not repeated for a minute, so as to lock no account: here the token is refused.
    return await this.#whole({ ...request, headers: { ...request.headers, "x-auth-token": "unknown" } });
  }
}
