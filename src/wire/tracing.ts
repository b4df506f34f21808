/** Headers that let a receiver continue our trace; empty where nothing is traced. */
export type TraceHeaders = Readonly<Record<string, string>>;

/** What a span may say: names of OpenTelemetry's semantic conventions, values without secrets. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** One request to a target, or one message. */
export interface ClientCall {
  /** Of low cardinality, as `POST` or `send nodes`. */
  readonly name: string;
  /** `producer`: what we send is taken from a broker by somebody else. */
  readonly kind: "client" | "producer";
  readonly attributes: SpanAttributes;
}

/** Makes spans of requests to targets. */
export interface ClientTracer {
  /**
   * Sends a request as a span of the attempt that it belongs to.
   *
   * @param answered What the answer adds.
   */
  traced<Answer>(
    call: ClientCall,
    send: (headers: TraceHeaders) => Promise<Answer>,
    answered?: (answer: Answer) => SpanAttributes,
  ): Promise<Answer>;
}

/** A message for a broker, as the semantic conventions for messaging say. */
export function sending(
  system: "rabbitmq" | "nats" | "kafka",
  { destination, through = destination, messageId }: {
    readonly destination: string;
    /** The part of it that is the same for many messages. @default all of it */
    readonly through?: string | undefined;
    readonly messageId?: string;
  },
): ClientCall {
  return {
    name: `send ${through}`,
    kind: "producer",
    attributes: {
      "messaging.system": system,
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
      "messaging.destination.name": destination,
      ...(messageId === undefined ? {} : { "messaging.message.id": messageId }),
    },
  };
}

const UNTRACED: TraceHeaders = {};

/**
 * Per isolate, as the attempt in progress is, which no argument carries: plugins make requests in
 * between. `null`: requests are not traced.
 */
let tracer: ClientTracer | null = null;

/** Traces all requests of this isolate from now on; `null`: none. */
export function traceClients(next: ClientTracer | null): void {
  tracer = next;
}

/** Sends a request, with the headers of its trace if there is one. */
export function traced<Answer>(
  call: () => ClientCall,
  send: (headers: TraceHeaders) => Promise<Answer>,
  answered?: (answer: Answer) => SpanAttributes,
): Promise<Answer> {
  return tracer === null ? send(UNTRACED) : tracer.traced(call(), send, answered);
}
