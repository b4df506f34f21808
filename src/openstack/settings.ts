import type { OpenStackOptions } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import { printable } from "../wire/escaping/printable.ts";

/** How to log in and where to, wherever it was found: the fields of config.ts. */
export type Settings = Omit<OpenStackOptions, "cloud" | "maxWaitSeconds">;

/** The settings of one place, with its own words for texts. */
export interface SettingsSource {
  readonly settings: Settings;
  /** Where they stand, as `the cloud "admin" of "/etc/openstack/clouds.yaml"`. */
  readonly place: string;
  /** What a setting is called there, as `OS_PASSWORD`. */
  nameOf(setting: keyof Settings): string;
}

/** What openstacksdk calls a setting in clouds.yaml; `OS_` and capitals make it a variable. The first one that is there counts. */
const NAMES: Readonly<Record<keyof Settings, readonly [string, ...string[]]>> = {
  authUrl: ["auth_url"],
  user: ["username", "user_name"],
  userId: ["user_id"],
  userDomain: ["user_domain_name"],
  userDomainId: ["user_domain_id"],
  password: ["password"],
  project: ["project_name", "tenant_name"],
  projectId: ["project_id", "tenant_id"],
  projectDomain: ["project_domain_name"],
  projectDomainId: ["project_domain_id"],
  domain: ["domain_name"],
  domainId: ["domain_id"],
  systemScope: ["system_scope"],
  applicationCredentialId: ["application_credential_id"],
  applicationCredentialName: ["application_credential_name"],
  applicationCredentialSecret: ["application_credential_secret"],
  region: ["region_name"],
  interface: ["interface", "endpoint_type"],
  caFile: ["cacert"],
  certFile: ["cert"],
  keyFile: ["key"],
};

/** What stands for a domain that is not named otherwise, by its id. */
const DEFAULT_DOMAIN_NAMES = ["default_domain_id", "default_domain"];

/** What a setting is called in clouds.yaml. */
export function sdkName(setting: keyof Settings): string {
  return NAMES[setting][0];
}

/** The settings that a place has, by the names of openstacksdk. An empty text is none. */
export function settingsFrom(read: (name: string) => string | undefined): Settings {
  const first = (names: readonly string[]) => names.map(read).find((value) => value !== undefined && value !== "");
  const found = Object.fromEntries(
    Object.entries(NAMES).map(([setting, names]) => [setting, first(names)]).filter(([, value]) => value !== undefined),
  );
  const { systemScope, interface: endpoints, ...texts } = found;
  const defaultDomain = first(DEFAULT_DOMAIN_NAMES);
  return {
    ...(defaultDomain !== undefined && !texts.userDomain ? { userDomainId: defaultDomain } : {}),
    ...(defaultDomain !== undefined && !texts.projectDomain ? { projectDomainId: defaultDomain } : {}),
    ...texts,
    ...(systemScope === undefined ? {} : { systemScope: !/^(?:false|no|off|0)$/i.test(systemScope) }),
    // "publicURL" is the word of Keystone v2.
    ...(endpoints === undefined ? {} : { interface: endpoints.replace(/URL$/i, "").toLowerCase() }),
  } as Settings;
}

/** @throws {UserError} for a way to log in that is none of ours. */
export function refuseAuthType(authType: string | undefined, place: string): void {
  if (/^(?:|password|v[23]password|v3applicationcredential)$/.test(authType ?? "")) return;
  throw new UserError(
    `Cannot log in to OpenStack with ${place}: the auth_type "${
      printable(authType ?? "", 60)
    }" is not known here; use password ` +
      "or v3applicationcredential",
  );
}

/** @throws {UserError} when verification is switched off. Empty and absent values switch nothing. */
export function refuseInsecure(
  { verify, insecure }: { readonly verify?: string | undefined; readonly insecure?: string | undefined },
  place: string,
): void {
  const off = /^(?:false|no|off|0)$/i.test(verify ?? "");
  if (!off && !/^(?:true|yes|on|1)$/i.test(insecure ?? "")) return;
  throw new UserError(
    `Cannot use ${place}: the verification of certificates is switched off there (${
      off ? "verify" : "insecure"
    }), and they are ` +
      "verified here always. Remove that, and name the authority that signed them (cacert, OS_CACERT or openstack.caFile)",
  );
}
