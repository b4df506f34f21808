import type { Clock } from "../model/clock.ts";
import type { Logger } from "../model/plugin.ts";
import type { Answered } from "./caller.ts";
import type { Session } from "./keystone.ts";

/** What an account may be forbidden to ask, each on its own. */
export type RequestKind = "server" | "port" | "image" | "project" | "user" | "servers" | "ports" | "floatingIps";

/** What is not to be had then, and the role that would mend it (the services' default policies). */
const PERMISSIONS: Readonly<
  Record<RequestKind, { readonly what: string; readonly lost: string; readonly role: string }>
> = {
  server: { what: "show a server", lost: "Description stays null where only Nova has it", role: `"admin"` },
  port: { what: "list a server's ports", lost: "FQDN stays without the port's domain", role: `"admin"` },
  image: { what: "show an image", lost: "OS stays null where only the image has it", role: `"admin"` },
  project: { what: "show other projects", lost: "ProjectName stays null", role: `"admin", or "reader" on the system` },
  user: { what: "show other users", lost: "UserName stays null", role: `"admin", or "reader" on the system` },
  servers: { what: "list the servers of all projects", lost: "only its own are read", role: `"admin"` },
  ports: { what: "list ports", lost: "none are read", role: `"reader"` },
  floatingIps: { what: "list floating IPs", lost: "none are read", role: `"reader"` },
};

/** What an account that may not ask this cannot do, and what would mend it. */
export function permissionOf(kind: RequestKind): (typeof PERMISSIONS)[RequestKind] {
  return PERMISSIONS[kind];
}

/**
 * Whether the account is logged in for no project, and the kind is of a service that may then have nothing for it. Later
 * releases than Zed (seen: 2025.1) refuse a login for the whole system or a domain in Nova, whatever its role, and show
 * it nothing in Neutron and Glance.
 */
export function hasNoProject(kind: RequestKind, { project }: Session): boolean {
  return project === null && kind !== "project" && kind !== "user";
}

/** What would mend it, as the end of a sentence and the next one. */
export function remedyOf(kind: RequestKind, session: Session): string {
  const { role } = PERMISSIONS[kind];
  if (!hasNoProject(kind, session)) return `give it the role ${role}`;
  return `it is logged in for no project, and newer releases of Nova, Neutron and Glance show such an account nothing. ` +
    `Name a project in which it has the role ${role}, in place of systemScope or a domain`;
}

/** How long a refusal is believed. */
export const ASK_AGAIN_AFTER_MS = 3_600_000;

/** What our account may not do: said once, and not asked again for an hour. */
export class Rights {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #refusedUntilMs = new Map<RequestKind, number>();

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = clock;
    this.#log = log;
  }

  mayAsk(kind: RequestKind): boolean {
    return this.#clock.now() >= (this.#refusedUntilMs.get(kind) ?? -Infinity);
  }

  refused(kind: RequestKind, { call: { service }, answer: { status, errorMessage }, session }: Answered): void {
    const isNew = !this.#refusedUntilMs.has(kind);
    this.#refusedUntilMs.set(kind, this.#clock.now() + ASK_AGAIN_AFTER_MS);
    const { what, lost } = PERMISSIONS[kind];
    const has = session.roles.length === 0 ? "no role" : session.roles.map((name) => `"${name}"`).join(", ");
    const line =
      `${service} does not let our account ${what} (${status}${
        errorMessage && `: ${errorMessage}`
      }): ${lost}. The account has ` +
      `${has}; ${remedyOf(kind, session)}. Asked again in an hour`;
    if (isNew) this.#log.warn(line);
    else this.#log.debug(line);
  }
}
