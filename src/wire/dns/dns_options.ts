import { bracketedHost } from "../../model/bracketed_host.ts";
import type { OptionRules } from "../options/option_rules.ts";
import { allOptionProblems, optional, required } from "../options/option_rules.ts";
import { isOneOf, TIMEOUT } from "../options/option_values.ts";
import { encodeName } from "./dns_name.ts";
import type { TsigKey } from "./dns_tsig.ts";

/** Name servers, and the key with which messages to them and their answers are signed. */
export interface DnsTargetOptions {
  /**
   * A primary of the zones: its name or address, with or without a port, as `ns1.example.com`,
   * `192.0.2.1:5353`, `[2001:db8::1]:53`. Several servers of the same zones are tried in turn.
   */
  readonly server: string | readonly string[];
  /** The key's name, as the servers know it. */
  readonly keyName: string;
  /** The key's secret in base64, as `tsig-keygen` prints it. */
  readonly keySecret: string;
  /** How messages are signed. @default "hmac-sha256" */
  readonly keyAlgorithm?: "hmac-sha256" | "hmac-sha512";
  /** For one message to one server. More than 0, at most 3600. @default 5 */
  readonly timeoutSeconds?: number;
}

/** Where a server listens. */
export interface DnsServer {
  readonly hostname: string;
  readonly port: number;
}

const RULES: OptionRules<DnsTargetOptions> = {
  server: required(isServers, "must be a server's name or address, with or without a port, or a list of them"),
  keyName: required(isName, "must be the name of a key, as oss-watcher"),
  keySecret: required(isSecret, "must be the secret of a key, in base64"),
  keyAlgorithm: optional(isOneOf("hmac-sha256", "hmac-sha512"), `must be "hmac-sha256" or "hmac-sha512"`),
  timeoutSeconds: TIMEOUT,
};

/**
 * What is wrong with these options, `option: what is allowed` each, never with a value. Empty:
 * nothing.
 */
export function dnsOptionProblems(options: DnsTargetOptions): string[] {
  return allOptionProblems(options, RULES);
}

/** The servers, in the order given. */
export function serversOf({ server }: DnsTargetOptions): readonly DnsServer[] {
  return [server].flat().flatMap((one) => serverOf(one) ?? []);
}

/** The key that signs. */
export function keyOf({ keyName, keySecret, keyAlgorithm = "hmac-sha256" }: DnsTargetOptions): TsigKey {
  return { name: keyName, algorithm: keyAlgorithm, secret: Uint8Array.fromBase64(keySecret) };
}

/** A server in texts: `host:port`. */
export function serverText({ hostname, port }: DnsServer): string {
  return `${bracketedHost(hostname)}:${port}`;
}

function serverOf(text: string): DnsServer | null {
  const bare = /^[\da-f]*:[\da-f:.]*:[\da-f:.]*$/i.test(text) ? text : undefined;
  const [, inner, host, port = "53"] = /^(?:\[([\da-f:.]+)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const hostname = bare ?? inner ?? host;
  const number = Number(bare === undefined ? port : 53);
  return hostname === undefined || number < 1 || number > 65535 ? null : { hostname, port: number };
}

function isServers(value: unknown): boolean {
  const all = Array.isArray(value) ? value : [value];
  return all.length > 0 && all.every((one) => typeof one === "string" && serverOf(one) !== null);
}

function isName(value: unknown): boolean {
  return typeof value === "string" && /^[\w.-]+$/.test(value) && doesNotThrow(() => encodeName(value));
}

function isSecret(value: unknown): boolean {
  return typeof value === "string" && doesNotThrow(() => Uint8Array.fromBase64(value)) &&
    Uint8Array.fromBase64(value).length > 0;
}

function doesNotThrow(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}
