import { cpuUsage } from "node:process";

/** Milliseconds of the processor that this process has used: other than the time of day, nobody else's work counts. */
export function cpuMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}
