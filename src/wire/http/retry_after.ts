const SECONDS = /^\d{1,15}$/;
const DATE = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? /i;

/**
 * How long a `Retry-After` (RFC 9110, 10.2.3) asks to wait: seconds or an HTTP-date in any of its
 * three forms. A time in the past is 0; a value of another form is `undefined`.
 *
 * @param nowMs The time by the clock of the server that sent the header.
 */
export function retryAfterMs(value: string | null, nowMs: number): number | undefined {
  const text = value?.trim() ?? "";
  if (SECONDS.test(text)) return Number(text) * 1000;
  // The form of asctime() names no zone, and is UTC all the same.
  const dateMs = DATE.test(text) ? Date.parse(text.endsWith("GMT") ? text : `${text} GMT`) : NaN;
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
