import type { Clock } from "../model/clock.ts";
import type { Logger } from "../model/plugin.ts";
import type { Health } from "./health.ts";

/** What systemd put into the environment; nothing of it elsewhere. */
export interface SystemdEnvironment {
  /** A path, or with `@` before it a name in Linux' abstract namespace. */
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

/** The environment of this process. */
export function systemdEnvironment(): SystemdEnvironment {
  const names = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;
  return Object.fromEntries(names.map((name) => [name, Deno.env.get(name)]));
}

/** Tells systemd how the service is (sd_notify(3)). Says nothing to nobody where there is no systemd; never throws. */
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

  /** Whether anybody listens. */
  get listens(): boolean {
    return this.#target !== null;
  }

  /** How often a sign of life is expected at least, milliseconds; `null` when none is. */
  get signOfLifeEveryMs(): number | null {
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

const LOOK_EVERY_MS = 1_000;
const LOOK_AT_START_MS = 100;
/** A start waits for RabbitMQ no longer: that it cannot be reached is no failure of ours, and is seen in the status. */
const READY_AFTER_MS = 10_000;

/**
 * Tells systemd until the signal aborts: that the service is ready, once it consumes or that takes long; its status when that changes; and
 * signs of life as long as it is alive. That it stops is not said here: systemd would wait for the end of a process that only reloads.
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
    const { signOfLifeEveryMs } = systemd;
    if (signOfLifeEveryMs !== null && health.livenessProblems().length === 0) await systemd.tell({ WATCHDOG: "1" });
    await clock.sleep(Math.min(ready ? LOOK_EVERY_MS : LOOK_AT_START_MS, signOfLifeEveryMs ?? Infinity), signal);
  }
}
