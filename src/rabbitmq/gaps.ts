import type { Gap, GapRecord, GapSource } from "../model/gap.ts";
import type { Logger } from "../model/plugin.ts";

export interface BrokerGapsOptions {
  readonly source: GapSource;
  /** @default gaps are not stored */
  readonly record?: GapRecord | undefined;
  readonly log: Logger;
}

/** Stores the gaps of one source: times in which notifications may be missing. */
export class BrokerGaps {
  readonly #options: BrokerGapsOptions;

  constructor(options: BrokerGapsOptions) {
    this.#options = options;
  }

  /** The gaps that an earlier run left open. */
  async open(): Promise<readonly Gap[]> {
    const { source, record } = this.#options;
    const open = await record?.openGaps() ?? [];
    return open.filter((gap) => gap.source.queue === source.queue && gap.source.brokers === source.brokers);
  }

  /** As {@linkcode GapRecord.lastRunAt}. */
  async lastRunAt(): Promise<number | null> {
    return await this.#options.record?.lastRunAt() ?? null;
  }

  /** Stores the beginning or end of a gap, in the background: consuming does not wait for it. */
  record(gap: Omit<Gap, "source">): void {
    const { source, record, log } = this.#options;
    record?.recordGap({ source, ...gap }).catch((error) => {
      const since = new Date(gap.from).toISOString();
      log.warn(`Cannot remember that notifications of queue "${source.queue}" may be missing since ${since}: ${error}`);
    });
  }
}
