import { Lane } from "../dispatch/lane.ts";
import { policyOf } from "../dispatch/policy.ts";
import type { RetryingLedger } from "../ledger/retrying_ledger.ts";
import { followingOf } from "../model/following.ts";
import { redact } from "../wire/secrets/redact.ts";
import type { ServiceOptions } from "./service_options.ts";
import type { Status } from "./status.ts";

/** Creates stage 4: a lane per plugin. */
export function makeLanes(
  { config, plugins, clock, random, log }: ServiceOptions,
  { ledger, status }: {
    readonly ledger: RetryingLedger;
    readonly status: Pick<Status, "onAttempt" | "onOutage">;
  },
): readonly Lane[] {
  const { onAttempt, onOutage } = status;
  const following = followingOf(config.events);
  return [...plugins].map(([name, plugin]) =>
    new Lane({
      plugin,
      name,
      policy: policyOf(name, config.retry),
      following,
      ledger,
      clock,
      random,
      log: log(name),
      redact,
      canRecord: () => ledger.writable,
      onAttempt,
      onOutage,
    })
  );
}
