/** A value of a detail as one text for people, not escaped; empty if it is unknown. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return String(value);
  const isList = Array.isArray(value);
  const items = Object.entries(value).map(([key, item]) => [key, valueText(item)]).filter(([, item]) => item !== "");
  const isNested = Object.values(value).some((item) => typeof item === "object" && item !== null);
  return items.map(([key, item]) => isList ? item : `${key}: ${item}`).join(isNested ? "; " : ", ");
}
