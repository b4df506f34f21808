import { needs, optional, type OptionRule } from "./option_rules.ts";

/** Whether a value is a text that is not empty. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Tells texts that match a pattern. */
export function matches(pattern: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === "string" && pattern.test(value);
}

/** Tells whole numbers within two limits, both allowed. */
export function isWhole(least: number, most: number): (value: unknown) => boolean {
  return (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

/** Tells these values from all others. */
export function isOneOf(...allowed: readonly unknown[]): (value: unknown) => boolean {
  return (value) => allowed.includes(value);
}

/** Tells one value, or a list that is not empty, of which each passes the test. */
export function isOneOrMore(test: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => Array.isArray(value) ? value.length > 0 && value.every(test) : test(value);
}

/** Whether what is percent-encoded in a part of a URL can be read. */
export function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** For a text that need not be given. */
export const TEXT: OptionRule<unknown> = optional(isText, "must be a text that is not empty");

/** For a switch that need not be given. */
export const BOOLEAN: OptionRule<unknown> = optional((value) => typeof value === "boolean", "must be true or false");

/** For a port that need not be given. */
export const PORT: OptionRule<unknown> = optional(isWhole(1, 65535), "must be a whole number from 1 to 65535");

/** For a time-out in seconds that need not be given. */
export const TIMEOUT: OptionRule<unknown> = optional(
  (value) => typeof value === "number" && value > 0 && value <= 3600,
  "must be a number above 0 and at most 3600",
);

/** For the PEM files of a certificate and its key: none, or both. */
export const CERTIFICATE = {
  certFile: [TEXT, needs<{ readonly keyFile?: string }>("keyFile")],
  keyFile: [TEXT, needs<{ readonly certFile?: string }>("certFile")],
} as const;
