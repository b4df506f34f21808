import type { DeliveredEvent, Detail, ListedResource } from "../mod.ts";
import { type KeptValues, type LdapContent, type LdapEntry, LdapOwnListing } from "../src/kit/mod.ts";
import type { LdapOwnListingOptions, LdapTarget, LdapWritten } from "../src/kit/mod.ts";

/** Options of {@linkcode ServerListing}. */
export interface ServerListingOptions extends LdapOwnListingOptions {
  /** The entry that the creation of a server writes. */
  readonly entry: (detail: Detail) => LdapEntry;
  /** The values that an association adds; `null`: it is no server's. */
  readonly floating: (detail: Detail) => LdapContent | null;
  /** The values that a repeated creation leaves in an entry. */
  readonly kept: KeptValues;
}

/** The entries of servers in a directory, as they are and as deliveries have made them. */
export class ServerListing {
  readonly #options: ServerListingOptions;
  readonly #entries: LdapOwnListing;

  /** Does no I/O. */
  constructor(target: LdapTarget, options: ServerListingOptions) {
    this.#options = options;
    this.#entries = new LdapOwnListing(target, options);
  }

  /** The entries that are there, by the server's UUID. */
  async *list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
    for await (const entry of this.#entries.list(signal)) yield { subject: "server", ...entry };
  }

  /** The entry of a server after these deliveries. */
  async expected(delivered: readonly DeliveredEvent[]): Promise<ListedResource[]> {
    const id = delivered[0]?.detail.ID ?? "";
    const fingerprint = await this.#entries.fingerprintOf(delivered.map((event) => this.#written(event)));
    return fingerprint === null ? [] : [{ subject: "server", id, fingerprint }];
  }

  #written({ detail, subject, created }: DeliveredEvent): LdapWritten {
    const { entry, floating, kept } = this.#options;
    if (subject === "floatingip") return { operation: created ? "add" : "delete", values: floating(detail) ?? [] };
    return created ? { put: entry(detail), kept } : { operation: "remove" };
  }
}
