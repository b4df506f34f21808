import type { Json, JsonObject } from "../model/notification.ts";
import type { Plugin } from "../model/plugin.ts";
import { filterOf } from "../model/plugin_filter.ts";
import { rememberedOptions } from "../wire/options/given_options.ts";
import { HIDDEN, isSecretName, redact, shownUrl } from "../wire/secrets/redact.ts";

const MAX_DEPTH = 6;
const MAX_ENTRIES = 200;
const MAX_TEXT = 2000;

/** The class of a plugin, and what it was made with, without secrets. */
export function settingsOf(plugin: Plugin, name: string): { readonly kind: string; readonly options: Json } {
  const { kind, options } = optionsOf(plugin, name);
  return { kind, options: shownObject(options, MAX_DEPTH) };
}

/** The class of a plugin, and what it was made with, as it is. */
export function optionsOf(plugin: Plugin, name: string): { readonly kind: string; readonly options: object } {
  const filter = filterOf(plugin);
  const inner = filter?.plugin ?? plugin;
  const kind = inner.constructor?.name || "Object";
  // A plugin of config.ts's own may have taken its options without our help: its fields tell some.
  const options = rememberedOptions(kind, name) ?? inner;
  if (filter === null) return { kind, options };
  return { kind, options: { ...options, when: filter.options.length === 1 ? filter.options[0]! : filter.options } };
}

/** A setting as it may be shown: the key tells whether it is a secret. */
export function shownSetting(key: string, value: unknown): Json {
  return isSecretName(key) ? HIDDEN : shown(value, MAX_DEPTH);
}

function shownObject(value: object, depth: number): JsonObject {
  const entries = Object.entries(value).filter(([key, one]) => key !== "name" && one !== undefined);
  return Object.fromEntries(
    entries.slice(0, MAX_ENTRIES).map(([key, one]) => [key, isSecretName(key) ? HIDDEN : shown(one, depth - 1)]),
  );
}

function shown(value: unknown, depth: number): Json {
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value === "string") return shownText(value);
  if (typeof value === "function") return "(a function)";
  if (typeof value !== "object") return String(value);
  if (depth <= 0) return "…";
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((one) => shown(one, depth - 1));
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return shownObject(value, depth);
  return value instanceof RegExp ? String(value) : `(${value.constructor?.name ?? "an object"})`;
}

function shownText(text: string): string {
  const known = /^https?:\/\//i.test(text) && URL.canParse(text) ? shownUrl(text) : redact(text);
  return known.length > MAX_TEXT ? `${known.slice(0, MAX_TEXT)}…` : known;
}
