import { shownUrl } from "../wire/secrets/redact.ts";
import { endpointIn } from "./catalog.ts";
import type { Credentials } from "./credentials.ts";
import type { Endpoints } from "./endpoints.ts";
import type { Session } from "./keystone.ts";

/**
 * As whom, and at which endpoints, an account sees a cloud. What is listed in one scope cannot be
 * compared with what was listed in another. Plain JSON, without secrets.
 */
export interface CloudScope {
  readonly keystoneUrl: string;
  readonly userId: string | null;
  /** Names of the roles, sorted. */
  readonly roles: readonly string[];
  /** The project that the account is logged in for; `null` for a domain and for the system. */
  readonly projectId: string | null;
  readonly domainId: string | null;
  /** Whether the account is logged in for the whole system. */
  readonly isSystem: boolean;
  /** The region of Nova's endpoint. */
  readonly region: string | null;
  /** Which of the catalog's URLs are used: `public`, `internal` or `admin`. */
  readonly interface: string;
  readonly novaUrl: string;
  readonly neutronUrl: string;
}

/**
 * Asks Nova and Neutron for their versions, unless these are known.
 *
 * @throws {UserError} when the catalog has no usable endpoint of Nova or Neutron.
 */
export async function scopeOf(
  { session, credentials, endpoints }: {
    readonly session: Session;
    readonly credentials: Credentials;
    readonly endpoints: Endpoints;
  },
): Promise<CloudScope> {
  const { catalog, keystoneUrl, user, project, domain, isSystem, roles } = session;
  const nova = await endpoints.of("Nova", session);
  const neutron = await endpoints.of("Neutron", session);
  return {
    keystoneUrl: shownUrl(keystoneUrl),
    userId: user?.id ?? null,
    roles: [...new Set(roles)].toSorted(),
    projectId: project?.id ?? null,
    domainId: domain?.id ?? null,
    isSystem,
    region: endpointIn(catalog, { service: "Nova", credentials, keystoneUrl }).region,
    interface: credentials.interface,
    novaUrl: shownUrl(nova.url),
    neutronUrl: shownUrl(neutron.url),
  };
}
