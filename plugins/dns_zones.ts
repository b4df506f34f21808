import type { Detail, Json } from "../mod.ts";
import type { DnsRecord, DnsZoneUpdate } from "../src/kit/mod.ts";

/** A name and its zone. */
export interface DnsPlace {
  /** In lower case, without a final dot. */
  readonly name: string;
  /** The zone that the name is in, likewise. */
  readonly zone: string;
}

/**
 * The zones that a plugin may write, and the way to the server that has them. What is written, and
 * whose it is, decides {@linkcode DnsPlugin}.
 */
export interface DnsZones extends Partial<AsyncDisposable> {
  /** The zone of a name by the options. `null`: none. `undefined`: only the server knows it. */
  known(name: string): string | null | undefined;
  /** The zone of a name. `null`: none that may be written. */
  zoneOf(name: string, signal: AbortSignal): Promise<string | null>;
  /** The TXT records of a name, wildcards left out if possible. `null`: it is below a delegation. */
  texts(place: DnsPlace, signal: AbortSignal): Promise<readonly DnsRecord[] | null>;
  /**
   * Changes the records of one name and of its owner. `false`: a prerequisite does not hold, and
   * nothing was changed.
   */
  update(update: DnsZoneUpdate, signal: AbortSignal): Promise<boolean>;
  /** The records of all zones: A, AAAA, PTR and TXT. Throws if one cannot be read whole. */
  records(signal: AbortSignal): AsyncIterable<DnsRecord>;
  /** Rejects when the server cannot be reached, refuses us, or lacks a zone. */
  check(signal: AbortSignal): Promise<void>;
  /** What updates would send, for previews. The zone is `""` where only the server knows it. */
  shown(updates: readonly DnsZoneUpdate[]): Json;
  /** The zones in which names of this server may be. @default these, for every server */
  forServer?(detail: Detail): DnsZones;
}
