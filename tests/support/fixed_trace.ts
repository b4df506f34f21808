import { type ClientCall, type ClientTracer, traceClients, type TraceHeaders } from "../../src/wire/tracing.ts";

/** The header that every request gets while a {@linkcode FixedTrace} is there. */
export const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/** Traces requests, and keeps what is said of them. */
export class FixedTrace implements ClientTracer, Disposable {
  readonly calls: ClientCall[] = [];

  constructor() {
    traceClients(this);
  }

  traced<Answer>(call: ClientCall, send: (headers: TraceHeaders) => Promise<Answer>): Promise<Answer> {
    this.calls.push(call);
    return send({ traceparent: TRACEPARENT });
  }

  [Symbol.dispose](): void {
    traceClients(null);
  }
}
