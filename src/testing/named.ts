import assert from "node:assert/strict";
import { textOf } from "./attempt.ts";

/** An assertion's failure, with its subject in the message. */
export function named(what: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new assert.AssertionError({ message: `${what}: ${textOf(error).slice(0, 2000)}` });
  }
}
