/**
 * Any of OpenStack's date forms as ISO 8601 in UTC with milliseconds; `null` for `""`, for what is absent and for what is no date.
 * Without a zone it is UTC, never local time.
 *
 * Seen: `2026-11-21 18:59:38.385676`, `2026-11-21T18:59:38.194728`, `2026-11-21 18:59:25+00:00`, `2026-11-21T19:13:08Z`, `""`.
 */
export function isoUtc(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const match = FORM.exec(value.trim());
  if (match === null) return null;
  const [, date, time, fraction = "", zone = "Z"] = match;
  const millis = fraction.slice(0, 3).padEnd(3, "0");
  const colonZone = /^[+-]\d{4}$/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const instant = new Date(`${date}T${time}.${millis}${colonZone}`);
  if (Number.isNaN(instant.getTime())) return null;
  // Date rolls 30 February over into March: a day that does not exist is no date.
  if (colonZone === "Z" && !instant.toISOString().startsWith(date as string)) return null;
  return instant.toISOString();
}

const FORM = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|z|[+-]\d\d:?\d\d)?$/;
