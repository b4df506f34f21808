import type { Family, Sample } from "../exposition.ts";
import {
  CUMULATIVE,
  keyValues,
  nanoseconds,
  type OtlpHistogramPoint,
  type OtlpMetric,
  type OtlpPoint,
} from "./otlp.ts";

/** Where the points of one moment are in time. */
interface Moment {
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
}

/**
 * The metrics of `/metrics` in OTLP, with the same names and labels: through a collector they are
 * the same series of Prometheus.
 */
export function otlpMetrics(
  families: readonly Family[],
  { startedAt, at }: { readonly startedAt: number; readonly at: number },
): readonly OtlpMetric[] {
  const moment = { startTimeUnixNano: nanoseconds(startedAt), timeUnixNano: nanoseconds(at) };
  return families.filter(({ samples }) => samples.length > 0).map((family) => metricOf(family, moment));
}

function metricOf({ name, type, help, samples }: Family, moment: Moment): OtlpMetric {
  const named = { name, description: help };
  if (type === "histogram") {
    return {
      ...named,
      histogram: { dataPoints: histogramPoints(samples, moment), aggregationTemporality: CUMULATIVE },
    };
  }
  const isCounter = type === "counter";
  const time = isCounter ? moment : { timeUnixNano: moment.timeUnixNano };
  const dataPoints = samples.map(({ labels, value }) => ({ ...pointOf(labels, time), asDouble: value }));
  return isCounter
    ? { ...named, sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true } }
    : { ...named, gauge: { dataPoints } };
}

function pointOf(labels: Sample["labels"] = {}, time: Pick<OtlpPoint, "timeUnixNano">): OtlpPoint {
  return { attributes: keyValues(labels), ...time };
}

/** Prometheus has a sample per bucket, cumulated, then the sum and the count; OTLP one point for all. */
function histogramPoints(samples: readonly Sample[], moment: Moment): OtlpHistogramPoint[] {
  const series = Map.groupBy(samples, ({ labels: { le: _, ...own } = {} }) => JSON.stringify(own));
  return [...series].map(([key, all]) => {
    const buckets = all.filter(({ suffix }) => suffix === "_bucket");
    const valueOf = (wanted: string) => all.find(({ suffix }) => suffix === wanted)?.value ?? 0;
    return {
      ...pointOf(JSON.parse(key), moment),
      count: String(valueOf("_count")),
      sum: valueOf("_sum"),
      bucketCounts: buckets.map(({ value }, index) => String(value - (buckets[index - 1]?.value ?? 0))),
      explicitBounds: buckets.slice(0, -1).map(({ labels }) => Number(labels?.["le"])),
    };
  });
}
