import { RetryingSource } from "../detail/retrying_source.ts";
import type { Clock } from "../model/clock.ts";
import type { Config } from "../model/config.ts";
import type { Ledger } from "../model/ledger.ts";
import type { Logger } from "../model/plugin.ts";
import type { OpenStackApi } from "../openstack/api.ts";
import type { CloudScope } from "../model/comparison.ts";
import { CloudReader } from "./cloud_reader.ts";
import { scopeOf } from "./cloud_view.ts";
import { Priming } from "./priming.ts";
import { rulesOf } from "./rules.ts";
import { OPENSTACK_DEFAULTS } from "../model/config_defaults.ts";

/** The parts of the service that ask OpenStack. */
export interface Cloud {
  /** Completes details: stage 3. */
  readonly source: RetryingSource;
  /** Teaches a new ledger which resources exist. */
  readonly priming: Priming;
}

export interface CloudOptions {
  readonly ledger: Ledger;
  readonly config: Config;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: (part: string) => Logger;
  /** Called once, when messages may be decided. */
  readonly onOpen: () => void;
  /** Stores as whom, and where, the ledger has read OpenStack. */
  readonly onScope: (scope: CloudScope) => Promise<void>;
}

/** Creates both parts, with the same maximum waiting time. */
export function makeCloud(api: OpenStackApi, options: CloudOptions): Cloud {
  const { config, ledger, clock, random, log, onOpen, onScope } = options;
  let isScopeStored = false;
  const maxWaitMs = (config.openstack?.maxWaitSeconds ?? OPENSTACK_DEFAULTS.maxWaitSeconds) * 1000;
  const asking = { api, clock, random, log: log("openstack") };
  const priming = new Priming({
    reader: new CloudReader(asking),
    ledger,
    rules: rulesOf(config),
    clock,
    log: log("priming"),
    maxWaitMs,
    onOpen,
    onPage: async (signal) => {
      if (isScopeStored) return;
      await onScope(scopeOf(await api.scope(signal)));
      isScopeStored = true;
    },
  });
  return { source: new RetryingSource({ ...asking, maxWaitMs }), priming };
}
