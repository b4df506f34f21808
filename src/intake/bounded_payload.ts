import { MAX_CHARACTERS, MAX_ITEMS, MAX_KEYS, MAX_TEXT, PART_RESOURCES } from "../model/bounds.ts";
import type { Json, JsonObject, Notification } from "../model/notification.ts";

/** A payload of which no part is larger than any cloud sends, and what was left out for that. */
export interface BoundedPayload {
  readonly payload: JsonObject;
  /** For people; empty as a rule. Nothing in it was chosen by a tenant. */
  readonly cut: readonly string[];
}

/** What a number, a list's comma or a key's colon count. */
const VALUE_CHARACTERS = 8;

/** The bulk form of each kind of message: each of its resources may be as large as one that comes alone. */
const BULK_KEYS: readonly { readonly prefix: string; readonly one: string; readonly many: string }[] = [
  { prefix: "port.", one: "port", many: "ports" },
  { prefix: "floatingip.", one: "floatingip", many: "floatingips" },
];

/** The key of a payload under which several resources are listed; `null` when it is about one. */
export function bulkKey(eventType: string, payload: JsonObject): string | null {
  const row = BULK_KEYS.find(({ prefix }) => eventType.startsWith(prefix));
  if (row === undefined || payload[row.one] !== undefined) return null;
  return Array.isArray(payload[row.many]) ? row.many : null;
}

/** Leaves out what is larger than any cloud sends. */
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
 * A notification that names many resources, in parts that are recorded, decided and kept one by one: together they would keep the event loop for
 * too long. The first has the message's id, and so have the same parts of each copy.
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
    // What else a bulk message says is nothing to us, and would be repeated with each part.
    payload: { [key]: resources.slice(index * PART_RESOURCES, (index + 1) * PART_RESOURCES) },
    part: { number: index + 1, of },
  }));
}

function bounded<Value extends Json>(value: Value): { payload: Value; cut: readonly string[] } {
  if (new Measure().fits(value)) return { payload: value, cut: [] };
  const cutter = new Cutter();
  const payload = cutter.value(value) as Value;
  return { payload, cut: cutter.cut };
}

/** Looks whether a value is within all bounds: nearly each is, and no copy is made of it. */
class Measure {
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

/** The keys of an object, those of lists and objects last: what a tenant can make long must not push out an id behind it. */
function plainFirst(object: JsonObject): readonly string[] {
  const { plain = [], nested = [] } = Object.groupBy(
    Object.keys(object),
    (key) => typeof object[key] === "object" ? "nested" : "plain",
  );
  return [...plain, ...nested];
}

/** Copies what is within the bounds. */
class Cutter {
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

  /** A part of a text would be another text. */
  #text(text: string): string | null {
    if (text.length > MAX_TEXT) {
      this.#cut.add(`a text of more than ${MAX_TEXT} characters`);
      return null;
    }
    this.#characters += text.length;
    return text;
  }

  #list(list: readonly Json[]): readonly Json[] {
    if (list.length > MAX_ITEMS) this.#cut.add(`of a list of ${list.length} items those behind the ${MAX_ITEMS}th`);
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
    if (keys.length > MAX_KEYS) this.#cut.add(`of ${keys.length} keys those behind the ${MAX_KEYS}th`);
    for (const key of keys.slice(0, MAX_KEYS)) {
      if (key.length > MAX_TEXT) {
        this.#cut.add(`a key of more than ${MAX_TEXT} characters`);
        continue;
      }
      if (this.#isFull()) break;
      this.#characters += key.length;
      kept.set(key, this.value(object[key] as Json));
    }
    // In the message's order. Defines `__proto__` as a key like any other.
    return Object.fromEntries(
      Object.keys(object).flatMap((key) => kept.has(key) ? [[key, kept.get(key) as Json]] : []),
    );
  }

  #isFull(): boolean {
    const isFull = this.#characters > MAX_CHARACTERS;
    if (isFull) this.#cut.add(`what comes behind its first ${MAX_CHARACTERS} characters`);
    return isFull;
  }
}
