import { bracketedHost } from "../../model/bracketed_host.ts";
import type { MetricsOptions } from "../../model/config.ts";
import { DEFAULT_METRICS } from "../../model/config.ts";
import type { IntakeCounts, SourceState } from "../../model/readings.ts";
import { HttpTarget } from "../../wire/http/http.ts";

/** What a running service tells of itself at `/metrics` and `/healthz`. Times: ms since the epoch. */
export interface ServiceFigures {
  readonly version: string;
  readonly startedAt: number;
  /** Before the first message, the start. */
  readonly lastMessageAt: number;
  readonly messages: IntakeCounts;
  readonly ledgerWritable: boolean;
  readonly deciding: boolean;
  readonly sources: readonly SourceState[];
  readonly openBreakers: ReadonlySet<string>;
  /** By plugin, when the oldest delivery that waits was decided. */
  readonly oldestAt: ReadonlyMap<string, number>;
  readonly residentBytes: number;
  readonly livenessProblems: readonly string[];
}

const TIMEOUT_SECONDS = 5;
const MAX_BYTES = 16 * 1024 * 1024;
/** On all addresses a service answers at the loopback address, too. */
const WILDCARDS: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/**
 * Asks the service that listens where config.ts says; `null`: something else listens there.
 *
 * @throws {DeliveryError} when nothing answers there.
 */
export async function serviceFigures(options: MetricsOptions, now: number): Promise<ServiceFigures | null> {
  const { host, port } = { ...DEFAULT_METRICS, ...options };
  const base = `http://${bracketedHost(WILDCARDS[host] ?? host)}:${port}`;
  await using target = new HttpTarget({ timeoutSeconds: TIMEOUT_SECONDS, maxAnswerBytes: MAX_BYTES });
  const [metrics, health] = await Promise.all([
    target.request({ method: "GET", url: `${base}/metrics` }),
    target.request({ method: "GET", url: `${base}/healthz`, accepts: (status) => status === 503 }),
  ]);
  const read = new Exposition(metrics.text);
  const version = read.label("info", "version");
  return version === "" ? null : {
    version,
    startedAt: read.one("process_start_time_seconds") * 1000,
    lastMessageAt: now - read.one("oss_watcher_last_message_age_seconds") * 1000,
    messages: {
      received: read.one("oss_watcher_messages_received_total"),
      ignored: read.one("oss_watcher_messages_ignored_total"),
      rejected: read.one("oss_watcher_messages_rejected_total"),
      recorded: read.one("oss_watcher_notifications_recorded_total"),
    },
    ledgerWritable: read.one("oss_watcher_ledger_writable") === 1,
    deciding: read.one("oss_watcher_deciding") === 1,
    sources: read.by("source_connected", "source").map(([source, connected]) => ({
      connected: connected === 1,
      consuming: read.by("source_consuming", "source").some(([one, value]) => one === source && value === 1),
    })),
    openBreakers: new Set(read.by("breaker_open", "plugin").filter(([, value]) => value === 1).map(([name]) => name)),
    oldestAt: new Map(
      read.by("oldest_waiting_delivery_age_seconds", "plugin").filter(([, age]) => age > 0)
        .map(([name, age]) => [name, now - age * 1000]),
    ),
    residentBytes: read.one("process_resident_memory_bytes"),
    livenessProblems: health.status === 503 ? health.text.trim().split("\n") : [],
  };
}

/** The text format of Prometheus, as the service writes it. */
class Exposition {
  readonly #samples: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];

  constructor(text: string) {
    this.#samples = [...text.matchAll(/^([a-z_]+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = "", labels = "", value]) => ({
      name,
      labels: Object.fromEntries(
        [...labels.matchAll(/([a-z]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text = ""]) => [key, unescaped(text)]),
      ),
      value: Number(value),
    }));
  }

  one(name: string): number {
    return this.#samples.find((sample) => sample.name === name)?.value ?? 0;
  }

  label(name: string, label: string): string {
    return this.#samples.find((sample) => sample.name === `oss_watcher_${name}`)?.labels[label] ?? "";
  }

  /** The values of a metric by a label. */
  by(name: string, label: string): readonly (readonly [value: string, sample: number])[] {
    return this.#samples.filter((sample) => sample.name === `oss_watcher_${name}`)
      .map(({ labels, value }) => [labels[label] ?? "", value]);
  }
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, char) => char === "n" ? "\n" : char);
}
