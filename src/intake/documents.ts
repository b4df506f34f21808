import { Buffer } from "node:buffer";
import { decodeBody, type Decoded, decodeJson, plainBytes } from "./envelope.ts";

/** One notification found in a file, or why there is none at this place. */
export interface Document {
  /** The line it begins on, from 1. */
  readonly line: number;
  readonly decoded: Decoded;
}

/**
 * The notifications of a file: one JSON document, a list, or JSON Lines; raw bus bodies with or without envelope, decoded
 * notifications, and the forms of captures (`body`, `body_base64`) and of samples (`wire_body`).
 */
export function readDocuments(bytes: Uint8Array): readonly Document[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return [{ line: 1, decoded: { refused: "not text (UTF-8)" } }];
  }
  if (text.trim() === "") return [{ line: 1, decoded: { refused: "empty" } }];
  const whole = parse(text);
  if ("value" in whole) return readValue(whole.value);
  const lines = text.split(/\r?\n/).map((content, index) => ({ content, line: index + 1 }));
  const filled = lines.filter(({ content }) => content.trim() !== "");
  const parsed = filled.map(({ content, line }) => ({ line, ...parse(content) }));
  // One document over many lines that is broken, rather than many broken lines.
  if (!parsed.some((one) => "value" in one && typeof one.value === "object")) {
    return [{ line: whole.line, decoded: { refused: whole.refused } }];
  }
  return parsed.map((one) => ({
    line: one.line,
    decoded: "value" in one ? readMessage(one.value) : { refused: one.refused },
  }));
}

function readValue(value: unknown): readonly Document[] {
  if (!Array.isArray(value)) return [{ line: 1, decoded: readMessage(value) }];
  if (value.length === 0) return [{ line: 1, decoded: { refused: "an empty list" } }];
  return value.map((one) => ({ line: 1, decoded: readMessage(one) }));
}

function readMessage(value: unknown): Decoded {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { refused: "not a JSON object" };
  const record = value as Readonly<Record<string, unknown>>;
  const raw = record["body"] ?? record["wire_body"];
  if ("event_type" in record || "oslo.message" in record) return decodeJson(value);
  if (typeof raw === "string") return decodeBytes(Buffer.from(raw, "utf8"), record);
  if (typeof record["body_base64"] === "string") {
    return decodeBytes(Buffer.from(record["body_base64"], "base64"), record);
  }
  return { refused: "no notification: neither event_type, oslo.message, body nor wire_body is there" };
}

function decodeBytes(body: Uint8Array, record: Readonly<Record<string, unknown>>): Decoded {
  const bytes = plainBytes(body, compressionOf(record));
  return "refused" in bytes ? bytes : decodeBody(bytes);
}

function compressionOf(record: Readonly<Record<string, unknown>>): string | null {
  const properties = record["properties"] as { application_headers?: { compression?: unknown } } | undefined;
  const compression = properties?.application_headers?.compression;
  return typeof compression === "string" ? compression : null;
}

type Parsed = { readonly value: unknown } | { readonly refused: string; readonly line: number };

function parse(text: string): Parsed {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    const position = /position (\d+)/.exec(String(error));
    const before = position === null ? text : text.slice(0, Number(position[1]));
    const cutOff = /end of JSON input|Unterminated/.test(String(error));
    return { refused: cutOff ? "JSON that is cut off" : "not JSON", line: before.split("\n").length };
  }
}
