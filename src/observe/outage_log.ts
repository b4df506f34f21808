import type { Clock } from "../model/clock.ts";
import type { TargetOutage } from "../model/outage.ts";
import type { Logger } from "../model/plugin.ts";
import { duration } from "./duration.ts";

export interface OutageLogOptions {
  readonly clock: Clock;
  /** A logger by a plugin's name. */
  readonly log: (plugin: string) => Logger;
  /** The number of events that wait for a plugin; rejects if the ledger cannot be read. */
  readonly waiting: (plugin: string) => Promise<number>;
}

const REMIND_EVERY_MS = 3_600_000;

/** A shorter time would be shown as "0 s". */
const SOON_MS = 500;

/** Logs the beginning and the end of a target's outage, and a reminder each hour in between. */
export class OutageLog {
  readonly #options: OutageLogOptions;
  readonly #open = new Map<string, { outage: TargetOutage; readonly ended: AbortController }>();

  constructor(options: OutageLogOptions) {
    this.#options = options;
  }

  /** Called by a plugin's lane: with the outage when its state changes, with `null` at its end. */
  readonly onOutage = (plugin: string, outage: TargetOutage | null): void => {
    const open = this.#open.get(plugin);
    if (outage === null) this.#end(plugin);
    else if (open !== undefined) open.outage = outage;
    else this.#begin(plugin, outage);
  };

  /** Stops all reminders. */
  close(): void {
    for (const { ended } of this.#open.values()) ended.abort();
    this.#open.clear();
  }

  #begin(plugin: string, outage: TargetOutage): void {
    const ended = new AbortController();
    this.#open.set(plugin, { outage, ended });
    void this.#warn(plugin, { outage, what: `Target ${verb(outage)}` });
    void this.#remind(plugin, ended.signal);
  }

  #end(plugin: string): void {
    const open = this.#open.get(plugin);
    if (open === undefined) return;
    open.ended.abort();
    this.#open.delete(plugin);
    const lasted = duration(this.#options.clock.now() - open.outage.since);
    void this.#count(plugin).then((count) => {
      const events = count === null ? "events" : count === 1 ? "1 event" : `${count} events`;
      this.#options.log(plugin).info(`Target is reached again after ${lasted}; ${events} waited`);
    });
  }

  async #remind(plugin: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#options.clock.sleep(REMIND_EVERY_MS, signal);
      const outage = this.#open.get(plugin)?.outage;
      if (signal.aborted || outage === undefined) return;
      const lasted = duration(this.#options.clock.now() - outage.since);
      await this.#warn(plugin, { outage, what: `Target ${verb(outage)} for ${lasted} already` });
    }
  }

  async #warn(
    plugin: string,
    { outage, what }: { readonly outage: TargetOutage; readonly what: string },
  ): Promise<void> {
    const { clock, log } = this.#options;
    const nextMs = outage.nextProbeAt - clock.now();
    const count = await this.#count(plugin);
    const waits = count === null ? "Events wait" : count === 1 ? "1 event waits" : `${count} events wait`;
    const probe = nextMs >= SOON_MS ? `in ${duration(nextMs)}` : "at once";
    log(plugin).warn(`${what}: ${outage.error}. ${waits}; next probe ${probe}`);
  }

  #count(plugin: string): Promise<number | null> {
    return this.#options.waiting(plugin).catch(() => null);
  }
}

function verb({ reason }: TargetOutage): string {
  if (reason === "connection") return "cannot be reached";
  return reason === "unauthorized" ? "refuses the credentials" : "fails";
}
