import type { OpenStackOptions } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import { printable } from "../wire/escaping/printable.ts";

/** The login settings under their names in config.ts, whatever their source. */
export type Settings = Omit<OpenStackOptions, "cloud" | "maxWaitSeconds" | "reconcile">;

/** The settings of one source, with its own names for error messages. */
export interface SettingsSource {
  readonly settings: Settings;
  /** The source in words, as `the cloud "admin" of "/etc/openstack/clouds.yaml"`. */
  readonly place: string;
  /** The name of a setting in this source, as `OS_PASSWORD`. */
  nameOf(setting: keyof Settings): string;
}

/**
 * The names of each setting in clouds.yaml, as openstacksdk has them; in upper case after `OS_`
 * they are variables. The first name with a value wins.
 */
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

/** Settings whose value is the id of the domain of user and project, unless those name one. */
const DEFAULT_DOMAIN_NAMES = ["default_domain_id", "default_domain"];

/** The name of a setting in clouds.yaml. */
export function sdkName(setting: keyof Settings): string {
  return NAMES[setting][0];
}

/** Reads all settings of a source by openstacksdk's names. An empty value counts as not set. */
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
    // Keystone v2 used "publicURL" for "public".
    ...(endpoints === undefined ? {} : { interface: endpoints.replace(/URL$/i, "").toLowerCase() }),
  } as Settings;
}

/** @throws {UserError} for an authentication type that is not supported. */
export function refuseAuthType(authType: string | undefined, place: string): void {
  if (/^(?:|password|v[23]password|v3applicationcredential)$/.test(authType ?? "")) return;
  throw new UserError(
    `Cannot log in to OpenStack with ${place}: auth_type "${
      printable(authType ?? "", 60)
    }" is not supported. Use password ` +
      "or v3applicationcredential",
  );
}

/**
 * @throws {UserError} when certificate verification is switched off. Empty and absent values mean
 * that it is on.
 */
export function refuseInsecure(
  { verify, insecure }: { readonly verify?: string | undefined; readonly insecure?: string | undefined },
  place: string,
): void {
  const off = /^(?:false|no|off|0)$/i.test(verify ?? "");
  if (!off && !/^(?:true|yes|on|1)$/i.test(insecure ?? "")) return;
  throw new UserError(
    `Cannot use ${place}: certificate verification is switched off there (${
      off ? "verify" : "insecure"
    }), which is not supported. ` +
      "Remove that, and set the certificate of the CA (cacert, OS_CACERT or openstack.caFile)",
  );
}
