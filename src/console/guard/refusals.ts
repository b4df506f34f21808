import type { Logger } from "../../model/plugin.ts";
import { printable } from "../../wire/escaping/printable.ts";

export interface RefusalsOptions {
  readonly log: Logger;
  readonly now: () => number;
}

/** Lines of a minute, of each reason. */
const LINES = 5;
const MINUTE_MS = 60_000;

/** Tells the log of refused requests, some of each reason in a minute: nobody may fill it. */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #counts = new Map<string, { since: number; count: number }>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /**
   * @param reason One of a few texts of ours.
   * @param about What the request says of itself; it may be hostile.
   */
  note(reason: string, about: { readonly address: string; readonly request: Request }): void {
    const { log, now } = this.#options;
    const minute = this.#minuteOf(reason, now());
    minute.count++;
    if (minute.count > LINES) return;
    const { method, url } = about.request;
    const what = printable(`${method} ${new URL(url).pathname}`, 120);
    const more = minute.count === LINES ? ". Further ones of this kind are not told for a minute" : "";
    log.warn(`Refused ${what} from ${about.address}: ${reason}${more}`);
  }

  #minuteOf(reason: string, now: number): { since: number; count: number } {
    const found = this.#counts.get(reason);
    if (found !== undefined && Math.abs(now - found.since) < MINUTE_MS) return found;
    if (found !== undefined && found.count > LINES) {
      this.#options.log.warn(`Refused ${found.count - LINES} more requests: ${reason}`);
    }
    const minute = { since: now, count: 0 };
    this.#counts.set(reason, minute);
    return minute;
  }
}
