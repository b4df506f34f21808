import { decodeBody, type Decoded, decodeJson } from "../intake/envelope.ts";
import { concat } from "../wire/concat.ts";

/** One notification found in a file, or why there is none at this place. */
export interface Document {
  /** The line it begins on, from 1. */
  readonly line: number;
  readonly decoded: Decoded;
}

export interface ReadOptions {
  /** Bytes that all compressed bodies together may become; those beyond are refused. @default no limit */
  readonly maxInflatedBytes?: number;
}

/** What is left for compressed bodies. */
interface Budget {
  left: number;
}

/**
 * Reads the notifications of a file: one JSON document, a list, or JSON Lines. Each is a message
 * body with or without oslo.messaging's envelope, a decoded notification, or a record of a capture
 * (`body`, `body_base64`) or a sample (`wire_body`).
 */
export async function readDocuments(bytes: Uint8Array): Promise<readonly Document[]> {
  return await Array.fromAsync(documentsIn(bytes));
}

/** As {@linkcode readDocuments}, one after the other: each is decoded when it is asked for. */
export async function* documentsIn(
  bytes: Uint8Array,
  { maxInflatedBytes = Infinity }: ReadOptions = {},
): AsyncIterable<Document> {
  const budget: Budget = { left: maxInflatedBytes };
  const text = textOf(bytes);
  if (text === null) return yield { line: 1, decoded: { refused: NO_TEXT } };
  if (text.trim() === "") return yield { line: 1, decoded: { refused: "empty" } };
  const whole = parse(text);
  if ("value" in whole) return yield* readValue(whole.value, budget);
  const lines = text.split(/\r?\n/).map((content, index) => ({ line: index + 1, content }));
  const filled = lines.filter(({ content }) => content.trim() !== "");
  const parsed = filled.map(({ line, content }) => ({ line, content, result: parse(content) }));
  if (isOneDocument(parsed)) return yield { line: brokenLine(text), decoded: whole };
  for (const { line, result } of parsed) yield { line, decoded: await decodedFrom(result, budget) };
}

/**
 * As {@linkcode documentsIn}, of a file that is too large to be held: of JSON Lines one line after
 * the other is read. Any other file is collected first.
 */
export async function* documentsFrom(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Document> {
  const budget: Budget = { left: Infinity };
  const begun: Uint8Array[] = [];
  let line = 0;
  for await (const bytes of linesOf(chunks)) {
    line++;
    if (begun.length > 0) {
      begun.push(bytes);
      continue;
    }
    const text = textOf(bytes);
    const result = text === null ? { refused: NO_TEXT } : parse(text);
    const isLines = line > 1 || ("value" in result && isObject(result.value) && !Array.isArray(result.value));
    if (!isLines) begun.push(bytes);
    else if (text?.trim() !== "") yield { line, decoded: await decodedFrom(result, budget) };
  }
  if (line === 0 || begun.length > 0) yield* documentsIn(concat(begun));
}

/** The lines of a file, each with its line feed. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let parts: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      yield concat([...parts, chunk.subarray(start, end + 1)]);
      parts = [];
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.slice(start));
  }
  if (parts.length > 0) yield concat(parts);
}

/** `null`: it is no UTF-8. */
function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

const NO_TEXT = "not text (UTF-8)";

/**
 * Whether a file with errors is one document over many lines rather than JSON Lines: the first line
 * is an opening bracket alone, or no line is an object.
 */
function isOneDocument(lines: readonly { readonly content: string; readonly result: Parsed }[]): boolean {
  if (/^\s*[[{]+\s*$/.test(lines[0]?.content ?? "")) return true;
  return !lines.some(({ result }) => "value" in result && isObject(result.value));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

async function* readValue(value: unknown, budget: Budget): AsyncIterable<Document> {
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) yield { line: 1, decoded: { refused: "an empty list" } };
  for (const one of list) yield { line: 1, decoded: await readMessage(one, budget) };
}

async function decodedFrom(result: Parsed, budget: Budget): Promise<Decoded> {
  return "value" in result ? await readMessage(result.value, budget) : result;
}

async function readMessage(value: unknown, budget: Budget): Promise<Decoded> {
  if (!isObject(value) || Array.isArray(value)) return { refused: "not a JSON object" };
  const record = value as Readonly<Record<string, unknown>>;
  const raw = record["body"] ?? record["wire_body"];
  if ("event_type" in record || "oslo.message" in record) return refuseSample(record) ?? decodeJson(value);
  if (typeof raw === "string") return await decodeBytes(new TextEncoder().encode(raw), record, budget);
  if (typeof record["body_base64"] === "string") {
    const { Buffer } = await import("node:buffer");
    return await decodeBytes(Buffer.from(record["body_base64"], "base64"), record, budget);
  }
  return { refused: "no notification: neither event_type, oslo.message, body nor wire_body is there" };
}

/** Refuses samples of documentation, which lack what every notification on the bus has. */
function refuseSample({ event_type, message_id, payload }: Readonly<Record<string, unknown>>): Decoded | null {
  if (event_type === undefined) return null;
  if (typeof payload === "object" && payload !== null && "$ref" in payload) return { refused: REFERENCE };
  return message_id === undefined ? { refused: NO_MESSAGE_ID } : null;
}

const REFERENCE =
  'its payload is a reference ("$ref") to another file, as in the source of Nova\'s documentation. Copy ' +
  'the sample from the documentation that is built of it, or take a notification from the bus with "oss-watcher record FILE"';
const NO_MESSAGE_ID =
  'no message_id, which every notification on the bus has. Add "message_id": "1" to try it all the same';

async function decodeBytes(
  body: Uint8Array,
  record: Readonly<Record<string, unknown>>,
  budget: Budget,
): Promise<Decoded> {
  // Loaded on demand: the decompressors take a sixth of a dry run's time, and most files need none.
  const { plainBytes } = await import("../intake/plain_bytes.ts");
  const bytes = plainBytes(body, compressionOf(record));
  if ("refused" in bytes) return bytes;
  if (bytes !== body) budget.left -= bytes.length;
  return budget.left < 0
    ? { refused: "the compressed bodies up to here unpack to more than is read at once" }
    : decodeBody(bytes);
}

function compressionOf(record: Readonly<Record<string, unknown>>): string | null {
  const properties = record["properties"] as { application_headers?: { compression?: unknown } } | undefined;
  const compression = properties?.application_headers?.compression;
  return typeof compression === "string" ? compression : null;
}

type Parsed = { readonly value: unknown } | { readonly refused: string };

const CUT_OFF = "JSON that is cut off";

function parse(text: string): Parsed {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    const position = /position (\d+)/.exec(String(error))?.[1];
    const atEnd = position === undefined
      ? /end of JSON input/.test(String(error))
      : Number(position) >= text.trimEnd().length || /Unterminated/.test(String(error));
    return { refused: atEnd ? CUT_OFF : "not JSON" };
  }
}

/**
 * Finds the first line that cannot be part of valid JSON, by bisection: V8 does not always report
 * the position of a syntax error.
 */
function brokenLine(text: string): number {
  const lines = text.split("\n");
  let [good, bad] = [0, lines.length];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    const start = parse(lines.slice(0, middle).join("\n"));
    if ("value" in start || start.refused === CUT_OFF) good = middle;
    else bad = middle;
  }
  return bad;
}
