import type { Config } from "../model/config.ts";
import { ConfigError, UserError } from "../model/errors.ts";
import { secretSources } from "../wire/secrets/secret_source.ts";
import { checkConfig } from "./check_config.ts";
import { absolutePath, fileUrl } from "./file_path.ts";
import type { BuiltInPlugins } from "./load_first_generation.ts";
import { pluginName } from "./plugins.ts";
import { type ConfigModule, readModule } from "./read_module.ts";

/** The places of config.ts, and how to load it. */
export interface LoadOptions {
  /** The path of `--config`; the other places are then ignored. */
  readonly path?: string;
  /** INI files of the first generation, from `--config-file`; the other places are then ignored. */
  readonly ini?: { readonly paths: readonly string[]; readonly builtIn: BuiltInPlugins };
  /** The directory of relative paths. */
  readonly cwd: string;
  /** Imports the compiled-in configuration, which is used when there is no file. */
  readonly fallback: () => Promise<ConfigModule>;
  /** @default "/etc/oss-watcher/config.ts" */
  readonly systemPath?: string;
}

/** A configuration without mistakes. */
export interface LoadedConfig {
  readonly config: Config;
  /**
   * The file's absolute path, of several the first; `null` for the configuration that is compiled
   * in.
   */
  readonly path: string | null;
  /** The name of each plugin of `config.plugins`, in their order. */
  readonly pluginNames: readonly string[];
  /** The log line for each loaded plugin. */
  readonly loadedLines: readonly string[];
  /** Warnings: it works, but probably not as intended. */
  readonly warnings: readonly string[];
}

/**
 * Finds config.ts, runs it and checks what it exports: `--config PATH`, else `./config.ts`, else
 * the system's, else the one that is compiled in.
 *
 * @throws {UserError} when the file is not there or fails to run.
 * @throws {ConfigError} naming every mistake in what it exports.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  if (options.ini !== undefined) return await loadIni(options.ini, options.cwd);
  const path = await find(options);
  const module = await (path === null ? importFallback(options) : importFile(path)).finally(endReading);
  const { config, findings } = readModule(module);
  const mistakes = findings.length > 0 ? findings : checkConfig(config);
  if (mistakes.length > 0) throw new ConfigError(`Cannot use ${nameOf(path)}:`, mistakes);
  const checked = await besideConfig(config as Config, path);
  const pluginNames = checked.plugins.map(pluginName);
  const loadedLines = pluginNames.map((name) => `Plugin \`${name}\` is loaded.`);
  return { config: checked, path, pluginNames, loadedLines, warnings: [] };
}

async function loadIni(
  { paths, builtIn }: NonNullable<LoadOptions["ini"]>,
  cwd: string,
): Promise<LoadedConfig> {
  const { loadFirstGeneration } = await import("./load_first_generation.ts");
  const { config, mistakes, ...told } = await loadFirstGeneration(paths, { cwd, builtIn });
  if (mistakes.length > 0) throw new ConfigError(`Cannot use the configuration "${paths.join('", "')}":`, mistakes);
  const path = await absolutePath(paths[0] ?? "", cwd);
  const checked = await besideConfig(config as Config, path);
  return { config: checked, path, pluginNames: checked.plugins.map(pluginName), ...told };
}

/** Relative paths are relative to config.ts, not to the working directory of the command. */
async function besideConfig(config: Config, path: string | null): Promise<Config> {
  const { ledger, log, console } = config;
  if (path === null || (ledger ?? log ?? console) === undefined) return config;
  const { dirname, resolve } = await import("node:path");
  const beside = <T extends object>(options: T): T => {
    const entries = Object.entries(options).map(([key, value]) =>
      [key, FILES.includes(key) && typeof value === "string" ? resolve(dirname(path), value) : value] as const
    );
    return Object.fromEntries(entries) as T;
  };
  return {
    ...config,
    ...ledger && {
      ledger: { ...beside(ledger), ...ledger.postgres && { postgres: beside(ledger.postgres) } },
    },
    ...log && { log: beside(log) },
    ...console && { console: { ...console, ...console.tls && { tls: beside(console.tls) } } },
  };
}

const FILES: readonly string[] = ["file", "caFile", "certFile", "keyFile"];

async function find({ path, cwd, systemPath = "/etc/oss-watcher/config.ts" }: LoadOptions): Promise<string | null> {
  if (path !== undefined) {
    const file = await absolutePath(path, cwd);
    if (/\.(?:conf|ini)$/i.test(file)) {
      throw new UserError(
        `Cannot use "${file}" with --config: it is no TypeScript. Use --config-file for oss_framework's configuration`,
      );
    }
    if (await isFile(file)) return file;
    throw new UserError(
      `Cannot read the configuration "${file}": there is no such file. Put it there, or name another with --config`,
    );
  }
  for (const candidate of [await absolutePath("config.ts", cwd), systemPath]) {
    if (await isFile(candidate)) return candidate;
  }
  return null;
}

/** `false`: the file does not exist. A file that exists and cannot be read is an error. */
async function isFile(path: string): Promise<boolean> {
  try {
    const { isDirectory, isFile } = await Deno.stat(path);
    if (isDirectory) throw new Error("it is a directory");
    // As of a shell's <(…), which would be imported as an empty module.
    if (!isFile) throw new Error("it is a pipe or a device. Write it to a file");
    // The import's own error would only say that it failed.
    (await Deno.open(path)).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw new UserError(`Cannot read the configuration "${path}": ${whyUnreadable(error)}`);
  }
}

function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not read it. Give it the right to";
  return error instanceof Error ? error.message : String(error);
}

/** Tells the sources of secrets that nothing more will be read. */
async function endReading(): Promise<void> {
  for (const source of secretSources()) await source.loaded?.();
}

async function importFile(path: string): Promise<ConfigModule> {
  const url = await fileUrl(path);
  try {
    return await import(url);
  } catch (error) {
    throw await cannotLoad(path, { error, url });
  }
}

async function importFallback({ fallback }: LoadOptions): Promise<ConfigModule> {
  try {
    return await fallback();
  } catch (error) {
    throw await cannotLoad(null, { error, url: "" });
  }
}

async function cannotLoad(
  path: string | null,
  { error, url }: { readonly error: unknown; readonly url: string },
): Promise<UserError> {
  const { importFailure } = await import("./import_failure.ts");
  return new UserError(`Cannot load ${nameOf(path)}: ${importFailure(error, url)}`);
}

function nameOf(path: string | null): string {
  return path === null ? "the configuration that is compiled in" : `the configuration "${path}"`;
}
