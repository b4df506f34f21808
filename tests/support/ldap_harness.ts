import { type Behaviour, type GateMode, type TargetHarness, TcpGate } from "oss-watcher/testing";
import { type Attributes, type LdapServer, SERVERS, WATCHER } from "./ldap_server.ts";
import { until } from "./until.ts";

/** A real directory behind a gate; one at a time. */
export class LdapHarness implements TargetHarness<Attributes> {
  readonly #server: LdapServer;
  readonly #gate: TcpGate;
  #behaviour: Behaviour = "accepts";

  private constructor(server: LdapServer) {
    this.#server = server;
    this.#gate = new TcpGate({ hostname: "127.0.0.1", port: server.port });
  }

  static async open(server: LdapServer): Promise<LdapHarness> {
    await server.clear();
    return new LdapHarness(server);
  }

  get url(): string {
    return `ldap://127.0.0.1:${this.#gate.port}`;
  }

  async behave(behaviour: Behaviour): Promise<void> {
    const before = this.#behaviour;
    this.#behaviour = behaviour;
    if (before === behaviour) return;
    if (before === "unauthorized") await this.#setPassword(WATCHER.password);
    if (behaviour === "unauthorized") await this.#setPassword("another");
    const mode = behaviour === "down" || behaviour === "breaks" || behaviour === "hangs" ? behaviour : "passes";
    await until(() => this.#isSet(mode));
  }

  reached(): Promise<void> {
    return this.#gate.reached();
  }

  async taken(): Promise<readonly Attributes[]> {
    const entries = await this.#server.entries(SERVERS, "(description=oss-watcher)");
    return Object.values(entries);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.behave("accepts");
    await this.#gate[Symbol.asyncDispose]();
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

  /** Old connections stay bound: the gate is what ends them. */
  async #setPassword(password: string): Promise<void> {
    await this.#server.ldif(
      `dn: ${WATCHER.bindDn}\nchangetype: modify\nreplace: userPassword\nuserPassword: ${password}`,
    );
    this.#gate.set("down");
  }
}
