import { DeliveryError, type Json, PermanentError } from "../mod.ts";
import { dnsAbsoluteName, dnsPlainName, type HttpAnswer, HttpTarget, type HttpTargetOptions } from "../src/kit/mod.ts";
import { printable } from "../src/kit/mod.ts";
import type { DnsRrsetChange, DnsRrsetStore } from "./dns_rrset_updates.ts";
import type { DnsRrset, DnsRrsetRow } from "./dns_rrsets.ts";
import type { PowerDnsOptions } from "./powerdns_options.ts";

/** A zone of 100,000 records takes some 20 MiB. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** Names of IPv6 addresses are below some 20 others. */
const AT_ONCE = 8;

/** The HTTP API of the PowerDNS Authoritative Server. */
export class PowerDnsApi implements DnsRrsetStore, AsyncDisposable {
  readonly #base: string;
  readonly #target: HttpTarget;

  /** Does no I/O. */
  constructor({ url, apiKey }: Pick<PowerDnsOptions, "url" | "apiKey">, http: HttpTargetOptions) {
    this.#base = `${url.replace(/\/+$/, "")}/api/v1/servers/localhost/zones`;
    const headers = { ...http.headers, "X-API-Key": apiKey };
    this.#target = new HttpTarget({ ...http, headers, maxAnswerBytes: MAX_ANSWER_BYTES });
  }

  async read(zone: string, names: readonly string[], signal: AbortSignal): Promise<readonly DnsRrset[]> {
    const all: DnsRrset[] = [];
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const part = names.slice(at, at + AT_ONCE).map((name) => this.#setsOf(zone, name, signal));
      all.push(...(await Promise.all(part)).flat());
    }
    return all;
  }

  /** All sets of a zone. */
  async readAll(zone: string, signal: AbortSignal): Promise<readonly DnsRrset[]> {
    return await this.#sets(zone, "", signal);
  }

  /** All of them are written, or none. */
  async write({ zone, sets }: DnsRrsetChange, signal: AbortSignal): Promise<boolean> {
    await this.#request({ method: "PATCH", zone, body: { rrsets: sets.map(rrsetOf) } }, signal);
    return true;
  }

  /** As `Native`, `Master` or `Slave`. */
  async kindOf(zone: string, signal: AbortSignal): Promise<string> {
    const { kind } = await this.#zone(zone, "?rrsets=false", signal);
    return typeof kind === "string" ? printable(kind, 20) : "a zone of no kind";
  }

  /** The request that {@linkcode PowerDnsApi.write} would send. */
  shown(zone: string, sets: readonly DnsRrset[]): Json {
    return { method: "PATCH", url: this.#urlOf(zone), body: { rrsets: sets.map(rrsetOf) } };
  }

  /** Closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  async #setsOf(zone: string, name: string, signal: AbortSignal): Promise<readonly DnsRrset[]> {
    const sets = await this.#sets(zone, `?rrset_name=${encodeURIComponent(dnsAbsoluteName(name))}`, signal);
    // Earlier releases do not know this filter.
    return sets.filter((set) => set.name === dnsPlainName(name));
  }

  async #sets(zone: string, query: string, signal: AbortSignal): Promise<readonly DnsRrset[]> {
    const { rrsets } = await this.#zone(zone, query, signal);
    const sets = Array.isArray(rrsets) ? rrsets.map(setOf) : [];
    if (Array.isArray(rrsets) && !sets.includes(null)) return sets as readonly DnsRrset[];
    throw oddAnswer(zone);
  }

  async #zone(zone: string, query: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const { text, complete } = await this.#request({ method: "GET", zone, query }, signal);
    const answer = complete ? parsed(text) : undefined;
    if (typeof answer !== "object" || answer === null) throw oddAnswer(zone);
    return answer as Readonly<Record<string, unknown>>;
  }

  async #request(
    { method, zone, query = "", body }: {
      readonly method: string;
      readonly zone: string;
      readonly query?: string;
      readonly body?: Json;
    },
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    try {
      return await this.#target.request({
        method,
        url: `${this.#urlOf(zone)}${query}`,
        headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal,
      });
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      const { status, message } = error;
      // 422: no name server would have it, as a CNAME beside other records.
      if (status === 422 || (status === 400 && method !== "GET")) throw new PermanentError(message, { cause: error });
      if (status !== 404) throw error;
      const advice = `set zones to zones that PowerDNS has, and url to its webserver`;
      throw new DeliveryError(`${message}; ${advice}`, { reason: "client_error", status, cause: error });
    }
  }

  #urlOf(zone: string): string {
    const id = dnsAbsoluteName(zone).replace(/[^\w.-]/g, (char) => `=${char.charCodeAt(0).toString(16).toUpperCase()}`);
    return `${this.#base}/${id}`;
  }
}

function rrsetOf({ name, type, ttl, rows }: DnsRrset): { readonly [key: string]: Json } {
  const set = { name: dnsAbsoluteName(name), type };
  if (rows.length === 0) return { ...set, changetype: "DELETE" };
  return { ...set, changetype: "REPLACE", ttl, records: rows.map((row) => ({ disabled: false, ...row })) };
}

function setOf(value: unknown): DnsRrset | null {
  const { name, type, ttl, records } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || typeof type !== "string" || !Array.isArray(records)) return null;
  if (!records.every((row) => typeof row?.content === "string")) return null;
  const rows = records.map(({ content, disabled }): DnsRrsetRow =>
    disabled === true ? { content, disabled } : { content }
  );
  return { name: dnsPlainName(name), type, ttl: Number(ttl) || 0, rows };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function oddAnswer(zone: string): DeliveryError {
  const text = `Cannot read the zone "${zone}" of PowerDNS: the answer is not that of its API. Check url`;
  return new DeliveryError(text, { reason: "other" });
}
