/**
 * Converts any date format of OpenStack to ISO 8601 in UTC with milliseconds; `null` for `""`, an
 * absent value, or what is no date. Without a time zone, a date is UTC, never local time.
 *
 * Known formats: `2026-11-21 18:59:38.385676`, `2026-11-21T18:59:38.194728`,
 * `2026-11-21 18:59:25+00:00`, `2026-11-21T19:13:08Z`, `""`.
 */
export function isoUtc(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const match = FORM.exec(value.trim());
  if (match === null) return null;
  const [, date, time, fraction = "", zone = "Z"] = match;
  const millis = fraction.slice(0, 3).padEnd(3, "0");
  const written = `${date}T${time}.${millis}`;
  // `Date` turns 30 February into March: a day that does not exist is refused.
  if ((date as string).slice(8) > "28" && iso(`${written}Z`) !== `${written}Z`) return null;
  if (zone === "Z" || zone === "z") return `${written}Z`;
  const utc = iso(`${written}${/^[+-]\d{4}$/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone}`);
  // A time zone may lead out of the years 0 to 9999, which ISO 8601 writes with sign and 6 digits.
  return utc?.length === "2026-11-21T18:59:38.385Z".length ? utc : null;
}

function iso(text: string): string | null {
  const instant = new Date(text);
  return Number.isNaN(instant.getTime()) ? null : instant.toISOString();
}

const FORM =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[T ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:[.,](\d{1,9}))?(Z|z|[+-]\d\d:?\d\d)?$/;
