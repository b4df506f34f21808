import assert from "node:assert/strict";
import { DeliveryError, type Plugin } from "../../mod.ts";
import { context, detail } from "../plugins/notification.ts";
import { until } from "./until.ts";

const DELIVERED_MS = 180_000;
/** As many are delivered before the outage. */
const BEFORE = 10;

/** A server that can be killed. */
export interface Outage {
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
}

/**
 * Delivers an event of each key, again and again until the plugin has done so, while the server is
 * killed and comes back. Returns the reasons of the attempts that failed.
 */
export async function deliverThroughOutage(
  plugin: Plugin,
  { keys, kill, restart }: Outage & { readonly keys: readonly string[] },
): Promise<ReadonlySet<string>> {
  const reasons = new Set<string>();
  const deliver = (key: string) =>
    until(async () => {
      try {
        await plugin.notify(detail, true, context({ key }));
        return true;
      } catch (error) {
        assert(error instanceof DeliveryError, String(error));
        reasons.add(error.reason);
        return false;
      }
    }, DELIVERED_MS);

  await Promise.all(keys.slice(0, BEFORE).map(deliver));
  const rest = Promise.all(keys.slice(BEFORE).map(deliver));
  await kill();
  await until(() => reasons.size > 0);
  await restart();
  await rest;
  return reasons;
}
