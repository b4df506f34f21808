import { HttpTarget, type HttpTargetOptions } from "../../wire/http/http.ts";

/** What is exported, each to a path of its own. */
export type SignalKind = "traces" | "logs" | "metrics";

/** How telemetry is exported, as OpenTelemetry's environment variables say. */
export interface TelemetrySettings {
  /** Where each signal goes; those that are turned off are absent. */
  readonly urls: Readonly<Partial<Record<SignalKind, string>>>;
  readonly http: HttpTargetOptions;
  /** Of the resource, as OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say. */
  readonly resource: Readonly<Record<string, string>>;
  /** The share of notifications that are traced, 0 to 1. */
  readonly sampledShare: number;
  /** How long spans and log lines are collected before they are sent. */
  readonly spansDelayMs: number;
  readonly logsDelayMs: number;
  readonly metricsEveryMs: number;
  /** What was not understood, for the log. */
  readonly problems: readonly string[];
}

/** Reads a variable. */
export type Environment = (name: string) => string | undefined;

const KINDS: readonly SignalKind[] = ["traces", "logs", "metrics"];
const DEFAULT_NAME = "oss-watcher";
const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 3_600_000;

/**
 * Reads the settings. What cannot be used is left out and becomes a problem: a mistake here must
 * not keep the service from its work. `null`: nothing is to be exported.
 */
export function telemetrySettings(env: Environment): TelemetrySettings | null {
  const reader = new Reader(env);
  if (reader.text("OTEL_SDK_DISABLED")?.toLowerCase() === "true") return null;
  if (reader.text("OTEL_EXPORTER_OTLP_ENDPOINT") === undefined) return null;
  const delays = {
    spansDelayMs: reader.milliseconds("OTEL_BSP_SCHEDULE_DELAY", 5000),
    logsDelayMs: reader.milliseconds("OTEL_BLRP_SCHEDULE_DELAY", 1000),
    metricsEveryMs: reader.milliseconds("OTEL_METRIC_EXPORT_INTERVAL", 60_000),
  };
  const [urls, http, resource] = [reader.urls(), reader.http(), reader.resource()];
  const sampledShare = reader.sampledShare();
  reader.refuseProtocol();
  return { urls, http, resource, sampledShare, ...delays, problems: reader.problems };
}

class Reader {
  readonly problems: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** An empty variable counts as not set, as the specification says. */
  text(name: string): string | undefined {
    return this.#env(name)?.trim() || undefined;
  }

  milliseconds(name: string, fallback: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= 1 && value <= MAX_TIMEOUT_MS) return value;
    this.problems.push(`${name}: must be 1 to ${MAX_TIMEOUT_MS} milliseconds; ${fallback} is used`);
    return fallback;
  }

  urls(): Partial<Record<SignalKind, string>> {
    const urls = KINDS.flatMap((kind) => {
      const name = kind.toUpperCase();
      if (!this.#isWanted(`OTEL_${name}_EXPORTER`)) return [];
      const own = `OTEL_EXPORTER_OTLP_${name}_ENDPOINT`;
      const url = this.text(own) ?? below(this.text("OTEL_EXPORTER_OTLP_ENDPOINT") ?? "", `v1/${kind}`);
      if (HttpTarget.isUrl(url)) return [[kind, url]];
      const variable = this.text(own) === undefined ? "OTEL_EXPORTER_OTLP_ENDPOINT" : own;
      this.problems.push(`${variable}: must be http://… or https://…, without user and password; no ${kind} are sent`);
      return [];
    });
    return Object.fromEntries(urls);
  }

  http(): HttpTargetOptions {
    const files = {
      caFile: this.text("OTEL_EXPORTER_OTLP_CERTIFICATE"),
      certFile: this.text("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
      keyFile: this.text("OTEL_EXPORTER_OTLP_CLIENT_KEY"),
    };
    const options: HttpTargetOptions = {
      timeoutSeconds: this.milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT", DEFAULT_TIMEOUT_MS) / 1000,
      headers: this.#pairs("OTEL_EXPORTER_OTLP_HEADERS"),
      ...Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined)),
    };
    const wrong = HttpTarget.problems(options);
    if (wrong.length === 0) return options;
    this.problems.push(
      `OTEL_EXPORTER_OTLP_HEADERS, _CERTIFICATE, _CLIENT_CERTIFICATE or _CLIENT_KEY are not used: ${wrong.join("; ")}`,
    );
    return {};
  }

  resource(): Record<string, string> {
    const name = this.text("OTEL_SERVICE_NAME");
    const own = name === undefined ? {} : { "service.name": name };
    return { "service.name": DEFAULT_NAME, ...this.#pairs("OTEL_RESOURCE_ATTRIBUTES"), ...own };
  }

  /** All samplers that decide by the trace's id alone: no notification has a parent. */
  sampledShare(): number {
    const sampler = (this.text("OTEL_TRACES_SAMPLER") ?? "always_on").replace(/^parentbased_/, "");
    if (sampler === "always_on") return 1;
    if (sampler === "always_off") return 0;
    const share = Number(this.text("OTEL_TRACES_SAMPLER_ARG") ?? 1);
    if (sampler === "traceidratio" && share >= 0 && share <= 1) return share;
    this.problems.push(
      "OTEL_TRACES_SAMPLER: must be always_on, always_off or traceidratio, with OTEL_TRACES_SAMPLER_ARG from 0 to 1; " +
        "all is traced",
    );
    return 1;
  }

  refuseProtocol(): void {
    const protocol = this.text("OTEL_EXPORTER_OTLP_PROTOCOL") ?? "http/json";
    if (protocol.startsWith("http/")) return;
    this.problems.push(
      "OTEL_EXPORTER_OTLP_PROTOCOL: only OTLP over HTTP is spoken; name the collector's port for it, as a rule 4318",
    );
  }

  #isWanted(variable: string): boolean {
    const exporter = this.text(variable) ?? "otlp";
    if (exporter !== "otlp" && exporter !== "none") {
      this.problems.push(`${variable}: must be otlp or none; none is sent`);
    }
    return exporter === "otlp";
  }

  /** `name=value,…`, percent-encoded as in W3C's Baggage. */
  #pairs(variable: string): Record<string, string> {
    const pairs = (this.text(variable)?.split(",") ?? []).flatMap((pair) => {
      const [, name = "", value = ""] = /^\s*([^=]+?)\s*=(.*)$/s.exec(pair) ?? [];
      if (name !== "") return [[name, decoded(value.trim())]];
      this.problems.push(`${variable}: must be name=value, separated by commas; what is not is left out`);
      return [];
    });
    return Object.fromEntries(pairs);
  }
}

function below(endpoint: string, path: string): string {
  return `${endpoint.replace(/\/+$/, "")}/${path}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
