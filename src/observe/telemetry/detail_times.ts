import type { DetailRecord, LedgerEvent } from "../../model/ledger.ts";
import type { WatcherEvent } from "../../model/event.ts";
import { Newest } from "./newest.ts";
import type { TimedDetail } from "./notification_spans.ts";

/** More than wait for OpenStack at once. */
const MAX_OPEN = 20_000;

/** When the making of details began that need OpenStack: from the first read of the event on. */
export class DetailTimes {
  readonly #begun = new Newest<number, { readonly event: WatcherEvent; readonly startedAt: number }>(MAX_OPEN);

  begun(events: readonly LedgerEvent[], startedAt: number): void {
    for (const { seq, event } of events) {
      if (!this.#begun.has(seq)) this.#begun.set(seq, { event, startedAt });
    }
  }

  /** What is known of the details that were stored. */
  ended(details: readonly DetailRecord[], endedAt: number): readonly TimedDetail[] {
    return details.flatMap(({ seq, missing }) => {
      const begun = this.#begun.take(seq);
      return begun === undefined ? [] : [{ ...begun, missing, endedAt }];
    });
  }
}
