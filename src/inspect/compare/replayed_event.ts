import type { Detail } from "../../model/detail.ts";
import type { Json } from "../../model/notification.ts";
import type { DryRunResult } from "../../runtime/dry_run.ts";
import type { PluginPreview } from "../../runtime/preview.ts";
import { withoutGivenSecrets } from "../../wire/secrets/without_given_secrets.ts";

/** What a plugin would send for an event. */
export interface Sent {
  readonly name: string;
  /** @default "notify" */
  readonly method?: "update";
  /** `null`: the plugin has no preview, or is not called. */
  readonly preview: Json;
  /** Why the preview, or the plugin's filter, failed. */
  readonly error?: string;
  /** The plugin's filter does not let the event through. @default false */
  readonly skipped?: true;
}

/**
 * An event of a replayed history, with all that a configuration decides about it. As JSON it is an
 * event of a file of expected events.
 */
export interface ReplayedEvent {
  readonly key: string;
  /** Type and time of the notification that led to it. */
  readonly event: string;
  readonly time: string | null;
  readonly created: boolean;
  /** Of an update: the keys whose changes are told. */
  readonly changed?: readonly string[];
  /** `false`: a deletion whose creation is not in the history. @default true */
  readonly creationSeen?: false;
  /** The keys that OpenStack would be asked for. @default none */
  readonly keysToAsk?: readonly string[];
  readonly detail: Detail;
  readonly plugins: readonly Sent[];
}

/** The events of one notification. */
export function replayedEvents(
  { event, time, events, plugins, creationSeen, keysToAsk }: DryRunResult,
): readonly ReplayedEvent[] {
  return events.map(({ key, created, changed, detail }) => {
    const asked = keysToAsk.get(key) ?? [];
    return {
      key,
      event,
      time,
      created,
      ...(changed === undefined ? {} : { changed }),
      ...(creationSeen.get(key) === false ? { creationSeen: false } : {}),
      ...(asked.length === 0 ? {} : { keysToAsk: asked }),
      // It is written to files that are given away.
      detail: withoutGivenSecrets(detail as Json) as unknown as Detail,
      plugins: plugins.filter((preview) => preview.key === key).map(sentOf),
    };
  });
}

function sentOf({ name, method, preview, error, skipped }: PluginPreview): Sent {
  return {
    name,
    ...(method === "update" ? { method } : {}),
    preview,
    ...(error === undefined ? {} : { error }),
    ...(skipped === undefined ? {} : { skipped }),
  };
}
