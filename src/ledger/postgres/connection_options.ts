/** Where a ledger on PostgreSQL is, and as whom to log in. */
export interface ConnectionOptions {
  /** Tried in turn, until one is found that can be written. */
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** `null`: without TLS. With it, the server's certificate is verified. */
  readonly tls: Tls | null;
  readonly schema: string;
  /** How PostgreSQL's views name us. */
  readonly application: string;
}

/** PEM texts. */
export interface Tls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}
