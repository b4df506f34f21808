import type { PostgresAddress } from "../../model/postgres_address.ts";

/** Where a ledger on PostgreSQL is, and how to log in. */
export interface ConnectionOptions extends Omit<PostgresAddress, "usesTls"> {
  /** `null`: without TLS. With it, the server's certificate is verified. */
  readonly tls: Tls | null;
  /** How PostgreSQL's views name us. */
  readonly application: string;
}

/** PEM texts. */
export interface Tls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}
