import type { KeyValue, OtlpLogRecord, OtlpMetric, OtlpSpan } from "../../src/observe/telemetry/otlp.ts";

/** What a receiver does with a request. */
export type Treatment = "take" | "hang" | Response;

/** A receiver of OTLP over HTTP, in JSON, that keeps all it gets, and can hang. */
export class OtlpReceiver implements AsyncDisposable {
  readonly spans: OtlpSpan[] = [];
  readonly logs: OtlpLogRecord[] = [];
  /** Of each moment. */
  readonly metrics: (readonly OtlpMetric[])[] = [];
  readonly resources: (readonly KeyValue[])[] = [];
  readonly headers: Headers[] = [];
  /** All bodies, to be searched. */
  text = "";
  treat: (path: string) => Treatment = () => "take";
  readonly #stop = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    const options = { hostname: "127.0.0.1", port: 0, signal: this.#stop.signal, onListen() {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** The spans of one trace, by the values of an attribute of one of them. */
  trace(attribute: string, value: string): readonly OtlpSpan[] {
    const one = this.spans.find((span) => valueOf(span, attribute) === value);
    return this.spans.filter(({ traceId }) => traceId === one?.traceId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#server.finished;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const body = await request.text();
    this.headers.push(request.headers);
    this.text += body;
    const treatment = this.treat(pathname);
    if (treatment === "hang") {
      await new Promise<void>((resolve) => this.#stop.signal.addEventListener("abort", () => resolve()));
    }
    if (treatment !== "take" && treatment !== "hang") return treatment;
    this.#keep(JSON.parse(body));
    return Response.json({});
  }

  #keep({ resourceSpans = [], resourceLogs = [], resourceMetrics = [] }: Requests): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      this.resources.push(resource.attributes);
      this.spans.push(...scopeSpans.flatMap(({ spans }) => spans));
    }
    for (const { scopeLogs } of resourceLogs) this.logs.push(...scopeLogs.flatMap(({ logRecords }) => logRecords));
    for (const { scopeMetrics } of resourceMetrics) this.metrics.push(scopeMetrics.flatMap(({ metrics }) => metrics));
  }
}

interface Requests {
  readonly resourceSpans?: readonly { resource: Resource; scopeSpans: readonly { spans: readonly OtlpSpan[] }[] }[];
  readonly resourceLogs?: readonly { scopeLogs: readonly { logRecords: readonly OtlpLogRecord[] }[] }[];
  readonly resourceMetrics?: readonly { scopeMetrics: readonly { metrics: readonly OtlpMetric[] }[] }[];
}

interface Resource {
  readonly attributes: readonly KeyValue[];
}

/** The value of an attribute; 64-bit numbers are texts. */
export function valueOf(
  { attributes }: { readonly attributes: readonly KeyValue[] },
  name: string,
): string | number | boolean | undefined {
  const value = attributes.find(({ key }) => key === name)?.value;
  return value === undefined ? undefined : Object.values(value)[0];
}
