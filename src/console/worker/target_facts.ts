import { policyOf } from "../../dispatch/policy.ts";
import type { Json } from "../../model/notification.ts";
import type { Plugin } from "../../model/plugin.ts";
import type { TargetFacts } from "../target_facts.ts";
import { settingsOf } from "../../config/plugin_settings.ts";
import { withShortTexts } from "./short_texts.ts";
import type { WorkerContext, WorkerRequest } from "./worker_context.ts";

/** The plugins that the ledger or the configuration knows. */
export async function readTargetFacts(_: WorkerRequest, context: WorkerContext): Promise<readonly TargetFacts[]> {
  const { withLedger, plugins, loaded } = context;
  const states = await withLedger((ledger) => ledger.pluginStates());
  return states.map((state): TargetFacts => {
    const plugin = plugins.get(state.plugin);
    return {
      ...withShortTexts(state),
      settings: plugin === undefined ? null : settingsOf(plugin, state.plugin),
      can: abilitiesOf(plugin),
      retry: retryOf(policyOf(state.plugin, loaded.config.retry)),
    };
  });
}

function abilitiesOf(plugin: Plugin | undefined): TargetFacts["can"] {
  return {
    preview: plugin?.preview !== undefined,
    check: plugin?.check !== undefined,
    update: plugin?.update !== undefined,
    list: plugin?.list !== undefined,
  };
}

/** In the words of `retry` in config.ts, with all defaults. */
function retryOf(policy: ReturnType<typeof policyOf>): Json {
  return {
    concurrency: policy.concurrency,
    attemptTimeoutSeconds: policy.attemptTimeoutMs / 1000,
    firstDelaySeconds: policy.firstDelayMs / 1000,
    maxDelaySeconds: policy.maxDelayMs / 1000,
    maxAgeHours: policy.maxAgeMs / 3_600_000,
    permanentStatuses: [...policy.permanentStatuses],
    breakerFailures: policy.breakerFailures,
    limit: policy.limit === null ? null : { ...policy.limit },
  };
}
