// Processor time and memory of a process, from /proc.

/** Ticks of the clock in /proc: 100 a second on every Linux that Debian builds. */
const TICKS_PER_SECOND = 100;

/**
 * Seconds of processor time that a process has used with all its threads, in its own code and in
 * the kernel for it.
 */
export function cpuSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name of the program may hold anything but ends with the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** MiB that a process has in memory. */
export function residentMib(pid: number): number {
  return statusMib(pid, "VmRSS");
}

/** MiB that a process had in memory at most, so far. */
export function peakMib(pid: number): number {
  return statusMib(pid, "VmHWM");
}

function statusMib(pid: number, field: "VmRSS" | "VmHWM"): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? NaN) / 1024;
}

/** Milliseconds of processor time of a process's first thread, which runs its JavaScript. */
export function threadMs(pid: number): number {
  const [nanoseconds] = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/schedstat`).split(" ");
  return Number(nanoseconds) / 1e6;
}
