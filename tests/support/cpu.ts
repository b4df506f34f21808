import { cpuUsage } from "node:process";

/** Milliseconds of the processor that this process has used: other than the time of day, nobody else's work counts. */
export function cpuMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

/** A megabyte of JSON, as services write it. */
const TEXT = JSON.stringify(
  Array.from({ length: 20_000 }, (_, id) => ({ id, name: `server-${id}`, tags: ["a", "b"] })),
);

/** What {@linkcode slowness} takes for 1: milliseconds. */
const PACE_MS = 65;

/**
 * How much more processor time this machine needs now for the same work than the one for which
 * budgets of processor time were set: at least 1. Virtual machines differ, and from hour to hour.
 */
export function slowness(): number {
  let best = Infinity;
  for (let round = 0; round < 5; round++) {
    const began = cpuMs();
    for (let times = 0; times < 10; times++) JSON.stringify(JSON.parse(TEXT));
    best = Math.min(best, cpuMs() - began);
  }
  return Math.max(1, best / PACE_MS);
}
