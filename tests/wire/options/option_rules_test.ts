import assert from "node:assert/strict";
import {
  allOptionProblems,
  needs,
  optional,
  optionProblems,
  required,
} from "../../../src/wire/options/option_rules.ts";
import type { OptionRules } from "../../../src/wire/options/option_rules.ts";
import { isOneOf, isText, isWhole, matches, PORT, TEXT, TIMEOUT } from "../../../src/wire/options/option_values.ts";

interface Options {
  readonly room: string;
  readonly floor?: number;
  readonly user?: string;
  readonly password?: string;
  readonly mode?: string;
}

const RULES: OptionRules<Options> = {
  room: required(isText, "must be a text that is not empty"),
  floor: [
    optional(isWhole(-2, 9), "must be a whole number from -2 to 9"),
    optional((floor, { room }) => floor !== 9 || room !== "cellar", "contradicts room"),
  ],
  user: TEXT,
  password: [TEXT, needs("user")],
  mode: optional(isOneOf("a", "b"), (value) => `must be "a" or "b", not a ${typeof value}`),
};

/** Options are not always type-checked. */
function problems(options: Record<string, unknown>): string[] {
  return optionProblems(options as unknown as Options, RULES);
}

Deno.test("optionProblems() finds nothing wrong with options that are right, given or not", () => {
  assert.deepEqual(problems({ room: "4.12" }), []);
  assert.deepEqual(problems({ room: "4.12", floor: 9, user: "u", password: "p", mode: "a", more: 1 }), []);
  assert.deepEqual(problems({ room: "4.12", floor: undefined, mode: undefined }), []);
});

Deno.test("optionProblems() names every wrong option, in the order of the rules, never with its value", () => {
  assert.deepEqual(problems({ mode: 5, password: "s3cret", floor: 9.5 }), [
    "room: must be a text that is not empty",
    "floor: must be a whole number from -2 to 9",
    "password: needs user",
    `mode: must be "a" or "b", not a number`,
  ]);
});

Deno.test("optionProblems() tells all that is wrong with one option", () => {
  assert.deepEqual(problems({ room: "r", password: "" }), [
    "password: must be a text that is not empty",
    "password: needs user",
  ]);
});

Deno.test("optionProblems() relates an option to others", () => {
  assert.deepEqual(problems({ room: "cellar", floor: 9 }), ["floor: contradicts room"]);
});

Deno.test("allOptionProblems() tells problems in the order in which options are given, what is missing first", () => {
  const options = { mode: 5, "a\nb": 1, more: undefined, toString: 1, floor: 9.5 };
  assert.deepEqual(allOptionProblems(options as unknown as Options, RULES), [
    "room: must be a text that is not empty",
    `mode: must be "a" or "b", not a number`,
    "a\\u{a}b: unknown option",
    "toString: unknown option",
    "floor: must be a whole number from -2 to 9",
  ]);
});

for (
  const [name, rule, right, wrong] of [
    ["TEXT", TEXT, ["x", " "], ["", 5, null, ["x"]]],
    ["PORT", PORT, [1, 65535], [0, 65536, 1.5, "80", NaN, null]],
    ["TIMEOUT", TIMEOUT, [0.001, 3600], [0, -1, 3601, Infinity, NaN, "5", null]],
  ] as const
) {
  Deno.test(`${name} allows what it says`, () => {
    for (const value of right) assert.ok(rule.allows(value, {}), String(value));
    for (const value of wrong) assert.ok(!rule.allows(value, {}), String(value));
  });
}

Deno.test("matches() allows texts alone", () => {
  assert.deepEqual(["ab", "b", 5, null, ["a"]].map(matches(/^a/)), [true, false, false, false, false]);
});
