import { printable } from "../escaping/printable.ts";

/** Options as config.ts gives them, which is not always type-checked. */
export type GivenOptions<Options> = { readonly [Key in keyof Options]?: unknown };

/** What one option must be. */
export interface OptionRule<Options> {
  /** `false`: the rule is not applied to an option that is not given. */
  readonly isRequired: boolean;
  /** Whether the value is right. Rules that relate options to each other look at the others too. */
  readonly allows: (value: unknown, options: GivenOptions<Options>) => boolean;
  /**
   * Follows the option's name in the error text, as `must be true or false`. It must not hold the
   * value.
   */
  readonly problem: string | ((value: unknown, options: GivenOptions<Options>) => string);
}

/** The rules of each of these options, in the order in which problems are told. */
export type OptionRules<Options, Key extends keyof Options = keyof Options> = {
  readonly [Name in Key]-?: OptionRule<Options> | readonly OptionRule<Options>[];
};

/** A rule for an option that need not be given. */
export function optional<Options>(
  allows: OptionRule<Options>["allows"],
  problem: OptionRule<Options>["problem"],
): OptionRule<Options> {
  return { isRequired: false, allows, problem };
}

/** A rule that is applied to an option that is not given, too. */
export function required<Options>(allows: OptionRule<Options>["allows"], problem: string): OptionRule<Options> {
  return { isRequired: true, allows, problem };
}

/** A rule for an option that makes no sense without another one. */
export function needs<Options>(other: keyof Options & string): OptionRule<Options> {
  return optional((_value, options) => options[other] !== undefined, `needs ${other}`);
}

/**
 * What is wrong with options, `option: what is allowed` each, never with a value; empty: nothing.
 * Options without a rule are left to {@linkcode allOptionProblems}.
 *
 * @example
 * ```ts
 * import { isText, needs, optional, type OptionRules, optionProblems, required } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * interface MineOptions {
 *   readonly room: string;
 *   readonly user?: string;
 *   readonly password?: string;
 * }
 * const RULES: OptionRules<MineOptions> = {
 *   room: required(isText, "must be a text that is not empty"),
 *   user: optional(isText, "must be a text that is not empty"),
 *   password: needs("user"),
 * };
 *
 * assert.deepEqual(optionProblems({ room: "", password: "s3cret" }, RULES), [
 *   "room: must be a text that is not empty",
 *   "password: needs user",
 * ]);
 * ```
 */
export function optionProblems<Options extends object, Key extends keyof Options>(
  options: Options,
  rules: OptionRules<Options, Key>,
): string[] {
  return Object.keys(rules).flatMap((name) => problemsOf(options, rules, name));
}

/**
 * The same for options that all have rules, in the order in which they are given. One without a
 * rule is an `unknown option`.
 */
export function allOptionProblems<Options extends object>(options: Options, rules: OptionRules<Options>): string[] {
  const given = Object.keys(options).filter((name) => Reflect.get(options, name) !== undefined);
  const missing = Object.keys(rules).filter((name) => !given.includes(name));
  return [...missing, ...given].flatMap((name) =>
    Object.hasOwn(rules, name) ? problemsOf(options, rules, name) : [`${printable(name, 60)}: unknown option`]
  );
}

/**
 * Refuses the options that a plugin or a target is made with, if they have problems.
 *
 * @param cannot The beginning of the error text, as `Cannot make RestNotify`.
 * @throws {TypeError} with all the problems.
 */
export function refuseProblems(cannot: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new TypeError(`${cannot}: ${problems.join("; ")}`);
}

function problemsOf<Options extends object>(options: Options, rules: object, name: string): string[] {
  const value: unknown = Reflect.get(options, name);
  const ofOption: readonly OptionRule<Options>[] = [Reflect.get(rules, name)].flat();
  const broken = ofOption.filter(({ isRequired, allows }) =>
    (isRequired || value !== undefined) && !allows(value, options)
  );
  return broken.map(({ problem }) => `${name}: ${typeof problem === "string" ? problem : problem(value, options)}`);
}
