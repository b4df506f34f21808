import type { ConsoleOptions, TrustedProxy } from "../../model/console_config.ts";
import { isInNetwork, type Network, readNetwork } from "../../wire/addresses/network.ts";
import type { Client } from "../server_options.ts";
import type { Identity } from "./identity.ts";
import { signatureOf } from "./signing.ts";
import { PROXY_DEFAULTS } from "../../model/config_defaults.ts";

export interface ProxyUsersOptions extends Pick<ConsoleOptions, "groups"> {
  readonly trustedProxy: TrustedProxy;
  readonly secret: Uint8Array;
}

const MAX_NAME = 128;

/** Who a trusted proxy says that it is. */
export class ProxyUsers {
  readonly #options: ProxyUsersOptions;
  readonly #networks: readonly Network[];

  constructor(options: ProxyUsersOptions) {
    this.#options = options;
    this.#networks = options.trustedProxy.addresses.flatMap((address) => readNetwork(address) ?? []);
  }

  /** Whether a request comes from the proxy. */
  trusts(address: string): boolean {
    return this.#networks.some((network) => isInNetwork(address, network));
  }

  /**
   * Who asks; a text says why it is nobody. A header that is there twice was added to by somebody: the
   * proxy overwrites what clients send, or it may not be trusted.
   */
  identify(headers: Headers, { repeated }: Pick<Client, "repeated">): Identity | string {
    const {
      trustedProxy: { userHeader = PROXY_DEFAULTS.userHeader, groupsHeader = PROXY_DEFAULTS.groupsHeader },
      groups,
      secret,
    } = this.#options;
    const twice = [userHeader, groupsHeader].find((name) => repeated.has(name.toLowerCase()));
    if (twice !== undefined) return `${twice} is there twice. The proxy must overwrite it`;
    const user = headers.get(userHeader)?.trim() ?? "";
    if (user === "") return `the proxy sends no ${userHeader}`;
    if (user.length > MAX_NAME || /\p{Cc}/u.test(user)) return `the proxy's ${userHeader} is no name`;
    const own = (headers.get(groupsHeader) ?? "").split(",").map((group) => group.trim());
    const isIn = (wanted: readonly string[] = []) => wanted.some((group) => own.includes(group));
    const role = isIn(groups?.operator) ? "operator" : isIn(groups?.viewer) ? "viewer" : null;
    if (role === null) return "the user is in no group of console.groups";
    return { user, role, expiresAt: null, csrf: signatureOf(`proxy\0${user}`, { secret, purpose: "csrf" }) };
  }
}
