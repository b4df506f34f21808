import { resolve } from "node:path";
import type { OpenStackOptions } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import { printable } from "../wire/escaping/printable.ts";
import { HttpTarget } from "../wire/http/http.ts";
import { shownUrl } from "../wire/secrets/redact.ts";
import { readCloud } from "./clouds_yaml.ts";
import type { HostEnvironment } from "./host_environment.ts";
import {
  refuseAuthType,
  refuseInsecure,
  sdkName,
  type Settings,
  settingsFrom,
  type SettingsSource,
} from "./settings.ts";
import { OPENSTACK_DEFAULTS } from "../model/config_defaults.ts";

/** A reference to a Keystone domain, by id or by name. */
export type DomainRef = { readonly id: string } | { readonly name: string };
/** A reference to a Keystone user or project: by id, or by its name within a domain. */
export type NamedRef = { readonly id: string } | { readonly name: string; readonly domain: DomainRef };

/** The identity part of a Keystone login. */
export type Identity =
  | { readonly method: "password"; readonly user: NamedRef; readonly password: string }
  | { readonly method: "application_credential"; readonly id: string; readonly secret: string }
  | {
    readonly method: "application_credential";
    readonly name: string;
    readonly user: NamedRef;
    readonly secret: string;
  };

/** The scope of a Keystone login. An application credential has its own project. */
export type Scope =
  | { readonly kind: "project"; readonly project: NamedRef }
  | { readonly kind: "domain"; readonly domain: DomainRef }
  | { readonly kind: "system" }
  | { readonly kind: "credential" };

/** How to log in to one cloud. */
export interface Credentials {
  readonly authUrl: string;
  readonly identity: Identity;
  readonly scope: Scope;
  /** `null` if not set: then the catalog must have a single region. */
  readonly region: string | null;
  readonly interface: "public" | "internal" | "admin";
  /** Absolute paths. */
  readonly tls: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /**
   * Where the credentials were found, for error messages, as `the cloud "admin" of
   * "/etc/openstack/clouds.yaml"`.
   */
  readonly source: string;
}

/**
 * Finds the credentials: in the section `openstack` of config.ts, in a cloud of clouds.yaml, or in
 * the variables `OS_*`, in this order.
 *
 * @throws {UserError} naming the missing or wrong setting and the places that were searched.
 */
export async function findCredentials(options: OpenStackOptions, host: HostEnvironment): Promise<Credentials> {
  const found = await findSource(options, host);
  const { cloud: _cloud, maxWaitSeconds: _maxWaitSeconds, reconcile: _reconcile, ...given } = options;
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Settings;
  return credentialsOf({ ...found, settings: overlay(found.settings, own) }, host);
}

async function findSource(options: OpenStackOptions, host: HostEnvironment): Promise<SettingsSource> {
  const { env } = host;
  if (options.authUrl !== undefined) {
    return { settings: {}, place: "the section `openstack` of config.ts", nameOf: (setting) => `openstack.${setting}` };
  }
  const cloud = options.cloud ?? (env("OS_CLOUD") || undefined);
  // "envvars" is openstacksdk's name for the cloud that the variables OS_* describe.
  const named = cloud === "envvars" ? undefined : cloud;
  if (named === undefined && (cloud === "envvars" || env("OS_AUTH_URL"))) return variables(env);
  const source = await readCloud(named, host);
  if (source !== null) return source;
  throw new UserError(
    "Cannot find out how to log in to OpenStack: openstack.authUrl, openstack.cloud, OS_CLOUD and OS_AUTH_URL are not " +
      "set, and there is no clouds.yaml with one cloud. Set one of them",
  );
}

function variables(env: HostEnvironment["env"]): SettingsSource {
  refuseInsecure({ insecure: env("OS_INSECURE") }, "the variables OS_*");
  refuseAuthType(env("OS_AUTH_TYPE"), "the variables OS_*");
  return {
    settings: settingsFrom((name) => env(`OS_${name.toUpperCase()}`)),
    place: "the variables OS_*",
    nameOf: (setting) => `OS_${sdkName(setting).toUpperCase()}`,
  };
}

const CREDENTIAL = ["applicationCredentialId", "applicationCredentialName", "applicationCredentialSecret"] as const;

/**
 * Settings of config.ts override those found elsewhere. A scope or identity in config.ts also
 * removes any other kind of scope or identity that was found, since the two would conflict.
 */
function overlay(found: Settings, own: Settings): Settings {
  const kinds = [["project", "projectId"], ["domain", "domainId"], ["systemScope"]] as const;
  const scopes = kinds.some((keys) => keys.some((key) => own[key] !== undefined)) ? kinds.flat() : [];
  const users = own.user === undefined && own.userId === undefined ? [] : ["user", "userId"] as const;
  const credentials = own.password === undefined ? [] : CREDENTIAL;
  const hidden = new Set<string>([...scopes, ...users, ...credentials]);
  return { ...Object.fromEntries(Object.entries(found).filter(([key]) => !hidden.has(key))), ...own };
}

function credentialsOf(source: SettingsSource, { cwd, home }: HostEnvironment): Credentials {
  const { settings, place } = source;
  const authUrl = settings.authUrl ?? missing(source, ["authUrl"]);
  if (!HttpTarget.isUrl(authUrl)) {
    throw new UserError(
      `Cannot use ${place}: ${source.nameOf("authUrl")} is "${shownUrl(authUrl)}"; write http://… or https://…, ` +
        "without user and password",
    );
  }
  if (/[?#]/.test(authUrl)) {
    throw new UserError(
      `Cannot use ${place}: ${source.nameOf("authUrl")} is "${
        shownUrl(authUrl)
      }"; remove the "?" or "#" and all that follows`,
    );
  }
  const { interface: endpoints = OPENSTACK_DEFAULTS.interface } = settings;
  if (!["public", "internal", "admin"].includes(endpoints)) {
    throw new UserError(
      `Cannot use ${place}: ${source.nameOf("interface")} is "${
        printable(endpoints, 60)
      }"; write public, internal or admin`,
    );
  }
  const file = (key: "caFile" | "certFile" | "keyFile") =>
    settings[key] === undefined ? {} : { [key]: absolute(settings[key], cwd, home) };
  const { certFile, keyFile } = settings;
  if ((certFile === undefined) !== (keyFile === undefined)) missing(source, [certFile ? "keyFile" : "certFile"]);
  return {
    authUrl: authUrl.replace(/\/+$/, ""),
    ...identityOf(source),
    region: settings.region ?? null,
    interface: endpoints,
    tls: { ...file("caFile"), ...file("certFile"), ...file("keyFile") },
    source: place,
  };
}

function identityOf(source: SettingsSource): Pick<Credentials, "identity" | "scope"> {
  const { settings } = source;
  const { applicationCredentialId: id, applicationCredentialName: name, applicationCredentialSecret } = settings;
  if (id === undefined && name === undefined && applicationCredentialSecret === undefined) {
    const password = settings.password ?? missing(source, ["password"]);
    return { identity: { method: "password", user: userOf(source), password }, scope: scopeOf(source) };
  }
  const method = "application_credential";
  const secret = applicationCredentialSecret ?? missing(source, ["applicationCredentialSecret"]);
  // Keystone refuses an application credential together with a scope: a configured project is not
  // sent.
  const scope = { kind: "credential" } as const;
  if (id !== undefined) return { identity: { method, id, secret }, scope };
  if (name === undefined) return missing(source, ["applicationCredentialId"]);
  return { identity: { method, name, user: userOf(source), secret }, scope };
}

function userOf(source: SettingsSource): NamedRef {
  const { userId, user, userDomain, userDomainId } = source.settings;
  if (userId !== undefined) return { id: userId };
  return { name: user ?? missing(source, ["user", "userId"]), domain: domainOf(userDomain, userDomainId) };
}

function scopeOf(source: SettingsSource): Scope {
  const { systemScope = false, project, projectId, projectDomain, projectDomainId, domain, domainId } = source.settings;
  if (systemScope && (project ?? projectId ?? domain ?? domainId) !== undefined) {
    throw new UserError(
      `Cannot use ${source.place}: ${
        source.nameOf("systemScope")
      } is set together with a project or a domain. Keep one of them`,
    );
  }
  if (systemScope) return { kind: "system" };
  if (projectId !== undefined) return { kind: "project", project: { id: projectId } };
  if (project !== undefined) {
    return { kind: "project", project: { name: project, domain: domainOf(projectDomain, projectDomainId) } };
  }
  if (domain === undefined && domainId === undefined) return missing(source, ["project", "projectId", "systemScope"]);
  return { kind: "domain", domain: domainOf(domain, domainId) };
}

function domainOf(name: string | undefined, id: string | undefined): DomainRef {
  if (id !== undefined) return { id };
  return name === undefined ? { id: "default" } : { name };
}

function missing({ place, nameOf }: SettingsSource, settings: readonly (keyof Settings)[]): never {
  const names = settings.map(nameOf);
  throw new UserError(`Cannot log in to OpenStack with ${place}: ${names[0]} is missing. Set ${names.join(" or ")}`);
}

function absolute(path: string, cwd: string, home: string | undefined): string {
  return resolve(cwd, home === undefined ? path : path.replace(/^~(?=\/)/, home));
}
