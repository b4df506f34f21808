import type { GlobalOptions } from "./context.ts";
import type { RunOptions } from "./run.ts";

/** An option that can stand without a command. */
export interface OptionRow {
  /** As commander writes it: `-c, --config <path>`. With `<…>` it takes a value. */
  readonly flags: string;
  readonly description: string;
  /** Given again, it adds a value instead of replacing the first one. */
  readonly repeatable?: boolean;
}

/** Of the service and the dry run alone. */
export const RUN_OPTIONS: readonly OptionRow[] = [
  {
    flags: "--dry-run <file>",
    description: "show the events and requests that notifications in a file (- for stdin) would cause; repeatable",
    repeatable: true,
  },
  { flags: "--json", description: "with --dry-run: one line of JSON per notification" },
  { flags: "--openstack", description: "with --dry-run: complete details from the configured cloud, reading only" },
];

/** Of each command, too. */
export const COMMON_OPTIONS: readonly OptionRow[] = [
  {
    flags: "-c, --config <path>",
    description: "the configuration; without it ./config.ts, else /etc/oss-watcher/config.ts",
  },
  {
    flags: "--config-file <path>",
    description: "oss_framework's configuration (INI) instead; repeatable",
    repeatable: true,
  },
  { flags: "--debug", description: "more log lines, and stack traces of errors" },
];

/**
 * Reads arguments that are nothing but these options, each a word of its own with its value behind
 * it. `null`: something else is among them, as a command, a mistake, `--help` or `--config=PATH`.
 * commander reads all of that; loading it takes a third of a dry run's time.
 */
export function readRunOptions(args: readonly string[]): RunOptions & GlobalOptions | null {
  const given: Record<string, boolean | string | readonly string[]> = {};
  for (let at = 0; at < args.length; at++) {
    const row = ROWS.get(args[at] as string);
    if (row === undefined) return null;
    const { key, takesValue, repeatable = false } = row;
    if (!takesValue) {
      given[key] = true;
      continue;
    }
    const value = args[++at];
    if (value === undefined || /^-./s.test(value)) return null;
    given[key] = repeatable ? [...given[key] as readonly string[] ?? [], value] : value;
  }
  return given;
}

/** The rows by each of their flags. */
const ROWS = new Map(
  [...RUN_OPTIONS, ...COMMON_OPTIONS].flatMap((row) => {
    const flags = row.flags.match(/(?<=^|, )-[\w-]+/g) ?? [];
    const name = flags.at(-1)?.slice(2) ?? "";
    const key = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    return flags.map((flag) => [flag, { ...row, key, takesValue: row.flags.endsWith(">") }] as const);
  }),
);
