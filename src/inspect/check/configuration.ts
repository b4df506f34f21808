import { dirname } from "node:path";
import { endpointsOf, readTls } from "../../rabbitmq/address.ts";
import { placeOf, shownPlace } from "../../ledger/place.ts";
import type { LoadedConfig } from "../../config/load_config.ts";
import type { Config, PostgresOptions, RabbitSource } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";
import { findCredentials } from "../../openstack/credentials.ts";
import { ownEnvironment } from "../../openstack/host_environment.ts";
import { checkPreviews } from "./previews.ts";
import { secretsInSource } from "./secrets_in_source.ts";

export interface CheckOptions {
  /** A recorded creation of a server, in bytes, of which previews are made. */
  readonly sample: Uint8Array;
}

/** Findings of a configuration that loads, which need no connection. Changes nothing. */
export async function checkConfiguration(loaded: LoadedConfig, options: CheckOptions): Promise<readonly Finding[]> {
  const { config, path, warnings } = loaded;
  return [
    { level: "ok", key: "config", text: path ?? "the configuration that is compiled in" },
    ...warnings.map(findingOfLine),
    ...(path === null ? [] : await secretsInSource(path)),
    ...checkSources(config),
    ...checkSharing(config),
    ...await checkCloud(config),
    ...await checkLedger(config),
    ...await checkLog(config),
    ...await checkConsole(config),
    ...await checkPreviews(loaded, options),
  ];
}

/** The sources of a configuration with their keys. */
export function keyedSources({ rabbit }: Config): readonly { readonly key: string; readonly source: RabbitSource }[] {
  if (rabbit === undefined) return [];
  if (!Array.isArray(rabbit)) return [{ key: "rabbit", source: rabbit as RabbitSource }];
  return (rabbit as readonly RabbitSource[]).map((source, index) => ({ key: `rabbit[${index}]`, source }));
}

/**
 * A finding from a line of the config checker, `key: text` or `file:line: text`; a key in brackets
 * and quotes may hold anything.
 */
export function findingOfLine(line: string): Finding {
  const [, key = "config", text = line] = /^((?:\["[^"]*"\]|[^:]|:(?=\d+: ))+): (.*)$/s.exec(line) ?? [];
  return { level: "warning", key, text };
}

function checkSources(config: Config): readonly Finding[] {
  const sources = keyedSources(config);
  if (sources.length === 0) {
    const text = "missing: the service cannot start, only --dry-run works. Add rabbit: { host, user, password, queue }";
    return [{ level: "error", key: "rabbit", text }];
  }
  return sources.flatMap(({ key, source }) => {
    try {
      const endpoints = endpointsOf(source);
      if (endpoints.some(({ tls }) => tls)) {
        readTls(typeof source.tls === "object" ? source.tls : {}, Deno.readFileSync);
      }
      return endpoints.filter(isGuestFromAfar).map(({ label }) => ({
        level: "warning" as const,
        key: `${key}.user`,
        text: `"guest" at ${label}: RabbitMQ lets it in from its own machine only. Set user and password`,
      }));
    } catch (error) {
      return [failed(key, error)];
    }
  });
}

/** A watched queue has one consumer, and the processes of a ledger on PostgreSQL consume one queue. */
function checkSharing(config: Config): readonly Finding[] {
  if (config.ledger?.postgres === undefined) return [];
  return keyedSources(config).filter(({ source }) => source.watchQueue !== undefined).map(({ key }) => ({
    level: "warning" as const,
    key: `${key}.watchQueue`,
    text: "a watched queue has one consumer: further processes on ledger.postgres cannot start. With more than one, " +
      'write queue: { name: "oss-watcher" }',
  }));
}

function isGuestFromAfar({ user, host }: { readonly user: string; readonly host: string }): boolean {
  return user === "guest" && !/^(?:localhost|127\.[\d.]+|::1)$/.test(host);
}

async function checkCloud({ openstack }: Config): Promise<readonly Finding[]> {
  if (openstack === undefined) return [];
  try {
    const { tls } = await findCredentials(openstack, ownEnvironment());
    return await checkReadable("openstack", tls);
  } catch (error) {
    return [failed("openstack", error)];
  }
}

/** Errors of the files of one section that cannot be read. */
async function checkReadable(section: string, files: Readonly<Record<string, string>>): Promise<readonly Finding[]> {
  const found = await Promise.all(
    Object.entries(files).map(async ([name, file]): Promise<readonly Finding[]> => {
      const unreadable = await whyUnreadable(file);
      if (unreadable === null) return [];
      return [{ level: "error", key: `${section}.${name}`, text: `"${file}": ${unreadable}. Correct it` }];
    }),
  );
  return found.flat();
}

async function whyUnreadable(file: string): Promise<string | null> {
  try {
    (await Deno.open(file)).close();
    return null;
  } catch (error) {
    return whyNot(error);
  }
}

/** Checks that the ledger's file can be written, or that files for PostgreSQL can be read. */
async function checkLedger({ ledger }: Config): Promise<readonly Finding[]> {
  const place = placeOf(ledger);
  if ("file" in place) return [await checkWritable("ledger.file", place.file)];
  const unreadable = await checkReadable("ledger.postgres", filesOf(place.postgres));
  return unreadable.length > 0 ? unreadable : [{ level: "ok", key: "ledger.postgres", text: shownPlace(place) }];
}

function filesOf({ caFile, certFile, keyFile }: PostgresOptions): Readonly<Record<string, string>> {
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
}

async function checkLog({ log }: Config): Promise<readonly Finding[]> {
  return log?.file === undefined ? [] : [await checkWritable("log.file", log.file)];
}

async function checkConsole({ console }: Config): Promise<readonly Finding[]> {
  if (console === undefined || console === false || console.tls === undefined) return [];
  return await checkReadable("console.tls", { ...console.tls });
}

async function checkWritable(key: string, file: string): Promise<Finding> {
  const unwritable = await whyUnwritable(file);
  if (unwritable === null) return { level: "ok", key, text: `"${file}" can be written` };
  const text = `"${file}": ${unwritable}. Give this user the right to, or set ${key} to another place`;
  return { level: "error", key, text };
}

/**
 * Opens the file if it exists; else makes a file in the nearest directory that exists, and removes
 * it.
 */
async function whyUnwritable(file: string): Promise<string | null> {
  try {
    if (await isThere(file)) {
      (await Deno.open(file, { write: true })).close();
      return null;
    }
    let dir = dirname(file);
    while (!await isThere(dir) && dirname(dir) !== dir) dir = dirname(dir);
    await Deno.remove(await Deno.makeTempFile({ dir, prefix: ".oss-watcher-check-" }));
    return null;
  } catch (error) {
    return whyNot(error);
  }
}

function isThere(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
}

function whyNot(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not";
  if (error instanceof Deno.errors.NotCapable) return "this program may not read or write there";
  if (error instanceof Deno.errors.NotADirectory) return "a part of its path is no directory";
  return error instanceof Error ? error.message : String(error);
}

function failed(key: string, error: unknown): Finding {
  if (error instanceof UserError) return { level: "error", key, text: error.message };
  throw error;
}
