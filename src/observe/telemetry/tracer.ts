import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../../model/clock.ts";
import { DeliveryError } from "../../model/errors.ts";
import { redact } from "../../wire/secrets/redact.ts";
import type { ClientCall, ClientTracer, SpanAttributes, TraceHeaders } from "../../wire/tracing.ts";
import { failed, keyValues, nanoseconds, type OtlpSpan, SAMPLED, SPAN_KINDS, type SpanKind } from "./otlp.ts";
import { childOf, type SpanContext, traceparentOf } from "./trace_ids.ts";

/** A span that has ended. */
export interface EndedSpan {
  readonly name: string;
  /** @default "internal" */
  readonly kind?: SpanKind;
  /** The id of its parent; absent for the first span of a trace. */
  readonly parent?: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: SpanAttributes;
  /** Why it failed, without secrets. */
  readonly error?: string;
}

/** Takes spans that have ended, and knows the attempt in progress. */
export class Tracer implements ClientTracer {
  readonly #export: (span: OtlpSpan) => void;
  readonly #clock: Clock;
  readonly #active = new AsyncLocalStorage<SpanContext>();

  constructor({ export: add, clock }: { readonly export: (span: OtlpSpan) => void; readonly clock: Clock }) {
    this.#export = add;
    this.#clock = clock;
  }

  /** The attempt that the caller belongs to, if any. */
  get active(): SpanContext | undefined {
    return this.#active.getStore();
  }

  /** Calls a function, and whatever it waits for, as part of a span. */
  within<Result>(span: SpanContext, call: () => Result): Result {
    return this.#active.run(span, call);
  }

  ended({ traceId, spanId, isSampled }: SpanContext, span: EndedSpan): void {
    if (!isSampled) return;
    const { name, kind = "internal", parent, startedAt, endedAt, attributes, error } = span;
    this.#export({
      traceId,
      spanId,
      ...(parent === undefined ? {} : { parentSpanId: parent }),
      flags: SAMPLED,
      name,
      kind: SPAN_KINDS[kind],
      startTimeUnixNano: nanoseconds(startedAt),
      // The clock may have been set back.
      endTimeUnixNano: nanoseconds(Math.max(startedAt, endedAt)),
      attributes: keyValues(attributes),
      ...(error === undefined ? {} : { status: failed(error) }),
    });
  }

  async traced<Answer>(
    call: ClientCall,
    send: (headers: TraceHeaders) => Promise<Answer>,
    answered: (answer: Answer) => SpanAttributes = () => ({}),
  ): Promise<Answer> {
    const parent = this.active;
    if (parent === undefined) return await send({});
    const own = childOf(parent);
    const [startedAt, startedMs] = [this.#clock.now(), this.#clock.passedMs()];
    const end = (attributes: SpanAttributes, error?: string) =>
      this.ended(own, {
        ...call,
        parent: parent.spanId,
        startedAt,
        endedAt: startedAt + this.#clock.passedMs() - startedMs,
        attributes: { ...call.attributes, ...attributes },
        ...(error === undefined ? {} : { error }),
      });
    try {
      const answer = await send({ traceparent: traceparentOf(own) });
      end(answered(answer));
      return answer;
    } catch (error) {
      end(failureAttributes(error), redact(error instanceof Error ? error.message : String(error)));
      throw error;
    }
  }
}

/** As the conventions for HTTP say: the status, if there was one, is also the type of the error. */
function failureAttributes(error: unknown): SpanAttributes {
  if (!(error instanceof DeliveryError)) return { "error.type": error instanceof Error ? error.name : "other" };
  const { status, reason } = error;
  return status === undefined
    ? { "error.type": reason }
    : { "error.type": String(status), "http.response.status_code": status };
}
