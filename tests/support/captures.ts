/**
 * The recordings of a real OpenStack (release Zed) that the tests run on, kept gzip-compressed in `tests/data`.
 *
 * @module
 */

import { gunzipSync } from "node:zlib";

/** AMQP properties as the capture holds them. */
export interface CaptureProperties {
  readonly content_type: string;
  readonly content_encoding: string;
  readonly application_headers: Readonly<Record<string, unknown>>;
  readonly delivery_mode: number;
  readonly priority: number;
}

/** One AMQP delivery. */
export interface CaptureLine {
  /** Seconds since 1970, with microseconds; no two deliveries of one capture share it. */
  readonly received: number;
  readonly exchange: string;
  readonly routing_key: string;
  readonly queue: string;
  readonly redelivered: boolean;
  readonly properties: CaptureProperties;
  /** The raw body; encoded as UTF-8 it is what was on the wire. */
  readonly body: string;
}

/** One operation of a recorded run, in the words of the script that did it. */
export interface Operation {
  readonly step: number;
  /** Seconds since 1970 at which the step was finished; its messages may still come later. */
  readonly time: number;
  readonly op: string;
  readonly name?: string | readonly string[];
  readonly id?: string | readonly string[] | null;
  readonly address?: string;
  readonly port?: string;
  readonly server?: string;
  readonly fip?: string;
  readonly host?: string;
  readonly by?: string;
  readonly status?: string | number | null;
  readonly http?: number;
}

/** One message per event type, with variants named by suffix and `v1.` for the driver without envelope. */
export interface NamedSample {
  /** The event type and variant, such as `floatingip.update.end.move`. */
  readonly name: string;
  readonly sample: Sample;
}

export interface Sample {
  readonly exchange: string;
  readonly routing_key: string;
  readonly queue: string;
  readonly properties: CaptureProperties;
  /** The raw body. */
  readonly wire_body: string;
  /** The parsed body of the driver `messagingv2`; the `v1.` samples have none. */
  readonly wire_outer_message?: { readonly "oslo.version": string; readonly "oslo.message": string };
  /** The notification itself. */
  readonly decoded_inner_message: Readonly<Record<string, unknown>>;
}

/**
 * The deliveries of a capture in the order in which they came: `unversioned.jsonl`, `versioned.jsonl`,
 * `monitoring.jsonl` (second copies) or `v1-no-envelope.jsonl`.
 */
export function readCapture(name: string): CaptureLine[] {
  const lines = readLines(name) as (Omit<CaptureLine, "received"> & { received: string })[];
  return lines.map((line) => ({ ...line, received: Number(line.received) }));
}

/** What was done in a recorded run: `operations.jsonl` or `operations-v1.jsonl`. */
export function readOperations(name: string): Operation[] {
  const lines = readLines(name) as (Omit<Operation, "time"> & { time: string })[];
  return lines.map((line) => ({ ...line, time: Number(line.time) }));
}

/** All samples, sorted by name. */
export function readSamples(): NamedSample[] {
  return readLines("samples.jsonl") as NamedSample[];
}

/** One stream out of several, as one consumer of all their queues would see it; each stays in its own order. */
export function mergeByTime(...captures: readonly (readonly CaptureLine[])[]): CaptureLine[] {
  return captures.flat().sort((a, b) => a.received - b.received);
}

function readLines(name: string): unknown[] {
  const packed = Deno.readFileSync(new URL(`../data/${name}.gz`, import.meta.url));
  const text = new TextDecoder().decode(gunzipSync(packed));
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}
