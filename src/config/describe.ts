import { printable } from "../wire/escaping/printable.ts";
import { isSecretName, redact } from "../wire/secrets/redact.ts";

/** Keys whose value may hold a password, though their names do not say so. */
const URLS = new Set(["url", "authUrl"]);

/**
 * The place of a value in the configuration: `rabbit.queue.name`, `plugins[0]`; the whole is `the
 * default export`.
 */
export function describePath(keys: readonly unknown[]): string {
  const parts = keys.map((key) => {
    if (typeof key === "number") return `[${key}]`;
    return /^[\w$]+$/.test(String(key)) ? `.${key}` : `["${printable(String(key), 60)}"]`;
  });
  return keys.length === 0 ? "the default export" : parts.join("").replace(/^\./, "");
}

/** Describes a value on one line, shortened; a value that may be secret by its type only. */
export function describeValue(value: unknown, keys: readonly unknown[] = []): string {
  const isSecret = keys.some((key) => typeof key === "string" && (isSecretName(key) || URLS.has(key)));
  if (typeof value === "string") return isSecret || value.includes("@") ? "a string" : quoted(value);
  if (typeof value === "function") return describeFunction(value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return describeObject(value);
  return isSecret && value !== undefined && value !== null ? `a ${typeof value}` : String(value);
}

/** `class Name`, `a function` … */
function describeFunction(value: { readonly name: string }): string {
  return isClass(value) ? `the class ${printable(value.name, 60)}` : "a function";
}

export function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

function describeObject(value: object): string {
  if (value instanceof Promise) return "a promise: write await before the call";
  const name = value.constructor?.name ?? "Object";
  const keys = Object.keys(value).slice(0, 8).map((key) => printable(key, 30));
  return `${name === "Object" ? "" : `${printable(name, 60)} `}{${keys.join(", ")}}`;
}

function quoted(text: string): string {
  return `"${printable(redact(text), 60)}"`;
}
