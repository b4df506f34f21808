import type { Detail, Json, Subject } from "../mod.ts";
import type { DnsZoneUpdate } from "../src/kit/mod.ts";
import { type DnsContent, serverIdOf } from "./dns_content.ts";
import { addressesOf, type DnsFacts } from "./dns_facts.ts";
import type { DnsHolder, DnsOwnRecords } from "./dns_own_records.ts";
import { inNoZone } from "./dns_refusals.ts";
import type { DnsZones } from "./dns_zones.ts";

/** What is, or is to be, written of a server. */
interface State {
  readonly server: string;
  /** `null`: nothing. */
  readonly name: string | null;
  readonly facts: DnsFacts;
}

/** Options of {@linkcode DnsPreview}. */
export interface DnsPreviewOptions {
  readonly content: DnsContent;
  readonly own: DnsOwnRecords;
  readonly zones: DnsZones;
  /** The reverse name of an address that gets a PTR record. */
  readonly reverseOf: (address: string) => string | null;
}

/** The updates of events, for zones that are as the last delivery left them. */
export class DnsPreview {
  readonly #options: DnsPreviewOptions;

  constructor(options: DnsPreviewOptions) {
    this.#options = options;
  }

  /**
   * The updates of a creation, a deletion, an association or its end.
   *
   * @throws {PermanentError} when they would fail for good.
   */
  ofEvent(detail: Detail, created: boolean, subject: Subject): Json {
    const { content } = this.#options;
    if (subject === "floatingip" && !detail.ID) return this.#options.zones.shown([]);
    const server = serverIdOf(detail);
    const name = created ? content.nameOf(detail) : content.formerNameOf(detail);
    const facts = created ? content.factsOf(detail) : content.formerFactsOf(detail);
    const changed = subject === "floatingip" ? this.#floatingFactsOf(detail, created) : facts;
    if (subject === "floatingip" && changed.length === 0) return this.#options.zones.shown([]);
    const without = { server, name, facts: facts.filter((fact) => !changed.includes(fact)) };
    const whole = { server, name, facts: [...new Set([...facts, ...changed])] };
    // An association leaves the PTR records of other addresses as they are.
    const only = subject === "floatingip" ? changed : undefined;
    return created ? this.#between(without, whole, only) : this.#between(whole, without, only);
  }

  /**
   * The updates of an update.
   *
   * @throws {PermanentError} when they would fail for good.
   */
  ofUpdate(detail: Detail, before: Detail): Json {
    const { content } = this.#options;
    const server = serverIdOf(detail);
    const former = { server, name: content.formerNameOf(before), facts: content.formerFactsOf(before) };
    return this.#between(former, { server, name: content.nameOf(detail), facts: content.factsOf(detail) });
  }

  /** The end of an association finds what would have been written. */
  #floatingFactsOf(detail: Detail, created: boolean): DnsFacts {
    const { content } = this.#options;
    const facts = content.floatingFactsOf(detail, created);
    if (created || detail.IP === null) return facts;
    const FloatingIPs = [{ id: "", address: detail.IP, fixedAddress: null }];
    const written = content.formerFactsOf({ ...detail, Addresses: [], FloatingIPs });
    return facts.filter((fact) => written.includes(fact));
  }

  /** The updates that lead from one state to another. */
  #between(before: State, after: State, only?: DnsFacts): Json {
    const [former, wanted] = [this.#namesOf(before, only), this.#namesOf(after, only)];
    const updates = [...new Set([...wanted.keys(), ...former.keys()])].flatMap((name) => {
      const [held, facts] = [former.get(name) ?? [], wanted.get(name) ?? []];
      return held.length + facts.length === 0 ? [] : this.#update(name, { server: after.server, held, facts });
    });
    return this.#options.zones.shown(updates);
  }

  /** The facts of each name of a server. */
  #namesOf({ name, facts }: State, only: DnsFacts = facts): ReadonlyMap<string, DnsFacts> {
    if (name === null) return new Map();
    const reverse = addressesOf(facts.filter((fact) => only.includes(fact))).flatMap((address) =>
      this.#options.reverseOf(address) ?? []
    );
    return new Map([[name, facts], ...reverse.map((one) => [one, [`name=${name}`]] as const)]);
  }

  #update(
    name: string,
    { server, held, facts }: { readonly server: string; readonly held: DnsFacts; readonly facts: DnsFacts },
  ): DnsZoneUpdate[] {
    const { own, zones } = this.#options;
    const zone = zones.known(name);
    if (zone === null && facts.length === 0) return [];
    if (zone === null) throw inNoZone(name);
    const text = own.textOf(name, server, held);
    const holder: DnsHolder = held.length === 0 ? { state: "free" } : { state: "ours", server, facts: held, text };
    return [own.updateOf({ name, zone: zone ?? "" }, { server, facts, holder })];
  }
}
