import assert from "node:assert/strict";
import type { Family } from "../../../src/observe/exposition.ts";
import { otlpMetrics } from "../../../src/observe/telemetry/metric_points.ts";

const MOMENT = { startedAt: 1_000, at: 61_000 };
const [START, NOW] = ["1000000000", "61000000000"];
const PLUGIN = [{ key: "plugin", value: { stringValue: "Cmdb" } }];

Deno.test("otlpMetrics() makes a cumulative sum of a counter, and a gauge of a gauge", () => {
  const families: Family[] = [
    {
      name: "delivered_total",
      type: "counter",
      help: "Delivered.",
      samples: [{ labels: { plugin: "Cmdb" }, value: 3 }],
    },
    { name: "age_seconds", type: "gauge", help: "Age.", samples: [{ value: 0.5 }] },
    { name: "nothing", type: "gauge", help: "Not known.", samples: [] },
  ];
  assert.deepEqual(otlpMetrics(families, MOMENT), [
    {
      name: "delivered_total",
      description: "Delivered.",
      sum: {
        dataPoints: [{ attributes: PLUGIN, startTimeUnixNano: START, timeUnixNano: NOW, asDouble: 3 }],
        aggregationTemporality: 2,
        isMonotonic: true,
      },
    },
    {
      name: "age_seconds",
      description: "Age.",
      gauge: { dataPoints: [{ attributes: [], timeUnixNano: NOW, asDouble: 0.5 }] },
    },
  ]);
});

Deno.test("otlpMetrics() makes one point of all samples of a histogram, with buckets that are not cumulated", () => {
  const bucket = (le: string, value: number) => ({ suffix: "_bucket", labels: { plugin: "Cmdb", le }, value });
  const samples = [
    ...[bucket("0.1", 2), bucket("1", 5), bucket("+Inf", 6)],
    { suffix: "_sum", labels: { plugin: "Cmdb" }, value: 4.5 },
    { suffix: "_count", labels: { plugin: "Cmdb" }, value: 6 },
  ];
  const [metric] = otlpMetrics([{ name: "took_seconds", type: "histogram", help: "How long.", samples }], MOMENT);
  assert.deepEqual(metric?.histogram, {
    aggregationTemporality: 2,
    dataPoints: [{
      attributes: PLUGIN,
      startTimeUnixNano: START,
      timeUnixNano: NOW,
      count: "6",
      sum: 4.5,
      bucketCounts: ["2", "3", "1"],
      explicitBounds: [0.1, 1],
    }],
  });
});
