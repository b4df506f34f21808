import { Lane } from "../dispatch/lane.ts";
import { policyOf } from "../dispatch/policy.ts";
import type { RetryingLedger } from "../ledger/retrying_ledger.ts";
import { followingOf } from "../model/following.ts";
import type { LoopHeartbeat } from "../model/loop_heartbeat.ts";
import type { Plugin } from "../model/plugin.ts";
import type { Tenure } from "../model/tenancy.ts";
import { redact } from "../wire/secrets/redact.ts";
import type { ServiceOptions } from "./service_options.ts";
import type { Status } from "./status.ts";

export interface MakeLaneOptions {
  readonly service: ServiceOptions;
  readonly ledger: RetryingLedger;
  readonly status: Pick<Status, "onAttempt" | "onOutage">;
  readonly tenure: Tenure;
  readonly heartbeat: LoopHeartbeat;
}

/** Creates the lane of a plugin, stage 4, for the time in which its deliveries are ours. */
export function makeLane(
  name: string,
  { service: { config, plugins, clock, random, log, telemetry }, ledger, status, tenure, heartbeat }: MakeLaneOptions,
): Lane {
  const { onAttempt, onOutage } = status;
  const plugin = plugins.get(name) as Plugin;
  return new Lane({
    plugin: telemetry?.tracedPlugin(name, plugin) ?? plugin,
    name,
    policy: policyOf(name, config.retry),
    following: followingOf(config.events),
    ledger,
    heartbeat,
    clock,
    random,
    log: log(name),
    redact,
    canRecord: () => ledger.writable && tenure.isValid(),
    onAttempt,
    onOutage,
  });
}
