import { makeDetail } from "../detail/make_detail.ts";
import type { Rules } from "../facts/decision_context.ts";
import { updateOf } from "../facts/update.ts";
import type { Config } from "../model/config.ts";
import { changedKeys, followingOf } from "../model/following.ts";
import type { FollowOptions } from "../model/ledger.ts";
import type { Plugin } from "../model/plugin.ts";
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
      const { detail } = makeDetail(made.event, options);
      return changedKeys(settled.announced, detail, following).length === 0 ? null : made;
    },
  };
}
