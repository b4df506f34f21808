import type { DnsFacts } from "./dns_facts.ts";

/** What is to be left of a server's records. */
export interface DnsServerChange {
  readonly server: string;
  readonly name: string;
  /** What is to be written under the name, by what is there. */
  readonly change: (held: DnsFacts) => DnsFacts;
  /** What the server had, whatever is written there. */
  readonly former: DnsFacts;
  /** The addresses whose PTR records are written. @default all */
  readonly reverse?: DnsFacts;
  /** The name that the server loses. @default none */
  readonly leaves?: string;
}

/** What is to be removed of a server's records. */
export interface DnsServerRemoval {
  readonly server: string;
  /** `null`: there is nothing under its name. */
  readonly name: string | null;
  /** What the server had: its addresses' PTR records go, too. */
  readonly former: DnsFacts;
  /** What stays under the name, by what is there. @default nothing */
  readonly change?: (held: DnsFacts) => DnsFacts;
  /** What the server has by its new name: it stays. @default nothing */
  readonly stay?: DnsServerWritten;
}

/** What was written. */
export interface DnsServerWritten {
  /** The server's name, which may be the one with a suffix. */
  readonly name: string;
  readonly facts: DnsFacts;
}
