import type { Clock } from "../model/clock.ts";
import type { Logger } from "../model/plugin.ts";
import type { Health } from "./health.ts";

/** The environment variables that systemd sets for a service of type notify. */
export interface SystemdEnvironment {
  /** A path, or a name in Linux' abstract namespace with `@` before it. */
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

/** Reads these variables from the environment of this process. */
export function systemdEnvironment(): SystemdEnvironment {
  const names = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;
  return Object.fromEntries(names.map((name) => [name, Deno.env.get(name)]));
}

/**
 * Sends the service's state to systemd (sd_notify(3)). Does nothing without systemd; never throws.
 */
export class Systemd implements Disposable {
  readonly #target: Deno.UnixAddr | null;
  readonly #watchdogMs: number | null;
  readonly #log: Logger;
  #socket: Deno.DatagramConn | null = null;

  constructor(env: SystemdEnvironment, { pid, log }: { readonly pid: number; readonly log: Logger }) {
    const { NOTIFY_SOCKET: address = "", WATCHDOG_USEC: usec, WATCHDOG_PID: watched = String(pid) } = env;
    const path = address.startsWith("@") ? `\0${address.slice(1)}` : address;
    this.#target = address === "" ? null : { transport: "unixpacket", path };
    this.#watchdogMs = this.#target !== null && Number(usec) > 0 && watched === String(pid)
      ? Number(usec) / 1000
      : null;
    this.#log = log;
  }

  /** Whether systemd expects notifications. */
  get listens(): boolean {
    return this.#target !== null;
  }

  /**
   * Interval of watchdog notifications in milliseconds: half of systemd's limit. `null` without a
   * watchdog.
   */
  get watchdogIntervalMs(): number | null {
    return this.#watchdogMs === null ? null : this.#watchdogMs / 2;
  }

  /** @param variables As `{ READY: "1", STATUS: "Listening" }`. */
  async tell(variables: Readonly<Record<string, string>>): Promise<void> {
    if (this.#target === null) return;
    const lines = Object.entries(variables).map(([name, value]) => `${name}=${value.replaceAll("\n", " ")}\n`);
    try {
      this.#socket ??= Deno.listenDatagram({ transport: "unixpacket", path: `\0oss-watcher-${crypto.randomUUID()}` });
      await this.#socket.send(new TextEncoder().encode(lines.join("")), this.#target);
    } catch (error) {
      this.#log.warn(`Cannot tell systemd ${Object.keys(variables).join(", ")}: ${error}`);
    }
  }

  [Symbol.dispose](): void {
    this.#socket?.close();
    this.#socket = null;
  }
}

export interface ReportOptions {
  readonly systemd: Systemd;
  readonly health: Pick<Health, "livenessProblems" | "readinessProblems">;
  readonly clock: Clock;
}

const CHECK_EVERY_MS = 1_000;
const CHECK_AT_START_MS = 100;
/**
 * The start is reported as finished after this time even without RabbitMQ: an unreachable RabbitMQ
 * is not a failed start, and is shown in the status.
 */
const READY_AFTER_MS = 10_000;

/**
 * Reports to systemd until the signal aborts: READY when the service consumes or 10 s have passed,
 * STATUS when it changes, and WATCHDOG as long as no loop is stuck. STOPPING is not sent here:
 * systemd would then wait for the end of a process that only reloads.
 */
export async function reportToSystemd({ systemd, health, clock }: ReportOptions, signal: AbortSignal): Promise<void> {
  if (!systemd.listens) return;
  const startedAt = clock.passedMs();
  let told = "";
  for (let ready = false; !signal.aborted;) {
    const readinessProblems = health.readinessProblems();
    const status = readinessProblems.length === 0 ? "Consuming" : readinessProblems.join("; ");
    ready ||= readinessProblems.length === 0 || clock.passedMs() - startedAt >= READY_AFTER_MS;
    const news = `${ready} ${status}`;
    if (news !== told) await systemd.tell({ ...ready && { READY: "1" }, STATUS: status });
    told = news;
    const { watchdogIntervalMs } = systemd;
    if (watchdogIntervalMs !== null && health.livenessProblems().length === 0) await systemd.tell({ WATCHDOG: "1" });
    await clock.sleep(Math.min(ready ? CHECK_EVERY_MS : CHECK_AT_START_MS, watchdogIntervalMs ?? Infinity), signal);
  }
}
