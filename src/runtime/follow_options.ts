import { makeDetail } from "../detail/make_detail.ts";
import type { Rules } from "../facts/decision_context.ts";
import { updateOf } from "../facts/update.ts";
import type { Config } from "../model/config.ts";
import type { WatcherEvent } from "../model/event.ts";
import { changedKeys, followingOf } from "../model/following.ts";
import type { FollowOptions } from "../model/ledger.ts";
import type { ServerMemory } from "../model/memory.ts";
import type { Plugin } from "../model/plugin.ts";
import type { FindUpdate } from "../reconcile/judge.ts";
import { detailOptionsOf } from "./detail_stage.ts";

/** How updates are announced, as config.ts says; `null`: changes of servers are not followed. */
export function followOptionsOf(
  config: Config,
  { plugins, rules }: {
    readonly plugins: ReadonlyMap<string, Plugin>;
    readonly rules: () => Pick<Rules, "restoredAtMs">;
  },
): FollowOptions | null {
  const following = followingOf(config.events);
  if (following === null) return null;
  const options = detailOptionsOf(config);
  return {
    plugins: [...plugins].filter(([, { update }]) => update !== undefined).map(([name]) => name),
    settleMs: following.settleMs,
    makeUpdate: (settled) => {
      const made = updateOf(settled, rules());
      // Whether there is anything to tell is then found when it is delivered.
      if (settled.announced === null) return made;
      const { detail, failed } = makeDetail(made.event, options);
      const unmade = new Set(failed.map(({ key }) => key));
      const changed = changedKeys(settled.announced, detail, following);
      return changed.every((key) => unmade.has(key)) ? null : made;
    },
  };
}

/**
 * Finds the updates that a comparison with OpenStack leads to, against what memory would have told;
 * `undefined`: changes of servers are not followed.
 */
export function findUpdateOf(config: Config, rules: Pick<Rules, "restoredAtMs">): FindUpdate | undefined {
  const following = followingOf(config.events);
  if (following === null) return undefined;
  const options = detailOptionsOf(config);
  const cause = { eventType: "compute.instance.update", messageId: "plan", time: new Date(0).toISOString() };
  return ({ before, now, floatingIps }) => {
    const eventOf = (server: ServerMemory) => updateOf({ server, floatingIps, cause }, rules).event;
    const update = eventOf(now);
    const detailOf = (event: WatcherEvent) => makeDetail(event, options).detail;
    const changed = changedKeys(detailOf(eventOf(before)), detailOf(update), following);
    return changed.length === 0 ? null : { key: update.key, changed };
  };
}
