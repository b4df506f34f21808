import assert from "node:assert/strict";
import type { ComparisonReport } from "../../src/model/comparison.ts";
import type { AttemptEnd, Backlog, Readings } from "../../src/model/readings.ts";
import { FAILURE_REASONS } from "../../src/model/errors.ts";
import { AttemptCounts } from "../../src/observe/attempts.ts";
import { METRICS, metricsText } from "../../src/observe/metrics.ts";
import { promtool, samplesOf } from "../support/promtool.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const HOSTILE = `a "quoted" \\ {name="x"} 100%`;
const NOW = 1_000_000;

const COMPARISON: ComparisonReport = {
  startedAt: NOW - 60_000,
  endedAt: NOW - 30_000,
  why: "",
  isFull: true,
  isByHand: false,
  isPartial: false,
  outcome: "withheld",
  problem: "",
  scope: null,
  found: { servers: 0, ports: 0, floatingIps: 0 },
  drift: { untold: 1, gone: 20, moved: 3, changed: 0 },
  corrected: 0,
  undecided: 0,
  differences: [],
};

const backlog: ReadonlyMap<string, Backlog> = new Map([
  ["Cmdb", { waiting: { new: 1, blocked: 2, ready: 3, queued: 4 }, oldestAt: 940_000, dead: 5 }],
  [HOSTILE, { waiting: { new: 0, blocked: 0, ready: 0, queued: 0 }, oldestAt: null, dead: 0 }],
]);

const readings: Readings = {
  startedAt: 900_000,
  version: "1.2.3",
  now: () => NOW,
  intake: () => ({ received: 10, ignored: 7, rejected: 1, recorded: 2 }),
  lastMessageAt: () => 997_500,
  decided: () => ({ event: 1, remembered: 2, repeated: 3, superseded: 4 }),
  sources: () => [{ connected: true, consuming: true }, { connected: true, consuming: false }],
  ledgerWritable: () => true,
  deciding: () => false,
  comparisons: () => ({ last: COMPARISON, agreedAt: NOW - 3_600_000 }),
  backlog: () => Promise.resolve(backlog),
  pauses: () => Promise.resolve(new Map([["Cmdb", { at: 1, by: "root@host (command)" }]])),
  breakers: () => new Map([["Cmdb", "open"], [HOSTILE, "closed"]]),
  leases: () => [{ name: "facts", isHeld: true }, { name: `plugin ${HOSTILE}`, isHeld: false }],
  cpuSeconds: () => 1.5,
  residentBytes: () => 4096,
};

function attempts(...ends: readonly Partial<AttemptEnd>[]): AttemptCounts {
  const counts = new AttemptCounts(["Cmdb", HOSTILE]);
  for (const end of ends) {
    counts.count({ plugin: "Cmdb", outcome: "done", reason: null, repeated: false, tookMs: 1, ...end });
  }
  return counts;
}

Deno.test("metricsText() passes promtool's check, with whatever names plugins have", async () => {
  const { code, said } = await promtool(["check", "metrics"], await metricsText(readings, attempts()));
  assert.deepEqual({ code, said }, { code: 0, said: "" });
});

Deno.test("promtool refuses what is not by the conventions", async () => {
  const { code } = await promtool(["check", "metrics"], "# TYPE received counter\nreceived 1\n");
  assert.notEqual(code, 0);
});

Deno.test("metricsText() says what the stages say", async () => {
  const samples = samplesOf(await metricsText(readings, attempts()));
  const expected = {
    'oss_watcher_info{version="1.2.3"}': 1,
    oss_watcher_messages_received_total: 10,
    oss_watcher_messages_ignored_total: 7,
    oss_watcher_messages_rejected_total: 1,
    oss_watcher_notifications_recorded_total: 2,
    'oss_watcher_notifications_decided_total{outcome="superseded"}': 4,
    oss_watcher_last_message_age_seconds: 2.5,
    'oss_watcher_source_connected{source="1"}': 1,
    'oss_watcher_source_consuming{source="0"}': 1,
    'oss_watcher_source_consuming{source="1"}': 0,
    oss_watcher_ledger_writable: 1,
    oss_watcher_deciding: 0,
    oss_watcher_reconcile_agreed_age_seconds: 3600,
    'oss_watcher_reconcile_drift{change="gone"}': 20,
    'oss_watcher_reconcile_outcome{outcome="withheld"}': 1,
    'oss_watcher_reconcile_outcome{outcome="agreed"}': 0,
    oss_watcher_reconcile_duration_seconds: 30,
    'oss_watcher_breaker_open{plugin="Cmdb"}': 1,
    'oss_watcher_breaker_open{plugin="a \\"quoted\\" \\\\ {name=\\"x\\"} 100%"}': 0,
    'oss_watcher_plugin_paused{plugin="Cmdb"}': 1,
    'oss_watcher_plugin_paused{plugin="a \\"quoted\\" \\\\ {name=\\"x\\"} 100%"}': 0,
    'oss_watcher_deliveries_waiting{plugin="Cmdb",state="new"}': 1,
    'oss_watcher_deliveries_waiting{plugin="Cmdb",state="blocked"}': 2,
    'oss_watcher_deliveries_waiting{plugin="Cmdb",state="ready"}': 3,
    'oss_watcher_oldest_waiting_delivery_age_seconds{plugin="Cmdb"}': 60,
    'oss_watcher_dead_letters{plugin="Cmdb"}': 5,
    process_start_time_seconds: 900,
    process_cpu_seconds_total: 1.5,
    process_resident_memory_bytes: 4096,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(samples.get(name), value, name);
});

Deno.test("metricsText() says nothing of comparisons where none was made", async () => {
  const samples = samplesOf(await metricsText({ ...readings, comparisons: () => null }, attempts()));
  assert.deepEqual([...samples.keys()].filter((name) => name.includes("reconcile")), []);
});

Deno.test("metricsText() counts attempts by how they ended", async () => {
  const samples = samplesOf(
    await metricsText(
      readings,
      attempts(
        {},
        { repeated: true },
        { outcome: "retry", reason: "timeout" },
        { outcome: "retry", reason: "timeout", repeated: true },
        { outcome: "dead", reason: "permanent" },
        { outcome: "interrupted", reason: "interrupted" },
        { plugin: "nobody's" },
      ),
    ),
  );
  const of = (name: string, label = "") => samples.get(`oss_watcher_${name}{plugin="Cmdb"${label}}`);
  assert.equal(of("deliveries_delivered_total"), 2);
  assert.equal(of("deliveries_dead_total"), 1);
  assert.equal(of("attempts_retried_total"), 2);
  const failed = FAILURE_REASONS.map((reason) => [reason, of("attempts_failed_total", `,reason="${reason}"`)]);
  const expected = { timeout: 2, permanent: 1, interrupted: 1 } as Readonly<Record<string, number>>;
  assert.deepEqual(failed, FAILURE_REASONS.map((reason) => [reason, expected[reason] ?? 0]));
});

Deno.test("metricsText() has each attempt in every bucket that it fits into", async () => {
  const times = [1, 5, 5.1, 2_500, 90_000, -3];
  const samples = samplesOf(await metricsText(readings, attempts(...times.map((tookMs) => ({ tookMs })))));
  const bucket = (le: string) => samples.get(`oss_watcher_attempt_duration_seconds_bucket{plugin="Cmdb",le="${le}"}`);
  assert.deepEqual(["0.005", "0.025", "1", "2.5", "60", "+Inf"].map(bucket), [3, 4, 4, 5, 5, 6]);
  assert.equal(samples.get(`oss_watcher_attempt_duration_seconds_count{plugin="Cmdb"}`), 6);
  assert.ok(Math.abs(samples.get(`oss_watcher_attempt_duration_seconds_sum{plugin="Cmdb"}`)! - 92.5111) < 1e-9);
});

Deno.test("metricsText() says all else when the ledger cannot be read", async () => {
  const broken = {
    ...readings,
    backlog: () => Promise.reject(new Error("disk I/O error")),
    pauses: () => Promise.reject(new Error("disk I/O error")),
  };
  const text = await metricsText(broken, attempts({}));
  assert.equal((await promtool(["check", "metrics"], text)).code, 0);
  const samples = samplesOf(text);
  assert.equal(samples.get("oss_watcher_messages_received_total"), 10);
  assert.equal(samples.get(`oss_watcher_deliveries_delivered_total{plugin="Cmdb"}`), 1);
  assert.ok(![...samples.keys()].some((name) => /waiting|dead_letters|paused/.test(name)));
});

Deno.test("docs/OPERATIONS.md lists every metric with its type, labels and meaning", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/OPERATIONS.md", import.meta.url));
  const rows = [...text.matchAll(/^\| `((?:oss_watcher|process)_\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$/gm)];
  const scrape = { readings, attempts: attempts({}), backlog, pauses: await readings.pauses() };
  assert.deepEqual(
    rows.map(([, name, type, labels, help]) => ({ name, type, labels, help })),
    METRICS.map(({ name, type, help, read }) => {
      const samples = read(scrape);
      const labels = Object.keys(samples[0]?.labels ?? {}).filter((label) => label !== "le");
      const shown = labels.map((label) => {
        const values = [...new Set(samples.map((sample) => sample.labels?.[label]))];
        return `\`${label}\`${ELSEWHERE.includes(label) ? "" : ` (${values.join(", ")})`}`;
      });
      return { name, type, labels: shown.join(", "), help };
    }),
  );
});

/** Labels whose values the text below the table explains. */
const ELSEWHERE = ["lease", "plugin", "reason", "source", "version"];

Deno.test("docs/OPERATIONS.md explains every reason of a failure", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/OPERATIONS.md", import.meta.url));
  const [, reasons = ""] = /`reason` is one of (.*?)\. `plugin`/s.exec(text) ?? [];
  assert.deepEqual(reasons.match(/`\w+`/g), FAILURE_REASONS.map((reason) => `\`${reason}\``));
});

Deno.test("packaging/prometheus-alerts.yml passes promtool's check and names no metric that is not there", async () => {
  const file = new URL("../../packaging/prometheus-alerts.yml", import.meta.url).pathname;
  const { code, said } = await promtool(["check", "rules", file]);
  assert.equal(code, 0, said);
  const named = [...Deno.readTextFileSync(file).matchAll(/\boss_watcher_\w+/g)].map(([name]) => name);
  assert.ok(named.length > 5);
  assert.deepEqual(named.filter((name) => !METRICS.some((metric) => metric.name === name)), []);
});

Deno.test("packaging/prometheus-alerts.yml says of a plugin that is paused that it is, instead of that it is late", async () => {
  const rules = new URL("../../packaging/prometheus-alerts.yml", import.meta.url).pathname;
  const series = (name: string, plugin: string, value: number) => ({
    series: `oss_watcher_${name}{instance="a", plugin="${plugin}"}`,
    values: `${value}x60`,
  });
  const alerts = ["OssWatcherDeliveriesLate", "OssWatcherTargetDown", "OssWatcherPluginPaused"];
  // None is expected, so promtool lists those that fire.
  const { said } = await promtoolTest(JSON.stringify({
    rule_files: [rules],
    tests: [{
      interval: "1m",
      input_series: ["Late", "Paused"].flatMap((plugin) => [
        series("oldest_waiting_delivery_age_seconds", plugin, 7200),
        series("breaker_open", plugin, 1),
        series("plugin_paused", plugin, Number(plugin === "Paused")),
      ]),
      alert_rule_test: alerts.map((alertname) => ({ eval_time: "30m", alertname, exp_alerts: [] })),
    }],
  }));
  const fires = said.split(/^ {4}alertname: /m).slice(1).map((part) => [
    /^\w+/.exec(part)?.[0],
    ...[...part.matchAll(/Labels:\{[^}]*plugin="(\w+)"/g)].map(([, plugin]) => plugin),
  ]);
  assert.deepEqual(fires, [
    ["OssWatcherDeliveriesLate", "Late"],
    ["OssWatcherTargetDown", "Late"],
    ["OssWatcherPluginPaused", "Paused"],
  ], said);
});

/** Runs a file of tests of rules. */
async function promtoolTest(text: string): Promise<{ readonly code: number; readonly said: string }> {
  using directory = new TemporaryDirectory();
  const file = directory.path("rules_test.yml");
  await Deno.writeTextFile(file, text);
  return await promtool(["test", "rules", file]);
}
