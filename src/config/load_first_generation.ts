import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../model/errors.ts";
import { asVariable } from "../wire/secrets/env.ts";
import { checkConfig } from "./check_config.ts";
import { isClass } from "./describe.ts";
import { planOf } from "./first_generation.ts";
import { formerLoadedLine } from "./first_generation_plugins.ts";
import { importFailure } from "./import_failure.ts";
import { type IniEntry, readIni } from "./ini.ts";
import { atPlace, type Plan, type PlannedPlugin, revealed, secretsOf } from "./plan.ts";

/** The module of the built-in plugins. */
export type BuiltInPlugins = () => Promise<Readonly<Record<string, unknown>>>;

/** A configuration that was made from INI files. */
export interface FirstGeneration {
  /** `Config`, if there are no mistakes. */
  readonly config: unknown;
  /** Every mistake, with its place in the file. */
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
  /** The log line for each loaded plugin. */
  readonly loadedLines: readonly string[];
}

interface Sources {
  /** The directory of relative paths. */
  readonly cwd: string;
  readonly builtIn: BuiltInPlugins;
}

/**
 * Makes a configuration from INI files. Plugins of the user are files in `plugins` beside the first
 * of them.
 *
 * @param paths One file or several: a later one overrides the earlier ones.
 * @throws {UserError} when a file cannot be read.
 */
export async function loadFirstGeneration(
  paths: readonly string[],
  { cwd, builtIn }: Sources,
): Promise<FirstGeneration> {
  const plan = await readPlan(paths, cwd);
  if (plan.isOfService) {
    throw new UserError(
      `Cannot use the configuration "${
        paths.join('", "')
      }": it is a service's, and names no plugin. Write a config.ts from it with ` +
        "oss-watcher migrate",
    );
  }
  const dir = dirname(resolve(cwd, paths[0] ?? ""));
  const { config, mistakes } = await makeConfig(plan, (planned) => classOf(planned, { builtIn, dir }));
  const warnings = warningsOf(plan);
  // A missing option may exist under another name.
  const findings = mistakes.length === 0 ? [] : [...mistakes, ...warnings];
  // After the other findings were collected: a password may be a word of their texts.
  if (findings.length === 0) { for (const { variable, value } of secretsOf(plan)) asVariable(variable, value); }
  return {
    config,
    mistakes: findings,
    warnings,
    loadedLines: plan.plugins.map(({ formerName, className }) => formerLoadedLine(formerName ?? className)),
  };
}

/** Warnings: what works, but probably not as intended, and unused options. */
export function warningsOf({ warnings, unread }: Plan): readonly string[] {
  return [...warnings, ...unread.map(({ place, advice }) => `${place}: is not read: ${advice}`)];
}

/** What INI files tell of. @throws {UserError} when one cannot be read. */
export async function readPlan(paths: readonly string[], cwd: string): Promise<Plan> {
  const files: (readonly IniEntry[])[] = [];
  for (const path of paths) files.push(readIni(await readText(resolve(cwd, path)), path));
  return planOf(files, paths.join(", "));
}

/**
 * All findings about a plan, without those about the user's own plugins, which may not be written
 * yet during a migration.
 */
export async function mistakesIn(plan: Plan, builtIn: BuiltInPlugins): Promise<readonly string[]> {
  const { mistakes } = await makeConfig(plan, async ({ module, className, formerName }) => {
    if (!module.startsWith("./")) return (await builtIn())[className];
    return class {
      readonly name = formerName;
      notify() {}
    };
  });
  return mistakes;
}

async function readText(path: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
  } catch (error) {
    throw new UserError(`Cannot read the configuration "${path}": ${whyUnreadable(error)}`);
  }
}

function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file. Correct its name";
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not read it. Give it the right to";
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory. Name a file";
  return error instanceof TypeError ? "it is not UTF-8. Convert it" : String(error);
}

type FindClass = (planned: PlannedPlugin) => Promise<unknown>;

async function makeConfig(plan: Plan, find: FindClass): Promise<Pick<FirstGeneration, "config" | "mistakes">> {
  const mistakes = [...plan.mistakes];
  const plugins: unknown[] = [];
  for (const planned of plan.plugins) {
    try {
      plugins.push(await makePlugin(planned, find));
    } catch (error) {
      mistakes.push(...pluginMistakes(planned, { error, plan }));
      // Keeps its index, so that findings about other plugins name the right ones.
      plugins.push({ name: planned.formerName ?? planned.className, notify() {} });
    }
  }
  const config = { ...revealed(plan.sections) as object, plugins };
  const found = checkConfig(config).map((finding) => atPlace(finding, plan.places));
  return { config, mistakes: [...mistakes, ...found.filter((finding) => !isTold(finding, mistakes))] };
}

/** Each cause is reported once: a value that could not be read would also count as missing. */
function isTold(finding: string, mistakes: readonly string[]): boolean {
  const [option] = /\w+ of \[[^\]]+\](?=:)/.exec(finding) ?? [];
  return option !== undefined && mistakes.some((mistake) => mistake.includes(`${option}:`));
}

async function makePlugin(planned: PlannedPlugin, find: FindClass): Promise<unknown> {
  const found = await find(planned) as new (...options: unknown[]) => unknown;
  return planned.options === undefined ? new found() : new found(revealed(planned.options));
}

/**
 * A plugin of the program names its options as config.ts does; the file has other names for them.
 */
function pluginMistakes(
  { place, options, formerName, className }: PlannedPlugin,
  { error, plan }: { readonly error: unknown; readonly plan: Plan },
): string[] {
  const said = error instanceof Error ? error.message : String(error);
  if (error instanceof UserError) return [`${place}: ${said}`];
  if (options === undefined) {
    return [
      `${place}: ${formerName} cannot be made: ${said}. From here its constructor gets nothing: write config.ts ` +
      `(oss-watcher migrate), and in it new ${className}({ … })`,
    ];
  }
  const problems = said.replace(/^Cannot make \w+: /, "").split(/; (?=\w+: )/);
  return problems.map((problem) => atPlace(`rest.${problem}`, plan.places));
}

async function classOf(
  { module, className, formerName }: PlannedPlugin,
  { builtIn, dir }: { readonly builtIn: BuiltInPlugins; readonly dir: string },
): Promise<unknown> {
  if (!module.startsWith("./")) return (await builtIn())[className];
  const exported = await importOwn(module, { dir, className, formerName });
  const found = exported[className];
  if (isClass(found)) return found;
  const classes = Object.keys(exported).filter((name) => isClass(exported[name]));
  throw new UserError(
    `${formerName}: ${module} exports no class ${className}. ` +
      (classes.length === 0 ? `Write export class ${className}` : `It exports ${classes.join(", ")}`),
  );
}

async function importOwn(
  module: string,
  { dir, className, formerName }: { dir: string; className: string; formerName: string | null },
): Promise<Readonly<Record<string, unknown>>> {
  const path = resolve(dir, module);
  if (!await Deno.stat(path).then(({ isFile }) => isFile, () => false)) {
    throw new UserError(`${formerName}: there is no file "${path}". Write it, with export class ${className}`);
  }
  const url = pathToFileURL(path).href;
  try {
    return await import(url);
  } catch (error) {
    throw new UserError(`${formerName}: cannot be loaded: ${importFailure(error, url)}`);
  }
}
