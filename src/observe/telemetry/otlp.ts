import { printable } from "../../wire/escaping/printable.ts";
import type { SpanAttributes } from "../../wire/tracing.ts";

/**
 * OTLP in JSON, as opentelemetry-proto defines it: 64-bit numbers are texts, ids are hexadecimal.
 * Only what is sent of it is here.
 */
export interface KeyValue {
  readonly key: string;
  readonly value:
    | { readonly stringValue: string }
    | { readonly boolValue: boolean }
    | { readonly intValue: string }
    | { readonly doubleValue: number };
}

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly status?: { readonly code: number; readonly message: string };
}

export interface OtlpLogRecord {
  readonly timeUnixNano: string;
  readonly observedTimeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: { readonly stringValue: string };
  readonly attributes: readonly KeyValue[];
  readonly traceId?: string;
  readonly spanId?: string;
  readonly flags?: number;
}

/** A point of a metric; those of one metric differ in their attributes. */
export interface OtlpPoint {
  readonly attributes: readonly KeyValue[];
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano: string;
}

export type OtlpNumberPoint = OtlpPoint & { readonly asDouble: number };

export interface OtlpHistogramPoint extends OtlpPoint {
  readonly count: string;
  readonly sum: number;
  /** One more than bounds. */
  readonly bucketCounts: readonly string[];
  readonly explicitBounds: readonly number[];
}

export interface OtlpMetric {
  readonly name: string;
  readonly description: string;
  readonly gauge?: { readonly dataPoints: readonly OtlpNumberPoint[] };
  readonly sum?: {
    readonly dataPoints: readonly OtlpNumberPoint[];
    readonly aggregationTemporality: number;
    readonly isMonotonic: true;
  };
  readonly histogram?: {
    readonly dataPoints: readonly OtlpHistogramPoint[];
    readonly aggregationTemporality: number;
  };
}

/** Of opentelemetry-proto: counts since the start. */
export const CUMULATIVE = 2;

/** Numbers of opentelemetry-proto's `SpanKind`. */
export const SPAN_KINDS = { internal: 1, client: 3, producer: 4, consumer: 5 } as const;
export type SpanKind = keyof typeof SPAN_KINDS;

/** The flag of a sampled trace. */
export const SAMPLED = 1;

const STATUS_ERROR = 2;

/** UTF-16 code units of an attribute: others choose texts, and must not fill memory and collector. */
export const MAX_ATTRIBUTE_LENGTH = 256;
const MAX_ERROR_LENGTH = 1024;
/** Of a line of the log. */
export const MAX_LINE_LENGTH = 4096;

/** Attributes, their texts cut, and without what a terminal would obey. */
export function keyValues(attributes: SpanAttributes): KeyValue[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: string | number | boolean): KeyValue["value"] {
  if (typeof value === "string") return { stringValue: printable(value, MAX_ATTRIBUTE_LENGTH) };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** The status of a span that failed. */
export function failed(message: string): NonNullable<OtlpSpan["status"]> {
  return { code: STATUS_ERROR, message: printable(message, MAX_ERROR_LENGTH) };
}

/** Nanoseconds, as text: JavaScript's numbers cannot hold them. */
export function nanoseconds(epochMs: number): string {
  return String(BigInt(Math.round(epochMs * 1000)) * 1000n);
}

/** What is the same in every request: where it comes from. */
export interface ExportSource {
  readonly resource: readonly KeyValue[];
  /** Of the program. */
  readonly version: string;
}

/** The body of a request to `/v1/traces`, of spans in JSON. */
export function tracesRequest(spans: readonly string[], source: ExportSource): string {
  return `{"resourceSpans":[{${resourceOf(source)},"scopeSpans":[{${scopeOf(source)},"spans":[${spans.join()}]}]}]}`;
}

/** The body of a request to `/v1/logs`, of log records in JSON. */
export function logsRequest(lines: readonly string[], source: ExportSource): string {
  return `{"resourceLogs":[{${resourceOf(source)},"scopeLogs":[{${scopeOf(source)},"logRecords":[${lines.join()}]}]}]}`;
}

/** The body of a request to `/v1/metrics`: lists of all metrics of one moment, in JSON, or of several. */
export function metricsRequest(moments: readonly string[], source: ExportSource): string {
  const each = moments.map((metrics) =>
    `{${resourceOf(source)},"scopeMetrics":[{${scopeOf(source)},"metrics":${metrics}}]}`
  );
  return `{"resourceMetrics":[${each.join()}]}`;
}

function resourceOf({ resource }: ExportSource): string {
  return `"resource":${JSON.stringify({ attributes: resource })}`;
}

function scopeOf({ version }: ExportSource): string {
  return `"scope":${JSON.stringify({ name: "oss-watcher", version })}`;
}
