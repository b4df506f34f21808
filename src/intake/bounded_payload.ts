import { MAX_CHARACTERS, MAX_ITEMS, MAX_KEYS, MAX_TEXT, PART_RESOURCES } from "../model/bounds.ts";
import type { Json, JsonObject, Notification } from "../model/notification.ts";

/** A payload within the bounds, and what was left out of it. */
export interface BoundedPayload {
  readonly payload: JsonObject;
  /**
   * Descriptions of the parts that were left out, for the log; usually empty. They contain no
   * tenant's values.
   */
  readonly cut: readonly string[];
}

/** The characters that each value counts beside its text: for numbers and punctuation. */
const VALUE_CHARACTERS = 8;

/**
 * The keys of single and bulk notifications. The bounds apply to each resource of a bulk
 * notification.
 */
const BULK_KEYS: readonly { readonly prefix: string; readonly one: string; readonly many: string }[] = [
  { prefix: "port.", one: "port", many: "ports" },
  { prefix: "floatingip.", one: "floatingip", many: "floatingips" },
];

/** The key of a bulk payload that lists the resources; `null` for a payload of one resource. */
export function bulkKey(eventType: string, payload: JsonObject): string | null {
  const row = BULK_KEYS.find(({ prefix }) => eventType.startsWith(prefix));
  if (row === undefined || payload[row.one] !== undefined) return null;
  return Array.isArray(payload[row.many]) ? row.many : null;
}

/** Leaves out the parts of a payload that exceed what any cloud sends. */
export function boundedPayload(eventType: string, payload: JsonObject): BoundedPayload {
  const key = bulkKey(eventType, payload);
  if (key === null) return bounded(payload);
  const { [key]: many, ...rest } = payload;
  const all = [rest, ...many as readonly Json[]].map((value) => bounded(value));
  if (all.every(({ cut }) => cut.length === 0)) return { payload, cut: [] };
  const [first, ...values] = all.map((one) => one.payload);
  const cut = new Set(all.flatMap((one) => one.cut));
  return { payload: { ...first as JsonObject, [key]: values }, cut: [...cut] };
}

/**
 * Splits a notification with many resources into parts that are recorded and decided one by one: as
 * a whole it would block the event loop for too long. The first part keeps the message id, the
 * others add their number to it, so that the parts of a repeated message have the same ids.
 */
export function partsOf(notification: Notification): readonly Notification[] {
  const { eventType, payload, messageId } = notification;
  const key = bulkKey(eventType, payload);
  const resources = key === null ? [] : payload[key] as readonly Json[];
  if (key === null || resources.length <= PART_RESOURCES) return [notification];
  const of = Math.ceil(resources.length / PART_RESOURCES);
  return Array.from({ length: of }, (_, index) => ({
    ...notification,
    messageId: index === 0 ? messageId : `${messageId}.${index + 1}`,
    // The other keys of a bulk payload are not used, and would be repeated in each part.
    payload: { [key]: resources.slice(index * PART_RESOURCES, (index + 1) * PART_RESOURCES) },
    part: { number: index + 1, of },
  }));
}

function bounded<Value extends Json>(value: Value): { payload: Value; cut: readonly string[] } {
  if (new BoundsCheck().fits(value)) return { payload: value, cut: [] };
  const truncator = new Truncator();
  const payload = truncator.value(value) as Value;
  return { payload, cut: truncator.cut };
}

/** Checks whether a value is within all bounds, without copying it: nearly all are. */
class BoundsCheck {
  #characters = 0;

  fits(value: Json): boolean {
    this.#characters += VALUE_CHARACTERS;
    if (typeof value === "string") return this.#fitsText(value);
    if (typeof value !== "object" || value === null) return true;
    return Array.isArray(value) ? this.#fitsList(value) : this.#fitsObject(value as JsonObject);
  }

  #fitsText(text: string): boolean {
    this.#characters += text.length;
    return text.length <= MAX_TEXT && this.#characters <= MAX_CHARACTERS;
  }

  #fitsList(list: readonly Json[]): boolean {
    return list.length <= MAX_ITEMS && list.every((item) => this.fits(item));
  }

  #fitsObject(object: JsonObject): boolean {
    const keys = Object.keys(object);
    return keys.length <= MAX_KEYS && keys.every((key) => this.#fitsText(key) && this.fits(object[key] as Json));
  }
}

/**
 * The keys of an object, those of lists and objects last: what a tenant can make long must not
 * displace an id that comes after it.
 */
function plainFirst(object: JsonObject): readonly string[] {
  const { plain = [], nested = [] } = Object.groupBy(
    Object.keys(object),
    (key) => typeof object[key] === "object" ? "nested" : "plain",
  );
  return [...plain, ...nested];
}

/** Copies the parts of a value that are within the bounds. */
class Truncator {
  readonly #cut = new Set<string>();
  #characters = 0;

  get cut(): readonly string[] {
    return [...this.#cut];
  }

  value(value: Json): Json {
    this.#characters += VALUE_CHARACTERS;
    if (typeof value === "string") return this.#text(value);
    if (typeof value !== "object" || value === null) return value;
    return Array.isArray(value) ? this.#list(value) : this.#object(value as JsonObject);
  }

  /** A text that is too long becomes `null`: a shortened text would be a different value. */
  #text(text: string): string | null {
    if (text.length > MAX_TEXT) {
      this.#cut.add(`a text of more than ${MAX_TEXT} characters`);
      return null;
    }
    this.#characters += text.length;
    return text;
  }

  #list(list: readonly Json[]): readonly Json[] {
    if (list.length > MAX_ITEMS) this.#cut.add(`items after the ${MAX_ITEMS}th of a list of ${list.length}`);
    const kept: Json[] = [];
    for (const item of list.slice(0, MAX_ITEMS)) {
      if (this.#isFull()) break;
      kept.push(this.value(item));
    }
    return kept;
  }

  #object(object: JsonObject): JsonObject {
    const kept = new Map<string, Json>();
    const keys = plainFirst(object);
    if (keys.length > MAX_KEYS) this.#cut.add(`keys after the ${MAX_KEYS}th of ${keys.length}`);
    for (const key of keys.slice(0, MAX_KEYS)) {
      if (key.length > MAX_TEXT) {
        this.#cut.add(`a key of more than ${MAX_TEXT} characters`);
        continue;
      }
      if (this.#isFull()) break;
      this.#characters += key.length;
      kept.set(key, this.value(object[key] as Json));
    }
    // In the message's order. Object.fromEntries defines `__proto__` as an ordinary key.
    return Object.fromEntries(
      Object.keys(object).flatMap((key) => kept.has(key) ? [[key, kept.get(key) as Json]] : []),
    );
  }

  #isFull(): boolean {
    const isFull = this.#characters > MAX_CHARACTERS;
    if (isFull) this.#cut.add(`everything after its first ${MAX_CHARACTERS} characters`);
    return isFull;
  }
}
