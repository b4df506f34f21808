import { MAX_ID } from "../model/bounds.ts";
import type { Json, JsonObject } from "../model/notification.ts";

/** A non-empty string; `null` for everything else. */
export function text(value: Json | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** A string that is an id, a name or an address; `null` for one that is too long for that. */
export function name(value: Json | undefined): string | null {
  const said = text(value);
  return said === null || said.length > MAX_ID ? null : said;
}

/** A finite number, also one that was sent as a string; otherwise `null`. */
export function number(value: Json | undefined): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string" || value.trim() === "") return null;
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : null;
}

/** A JSON object; an empty one for everything else. */
export function object(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** The objects of a list; none for everything else. */
export function objects(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The fields of a versioned notification's object (`nova_object.data`), or of a plain one. */
export function novaObject(value: Json | undefined): JsonObject {
  const outer = object(value);
  return isObject(outer["nova_object.data"]) ? outer["nova_object.data"] : outer;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
