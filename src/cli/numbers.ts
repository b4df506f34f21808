import { InvalidArgumentError } from "commander";

/** Reads a whole number from 1 on; for an option. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("Write a whole number from 1 on.");
  return value;
}

const MAX_SECONDS = 7 * 86_400;

/** Reads a time in seconds, at most a week. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= MAX_SECONDS)) {
    throw new InvalidArgumentError(`Write a number of seconds above 0, at most ${MAX_SECONDS}.`);
  }
  return value;
}
