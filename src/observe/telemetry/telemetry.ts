import type { Clock } from "../../model/clock.ts";
import type { Ledger } from "../../model/ledger.ts";
import type { Logger, Plugin } from "../../model/plugin.ts";
import type { StoredLedger } from "../../model/stored_ledger.ts";
import { HttpTarget } from "../../wire/http/http.ts";
import { shownUrl } from "../../wire/secrets/redact.ts";
import { traceClients } from "../../wire/tracing.ts";
import type { Family } from "../exposition.ts";
import type { LogRecord } from "../log.ts";
import { AttemptSpans } from "./attempt_spans.ts";
import { Exporter } from "./exporter.ts";
import { otlpLogRecord } from "./log_records.ts";
import { otlpMetrics } from "./metric_points.ts";
import { NotificationSpans } from "./notification_spans.ts";
import { type ExportSource, keyValues, logsRequest, metricsRequest, tracesRequest } from "./otlp.ts";
import { type Environment, type SignalKind, type TelemetrySettings, telemetrySettings } from "./settings.ts";
import { TraceIds } from "./trace_ids.ts";
import { TracedLedger } from "./traced_ledger.ts";
import { tracedPlugin } from "./traced_plugin.ts";
import { Tracer } from "./tracer.ts";

export interface TelemetryOptions {
  readonly env: Environment;
  /** Of the program. */
  readonly version: string;
  readonly clock: Clock;
  /** Tells this process from others of the same service. */
  readonly instanceId: string;
}

/** Of a collector that does not answer, the end of the program waits no longer than this. */
const CLOSE_MS = 500;

/** What waits for a collector, in JSON: some 10 MB of spans, seldom more, and of the log as much at the most. */
const MAX_SPANS = 16_384;
const MAX_LINES = 2048;
/** Moments: each is all metrics. */
const MAX_MOMENTS = 60;
const METRICS_DELAY_MS = 1;

/**
 * Makes what exports traces, logs and metrics, as OpenTelemetry's environment variables say;
 * `undefined`: they turn it off.
 */
export function makeTelemetry(options: TelemetryOptions): Telemetry | undefined {
  const settings = telemetrySettings(options.env);
  return settings === null ? undefined : new Telemetry(settings, options);
}

/**
 * Exports traces, logs and metrics to a collector, by OTLP over HTTP. Whatever the collector does,
 * nothing here waits for it, or throws.
 */
export class Telemetry implements AsyncDisposable {
  readonly #settings: TelemetrySettings;
  readonly #options: TelemetryOptions;
  readonly #http: HttpTarget;
  readonly #source: ExportSource;
  readonly #spans: Exporter | null;
  readonly #logs: Exporter | null;
  readonly #metrics: Exporter | null;
  readonly #ids: TraceIds;
  readonly #tracer: Tracer;
  readonly #attempts: AttemptSpans;

  constructor(settings: TelemetrySettings, options: TelemetryOptions) {
    const { resource, sampledShare, http, spansDelayMs, logsDelayMs } = settings;
    const { version, clock, instanceId } = options;
    this.#settings = settings;
    this.#options = options;
    this.#http = new HttpTarget(http);
    const own = { "service.version": version, "service.instance.id": instanceId, ...SDK };
    this.#source = { resource: keyValues({ ...own, ...resource }), version };
    this.#spans = this.#exporter("traces", { maxWaiting: MAX_SPANS, delayMs: spansDelayMs, request: tracesRequest });
    this.#logs = this.#exporter("logs", { maxWaiting: MAX_LINES, delayMs: logsDelayMs, request: logsRequest });
    const moments = { maxWaiting: MAX_MOMENTS, delayMs: METRICS_DELAY_MS };
    this.#metrics = this.#exporter("metrics", { ...moments, request: metricsRequest });
    this.#ids = new TraceIds({ service: resource["service.name"] ?? "", sampledShare });
    this.#tracer = new Tracer({ export: (span) => this.#spans?.add(JSON.stringify(span)), clock });
    this.#attempts = new AttemptSpans(this.#tracer, this.#ids);
  }

  /** Takes each line of the log. */
  readonly onLog = (record: LogRecord): void =>
    this.#logs?.add(JSON.stringify(otlpLogRecord(record, this.#tracer.active)));

  /** Begins to export, and to trace requests. */
  start(log: Logger): void {
    const { urls, problems } = this.#settings;
    for (const problem of problems) log.warn(problem);
    if (this.#options.env("OTEL_DENO") === "true") log.warn(DENO_TOO);
    const places = Object.entries(urls).map(([kind, url]) => `${kind} to ${shownUrl(url)}`);
    if (places.length > 0) log.info(`Exporting ${places.join(", ")}`);
    if (this.#spans !== null) traceClients(this.#tracer);
    for (const exporter of this.#exporters) exporter.start(log);
  }

  /** A ledger that makes spans of what passes through it. */
  tracedLedger(stored: Pick<StoredLedger, "ledger" | "causesOf">): Ledger {
    if (this.#spans === null) return stored.ledger;
    return new TracedLedger({
      ledger: stored.ledger,
      causesOf: (seqs) => stored.causesOf(seqs),
      notifications: new NotificationSpans(this.#tracer, this.#ids),
      attempts: this.#attempts,
      clock: this.#options.clock,
    });
  }

  /** A plugin whose requests belong to the spans of its attempts. */
  tracedPlugin(name: string, plugin: Plugin): Plugin {
    return this.#spans === null ? plugin : tracedPlugin(name, plugin, this.#attempts);
  }

  /** Exports metrics, until the signal aborts. */
  async exportMetrics(
    read: () => Promise<readonly Family[]>,
    { startedAt, signal }: { readonly startedAt: number; readonly signal: AbortSignal },
  ): Promise<void> {
    if (this.#metrics === null) return;
    const { clock } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(this.#settings.metricsEveryMs, signal);
      if (signal.aborted) break;
      this.#metrics.add(JSON.stringify(otlpMetrics(await read(), { startedAt, at: clock.now() })));
    }
  }

  /** Sends what waits, if the collector takes it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    traceClients(null);
    await Promise.all(this.#exporters.map((exporter) => exporter.close(CLOSE_MS)));
    await this.#http[Symbol.asyncDispose]();
  }

  get #exporters(): readonly Pick<Exporter, "start" | "close">[] {
    return [this.#spans, this.#logs, this.#metrics].filter((exporter) => exporter !== null);
  }

  #exporter(kind: SignalKind, { request, ...options }: {
    readonly maxWaiting: number;
    readonly delayMs: number;
    readonly request: (items: readonly string[], source: ExportSource) => string;
  }): Exporter | null {
    const url = this.#settings.urls[kind];
    if (url === undefined) return null;
    const { clock } = this.#options;
    return new Exporter({
      ...options,
      kind,
      url,
      http: this.#http,
      clock,
      encode: (items) => request(items, this.#source),
    });
  }
}

const SDK = {
  "telemetry.sdk.name": "oss-watcher",
  "telemetry.sdk.language": "deno",
  "process.runtime.name": "deno",
  "process.runtime.version": Deno.version.deno,
} as const;

const DENO_TOO =
  "OTEL_DENO is set: Deno's own telemetry shows the URLs of targets with their secrets, and delays the " +
  "end of the service while the collector hangs. Unset it; OTEL_EXPORTER_OTLP_ENDPOINT is enough";
