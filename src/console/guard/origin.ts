import { bareHost } from "../../model/bracketed_host.ts";
import type { ConsoleOptions } from "../../model/console_config.ts";
import { isLoopback } from "../../wire/addresses/loopback.ts";

/** The names by which browsers may address the console. */
export class AllowedHosts {
  readonly #names: ReadonlySet<string>;
  readonly #url: URL | null;

  constructor({ host, url, allowedHosts = [] }: ConsoleOptions & { readonly host: string }) {
    this.#url = url === undefined ? null : new URL(url);
    this.#names = new Set([host, ...allowedHosts, ...this.#url === null ? [] : [this.#url.hostname]].map(nameOf));
  }

  /**
   * Whether a request means us: a foreign page whose name leads to our address (DNS rebinding) has
   * another host. Ports do not matter: tunnels change them.
   */
  allows(host: string | null): boolean {
    if (host === null || !URL.canParse(`http://${host}/`)) return false;
    const { hostname, username, pathname } = new URL(`http://${host}/`);
    return username === "" && pathname === "/" && (isLoopback(hostname) || this.#names.has(nameOf(hostname)));
  }

  /** Whether a page of ours sends the request: its origin is what the request is sent to. */
  isOwnOrigin(origin: string, host: string): boolean {
    if (!URL.canParse(origin)) return false;
    const found = new URL(origin);
    const isOurs = found.host === new URL(`${found.protocol}//${host}/`).host;
    return isOurs || (this.#url !== null && found.origin === this.#url.origin);
  }
}

/** IPv6 addresses come with brackets and without. */
function nameOf(host: string): string {
  return bareHost(host.toLowerCase()).replace(/\.$/, "");
}
