import { type Behaviour, type GateMode, sampleEvent, type TargetHarness, TcpGate } from "oss-watcher/testing";
import type { Subject } from "oss-watcher";
import { type Attributes, type LdapServer, SERVERS, WATCHER } from "./ldap_server.ts";
import { ANSWERING } from "./slapd.ts";
import { until } from "./until.ts";

/** What a server says to a change: busy, other (it has an error of its own), constraintViolation. */
const CODES: Readonly<Partial<Record<Behaviour, number>>> = { busy: 51, fails: 80, refuses: 19 };
const EVENT = sampleEvent().detail;
/** As many as the contract uses. */
const SAMPLES = 40;

/** A real directory behind a gate; one at a time. */
export class LdapHarness implements TargetHarness<Attributes> {
  readonly #server: LdapServer;
  readonly #gate: TcpGate;
  readonly #filter: string;
  #behaviour: Behaviour = "accepts";

  private constructor(server: LdapServer, filter: string) {
    this.#server = server;
    this.#gate = new TcpGate({ hostname: server.host, port: server.port });
    this.#filter = filter;
  }

  /**
   * @param subject What it takes in: servers, or floating IPs of servers that are there.
   * @param mark Finds our entries.
   */
  static async open(server: LdapServer, subject: Subject, mark = "description=oss-watcher"): Promise<LdapHarness> {
    await server.clear();
    await server.ldif(`dn: ${ANSWERING}\nobjectClass: organizationalUnit`);
    if (subject === "server") return new LdapHarness(server, `(${mark})`);
    await server.ldif(Array.from({ length: SAMPLES }, (_, index) => entryOf(index + 1)).join("\n"));
    return new LdapHarness(server, "(description=floating *)");
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
    const code = CODES[behaviour] ?? null;
    if (code !== null || CODES[before] !== undefined) await this.#server.answer(`serialNumber=${EVENT.ID}`, code);
    const mode = behaviour === "down" || behaviour === "breaks" || behaviour === "hangs" ? behaviour : "passes";
    await until(() => this.#isSet(mode));
  }

  reached(): Promise<void> {
    return this.#gate.reached();
  }

  async taken(): Promise<readonly Attributes[]> {
    return Object.values(await this.#server.entries(SERVERS, this.#filter));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.behave("accepts");
    await this.#gate[Symbol.asyncDispose]();
  }

  /** Entries without the mark, with another's, and with the mark but without an ID. */
  async addForeign(): Promise<void> {
    const texts = [
      "serialNumber: 1\ndescription: by hand",
      "serialNumber: 2\ndescription: oss-watcher-2",
      "description: oss-watcher",
    ];
    const entries = texts.map((text, index) => `dn: cn=foreign ${index},${SERVERS}\nobjectClass: device\n${text}`);
    await this.#server.ldif(entries.join("\n\n"));
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
    await this.#server.setPassword(password);
    this.#gate.set("down");
  }
}

function entryOf(server: number): string {
  const { ID, FQDN, IP } = sampleEvent({ server }).detail;
  const classes = ["device", "ipHost", "ieee802Device"].map((name) => `objectClass: ${name}`);
  const lines = [...classes, `cn: ${FQDN}`, "description: oss-watcher", `ipHostNumber: ${IP}`];
  return [`dn: serialNumber=${ID},${ANSWERING}`, ...lines, ""].join("\n");
}
