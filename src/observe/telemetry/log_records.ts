import type { LogLevel } from "../../model/config.ts";
import { printable } from "../../wire/escaping/printable.ts";
import type { LogRecord } from "../log.ts";
import { keyValues, MAX_LINE_LENGTH, nanoseconds, type OtlpLogRecord, SAMPLED } from "./otlp.ts";
import type { SpanContext } from "./trace_ids.ts";

/** Numbers of OpenTelemetry's log data model. */
const SEVERITIES: Readonly<Record<LogLevel, number>> = { debug: 5, info: 9, warn: 13, error: 17 };

/** A line of the log in OTLP, with the attempt that it was written in, if any. */
export function otlpLogRecord(
  { time, level, part, message }: LogRecord,
  attempt: SpanContext | undefined,
): OtlpLogRecord {
  const at = nanoseconds(time.getTime());
  return {
    timeUnixNano: at,
    observedTimeUnixNano: at,
    severityNumber: SEVERITIES[level],
    severityText: level.toUpperCase(),
    body: { stringValue: printable(message, MAX_LINE_LENGTH) },
    attributes: keyValues({ "oss_watcher.part": part }),
    ...(attempt && {
      traceId: attempt.traceId,
      spanId: attempt.spanId,
      flags: attempt.isSampled ? SAMPLED : 0,
    }),
  };
}
