/** Characters of a text in a list. */
const MAX_LENGTH = 500;

/**
 * A list with its texts cut short: a tenant's name may have a megabyte, and a page shows hundreds.
 * Keys stay whole: they name the event.
 */
export function withShortTexts<T>(value: T): T {
  return shortened(value, "") as T;
}

function shortened(value: unknown, key: string): unknown {
  if (typeof value === "string") {
    const isShort = value.length <= MAX_LENGTH || key === "key" || key === "sampleKey";
    return isShort ? value : `${value.slice(0, MAX_LENGTH).toWellFormed()}…`;
  }
  if (Array.isArray(value)) return value.map((one) => shortened(one, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shortened(one, name)]));
}
