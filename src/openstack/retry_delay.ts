import { OpenStackUnavailable } from "./errors.ts";

const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 60_000;

/**
 * The back-off after a number of consecutive failures: it doubles from 1 s to 60 s, with jitter,
 * and is added to the time that the service asked for (Retry-After).
 */
export function retryDelayMs(
  error: unknown,
  { failures, random }: { readonly failures: number; readonly random: () => number },
): number {
  const askedMs = error instanceof OpenStackUnavailable ? error.retryAfterMs ?? 0 : 0;
  const upperEndMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
  return askedMs + Math.round((0.5 + random() / 2) * upperEndMs);
}
