import type { Clock } from "../model/clock.ts";
import type { Logger } from "../model/plugin.ts";
import type { Answered } from "./caller.ts";
import type { Session } from "./keystone.ts";

/** The kinds of requests, each of which an account may be forbidden to make. */
export type RequestKind = "server" | "port" | "image" | "project" | "user" | "servers" | "ports" | "floatingIps";

/**
 * For each kind: the request in words, the effect of its refusal, and the role that allows it in
 * the services' default policies.
 */
const PERMISSIONS: Readonly<
  Record<RequestKind, { readonly what: string; readonly lost: string; readonly role: string }>
> = {
  server: { what: "show a server", lost: "Description stays null where only Nova has it", role: `"admin"` },
  port: { what: "list a server's ports", lost: "FQDN lacks the port's domain", role: `"admin"` },
  image: { what: "show an image", lost: "OS stays null where only the image has it", role: `"admin"` },
  project: { what: "show other projects", lost: "ProjectName stays null", role: `"admin", or "reader" on the system` },
  user: { what: "show other users", lost: "UserName stays null", role: `"admin", or "reader" on the system` },
  servers: {
    what: "list the servers of all projects",
    lost: "only servers of its own project are read",
    role: `"admin"`,
  },
  ports: { what: "list ports", lost: "none are read", role: `"reader"` },
  floatingIps: { what: "list floating IPs", lost: "none are read", role: `"reader"` },
};

/** The request in words, the effect of its refusal, and the role that allows it. */
export function permissionOf(kind: RequestKind): (typeof PERMISSIONS)[RequestKind] {
  return PERMISSIONS[kind];
}

/**
 * Whether the account is logged in without a project, and the request goes to a service that then
 * may show it nothing. In releases after Zed (seen: 2025.1) Nova refuses a token for the whole
 * system or a domain, whatever its role; Neutron and Glance return empty results.
 */
export function hasNoProject(kind: RequestKind, { project }: Session): boolean {
  return project === null && kind !== "project" && kind !== "user";
}

/** How to allow the request, as the end of a sentence, or several sentences. */
export function remedyOf(kind: RequestKind, session: Session): string {
  const { role } = PERMISSIONS[kind];
  if (!hasNoProject(kind, session)) return `give it the role ${role}`;
  return `it is logged in without a project, and newer releases of Nova, Neutron and Glance return nothing to such an account. ` +
    `Name a project in which it has the role ${role}, in place of systemScope or a domain`;
}

/**
 * The account's roles and how to allow the request, in a sentence or several without the last
 * period.
 */
export function accountText(kind: RequestKind, session: Session): string {
  const has = session.roles.length === 0 ? "no role" : session.roles.map((name) => `"${name}"`).join(", ");
  return `The account has ${has}; ${remedyOf(kind, session)}`;
}

/** A refused kind of request is tried again after this time. */
export const ASK_AGAIN_AFTER_MS = 3_600_000;

/**
 * Remembers which kinds of requests our account is forbidden to make: each is logged once and tried
 * again after an hour.
 */
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
    const line =
      `${service} does not let our account ${what} (${status}${errorMessage && `: ${errorMessage}`}): ${lost}. ` +
      `${accountText(kind, session)}. Asked again in an hour`;
    if (isNew) this.#log.warn(line);
    else this.#log.debug(line);
  }
}
