import type { DeliveryOptions, RateLimitOptions, RetryOptions } from "../model/config.ts";
import { DELIVERY_DEFAULTS } from "../model/config_defaults.ts";

/** The delivery options of one plugin, with all defaults filled in. */
export interface Policy {
  readonly concurrency: number;
  readonly attemptTimeoutMs: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  readonly maxAgeMs: number;
  readonly permanentStatuses: ReadonlySet<number>;
  readonly breakerFailures: number;
  /** `null`: attempts start as soon as they can. */
  readonly limit: Required<RateLimitOptions> | null;
}

/** A plugin's policy: its own options, then those for all plugins, then the defaults. */
export function policyOf(plugin: string, retry: RetryOptions = {}): Policy {
  const { plugins, ...forAll } = retry;
  const options: typeof DELIVERY_DEFAULTS & DeliveryOptions = {
    ...DELIVERY_DEFAULTS,
    ...forAll,
    ...plugins?.[plugin],
  };
  return {
    concurrency: options.concurrency,
    attemptTimeoutMs: options.attemptTimeoutSeconds * 1000,
    firstDelayMs: options.firstDelaySeconds * 1000,
    maxDelayMs: options.maxDelaySeconds * 1000,
    maxAgeMs: options.maxAgeHours * 3_600_000,
    permanentStatuses: new Set(options.permanentStatuses),
    breakerFailures: options.breakerFailures,
    limit: options.limit === undefined
      ? null
      : { burst: Math.max(1, Math.floor(options.limit.perSecond)), ...options.limit },
  };
}

/**
 * Exponential back-off with full jitter: random between 0 and a bound that doubles with each
 * failure.
 */
export function delayMs(
  { firstDelayMs, maxDelayMs }: Pick<Policy, "firstDelayMs" | "maxDelayMs">,
  { failures, random }: { readonly failures: number; readonly random: () => number },
): number {
  const boundMs = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(failures - 1, 50));
  return Math.round(random() * boundMs);
}
