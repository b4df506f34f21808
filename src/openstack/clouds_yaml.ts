import { join } from "node:path";
import { UserError } from "../model/errors.ts";
import { printable } from "../wire/escaping/printable.ts";
import type { HostEnvironment } from "./host_environment.ts";
import { refuseAuthType, refuseInsecure, sdkName, settingsFrom, type SettingsSource } from "./settings.ts";

interface Mapping {
  readonly [key: string]: unknown;
}

interface YamlFile {
  readonly path: string;
  readonly content: Mapping;
}

/**
 * Reads one cloud of clouds.yaml, merged with secure.yaml and with its profile in
 * clouds-public.yaml. Files are searched for and merged as openstacksdk does it.
 *
 * @param name The cloud's name; without one the file must contain exactly one cloud.
 * @returns `null` when no name was given and there is no clouds.yaml, or one without clouds.
 * @throws {UserError} when the cloud is missing, a file cannot be read, or a setting is not
 * supported.
 */
export async function readCloud(name: string | undefined, host: HostEnvironment): Promise<SettingsSource | null> {
  const file = await find("clouds", "OS_CLIENT_CONFIG_FILE", host);
  if (file === null) {
    if (name === undefined) return null;
    throw new UserError(
      `Cannot find the cloud "${printable(name, 60)}": there is no clouds.yaml. Looked in ${
        directories(host).join(", ")
      }; write one, or name it with OS_CLIENT_CONFIG_FILE`,
    );
  }
  const clouds = mapping(file.content["clouds"]);
  const names = Object.keys(clouds);
  if (name === undefined && names.length === 0) return null;
  const chosen = name ?? onlyOne(names, file.path);
  if (!Object.hasOwn(clouds, chosen)) {
    throw new UserError(
      `Cannot find the cloud "${printable(chosen, 60)}": "${file.path}" has ${
        listed(names)
      }. Correct openstack.cloud or OS_CLOUD`,
    );
  }
  const secure = await find("secure", "OS_CLIENT_SECURE_FILE", host);
  const secret = mapping(mapping(secure?.content["clouds"])[chosen]);
  const place = `the cloud "${printable(chosen, 60)}" of "${file.path}"`;
  const cloud = merge(await withProfile(mapping(clouds[chosen]), { place, host }), secret);
  return sourceOf(cloud, place);
}

/** Login settings may be inside `auth` or beside it; those inside take precedence. */
function sourceOf(cloud: Mapping, place: string): SettingsSource {
  refuseInsecure({ verify: text(cloud["verify"]), insecure: text(cloud["insecure"]) }, place);
  refuseAuthType(text(cloud["auth_type"]), place);
  const auth = mapping(cloud["auth"]);
  const settings = settingsFrom((name) => text(auth[name]) ?? text(cloud[name]));
  const region = settings.region ?? onlyRegion(cloud["regions"]);
  const beside = new Set(["region", "interface", "caFile", "certFile", "keyFile"]);
  return {
    settings: region === undefined ? settings : { ...settings, region },
    place,
    nameOf: (setting) => `${beside.has(setting) ? "" : "auth."}${sdkName(setting)}`,
  };
}

async function withProfile(
  cloud: Mapping,
  { place, host }: { readonly place: string; readonly host: HostEnvironment },
): Promise<Mapping> {
  // "cloud" is the former name of "profile".
  const profile = text(cloud["profile"]) ?? text(cloud["cloud"]);
  if (profile === undefined) return cloud;
  const file = await find("clouds-public", "OS_CLIENT_VENDOR_FILE", host);
  const profiles = mapping(file?.content["public-clouds"]);
  if (Object.hasOwn(profiles, profile)) return merge(mapping(profiles[profile]), cloud);
  throw new UserError(
    `Cannot use ${place}: its profile "${printable(profile, 60)}" is in no clouds-public.yaml. Looked in ${
      directories(host).join(", ")
    }; write what it stands for into clouds.yaml`,
  );
}

async function find(stem: string, variable: string, host: HostEnvironment): Promise<YamlFile | null> {
  const named = host.env(variable);
  if (named) {
    const file = await read(named, host);
    if (file !== null) return file;
    throw new UserError(`Cannot read "${named}": there is no such file. Correct the variable ${variable}`);
  }
  for (const directory of directories(host)) {
    for (const extension of ["yaml", "yml", "json"]) {
      const file = await read(join(directory, `${stem}.${extension}`), host);
      if (file !== null) return file;
    }
  }
  return null;
}

function directories({ env, cwd, home }: HostEnvironment): readonly string[] {
  const xdg = env("XDG_CONFIG_HOME");
  return [
    ...new Set([
      cwd,
      ...(xdg ? [join(xdg, "openstack")] : []),
      ...(home === undefined ? [] : [join(home, ".config", "openstack")]),
      "/etc/openstack",
    ]),
  ];
}

async function read(path: string, { readFile }: HostEnvironment): Promise<YamlFile | null> {
  try {
    return { path, content: await parse(await readFile(path), path) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    if (error instanceof UserError) throw error;
    const denied = error instanceof Deno.errors.PermissionDenied;
    const message = (error instanceof Error ? error.message : String(error)).replace(/: readfile '.*'$/, "");
    throw new UserError(`Cannot read "${path}": ${denied ? "this user may not read it" : `${message}. Correct that`}`);
  }
}

/**
 * Parses YAML without types: every scalar stays a string, so that a numeric password keeps its
 * leading zeros. Errors give line and column, never the content, which may be a secret.
 */
async function parse(text: string, path: string): Promise<Mapping> {
  // Loaded on demand: most configurations have no clouds.yaml.
  const { LineCounter, parseDocument } = await import("yaml");
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { schema: "failsafe", merge: true, lineCounter, prettyErrors: false });
  const mistake = document.errors[0];
  if (mistake !== undefined) {
    const { line, col } = lineCounter.linePos(mistake.pos[0]);
    throw new UserError(
      `Cannot read "${path}": line ${line}, column ${col} is not valid YAML (${mistake.code}). Correct it`,
    );
  }
  const content: unknown = document.toJS();
  if (isMapping(content)) return content;
  throw new UserError(
    `Cannot read "${path}": it is not a mapping of names to values. See openstacksdk's documentation`,
  );
}

/** Deep merge of two mappings; values of `over` win. */
function merge(under: Mapping, over: Mapping): Mapping {
  const merged = Object.entries(over).map(([key, value]) => {
    const below = under[key];
    return [key, isMapping(below) && isMapping(value) ? merge(below, value) : value] as const;
  });
  return { ...under, ...Object.fromEntries(merged) };
}

function onlyOne(names: readonly string[], path: string): string {
  const [first] = names;
  if (first !== undefined && names.length === 1) return first;
  throw new UserError(`Cannot choose a cloud: "${path}" has ${listed(names)}. Set openstack.cloud or OS_CLOUD`);
}

/** The single region of a `regions` list, whose items are names or mappings with a name. */
function onlyRegion(regions: unknown): string | undefined {
  if (!Array.isArray(regions) || regions.length !== 1) return undefined;
  const [region]: unknown[] = regions;
  return text(isMapping(region) ? region["name"] : region);
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.map((name) => `"${printable(name, 60)}"`).join(", ");
}

/** A non-empty string. With the failsafe schema YAML's null is the string "null" or "~". */
function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value !== "null" && value !== "~" ? value : undefined;
}

function mapping(value: unknown): Mapping {
  return isMapping(value) ? value : {};
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
