import { makeDetail } from "../detail/make_detail.ts";
import type { DetailOptions } from "../model/config.ts";
import type { WatcherEvent } from "../model/event.ts";
import type { DetailRecord } from "../model/ledger.ts";
import type { Logger } from "../model/plugin.ts";

/** Stage 3 for one event: its detail, and which keys could not be had. */
export type DetailStage = (event: WatcherEvent) => Omit<DetailRecord, "seq">;

/** Makes details as config.ts says. A function of `detail.fields` that throws costs its key and a log line, never the event. */
export function detailStage(options: DetailOptions | undefined, log: Logger): DetailStage {
  return (event) => {
    const { detail, failed } = makeDetail(event, options);
    for (const { key, error } of failed) {
      const why = error instanceof Error ? error.message : String(error);
      log.warn(`detail.fields.${key} threw for ${event.key}: ${why}. The key is null`);
    }
    return { detail, missing: failed.map(({ key }) => key) };
  };
}
