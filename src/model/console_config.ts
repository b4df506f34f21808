/** The certificate with which the console serves HTTPS. Renewed files are taken within a minute. */
export interface ConsoleTls {
  /** PEM file of the certificate, with its chain, relative to config.ts. */
  readonly certFile: string;
  /** PEM file of the key of `certFile`, relative to config.ts. */
  readonly keyFile: string;
}

/** A reverse proxy that signs operators in and tells who they are. */
export interface TrustedProxy {
  /**
   * The addresses that the proxy's requests come from, as `10.0.0.7` or `10.0.0.0/24`. Requests from
   * elsewhere are refused: anybody could write the headers.
   */
  readonly addresses: readonly string[];
  /** The header with the user's name; the proxy must overwrite it. @default "X-Forwarded-User" */
  readonly userHeader?: string;
  /**
   * The header with the user's groups, separated by commas; the proxy must overwrite it.
   *
   * @default "X-Forwarded-Groups"
   */
  readonly groupsHeader?: string;
}

/** The groups of the proxy's users, by their roles. A user in none of them is refused. */
export interface ConsoleGroups {
  /** They replay, drop, pause, compare and apply. @default none */
  readonly operator?: readonly string[];
  /** They look. @default none */
  readonly viewer?: readonly string[];
}

/**
 * The console, pages for operators. `oss-watcher console` prints a link that signs in. It listens on
 * the loopback address by default; beyond it, it needs `tls` or `trustedProxy`.
 */
export interface ConsoleOptions {
  /** The address to listen on. @default "127.0.0.1" */
  readonly host?: string;
  /** 0: any free port, which is logged. @default 17673 */
  readonly port?: number;
  /**
   * The address that operators' browsers use, as `https://console.example.com`: for links, and as
   * an allowed name. @default host and port
   */
  readonly url?: string;
  /**
   * Further names, without ports, by which browsers may address the console. Requests with other
   * names are refused: a foreign page could be behind them.
   *
   * @default the host, the host of `url`, and the names of the loopback address
   */
  readonly allowedHosts?: readonly string[];
  /** Serve HTTPS. @default HTTP */
  readonly tls?: ConsoleTls;
  /** Operators are signed in by a proxy, instead of by links. @default they use links */
  readonly trustedProxy?: TrustedProxy;
  /** The roles of the proxy's users. */
  readonly groups?: ConsoleGroups;
  /** How long a session lasts, from 0.1 to 720. @default 12 */
  readonly sessionHours?: number;
}

/** Beside the port of the metrics. */
export const DEFAULT_CONSOLE = { host: "127.0.0.1", port: 17673, sessionHours: 12 } as const;
