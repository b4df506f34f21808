import type { Detail } from "../model/detail.ts";
import { printable } from "./escaping/printable.ts";
import { valueText } from "./value_text.ts";

/** One key of a detail whose value has changed, with both values as text. */
export interface EventChange {
  /** The key in the detail. */
  readonly key: string;
  /** What differed before: of a list or an object its differing items alone. Empty: unknown. */
  readonly before: string;
  /** What differs now, likewise. */
  readonly after: string;
}

const MAX_KEY_LENGTH = 100;
const MAX_VALUE_LENGTH = 1000;

/**
 * The changes of an update, for people: of lists and objects the items that differ; long values
 * cut. Tenants' values are escaped: they cannot break a line, or hide or reverse what follows. HTML
 * needs `escapeHtml` as well.
 *
 * @example
 * ```ts
 * import { type EventChange, eventChanges } from "oss-watcher/kit";
 * import { sampleUpdate } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * const { detail, context } = sampleUpdate({ detail: { Metadata: { owner: "bert\n", application_name: "shop" } } });
 * const change: EventChange | undefined = eventChanges(detail, context).find(({ key }) => key === "Metadata");
 *
 * assert.deepEqual(change, { key: "Metadata", before: "owner: anna", after: "owner: bert\\u{a}" });
 * ```
 */
export function eventChanges(
  detail: Detail,
  { before, changed }: { readonly before: Detail; readonly changed: readonly string[] },
): EventChange[] {
  return changed.map((key) => {
    const [old, now] = [valueOf(before, key), valueOf(detail, key)];
    const text = (value: unknown, other: unknown) => printable(valueText(differing(value, other)), MAX_VALUE_LENGTH);
    return { key: printable(key, MAX_KEY_LENGTH), before: text(old, now), after: text(now, old) };
  });
}

/** The keys that a tenant chose may have names of a prototype's members. */
function valueOf(detail: Detail, key: string): unknown {
  return Object.hasOwn(detail, key) ? detail[key] : null;
}

/** The items that the other value lacks; the whole value if it has none, or is no list or object. */
function differing(value: unknown, other: unknown): unknown {
  if (typeof value !== "object" || value === null || typeof other !== "object" || other === null) return value;
  if (Array.isArray(value) !== Array.isArray(other)) return value;
  const isList = Array.isArray(value);
  const others = new Set(Object.entries(other).map((item) => formOf(item, isList)));
  const items = Object.entries(value).filter((item) => !others.has(formOf(item, isList)));
  // Only the order differs, or how often an item is there.
  if (items.length === 0 && Object.keys(value).length >= others.size) return value;
  return isList ? items.map(([, item]) => item) : Object.fromEntries(items);
}

/** Equal for equal items; a list's items are compared without their places. */
function formOf([key, value]: readonly [string, unknown], isList: boolean): string {
  return JSON.stringify(isList ? value : [key, value]) ?? "";
}
