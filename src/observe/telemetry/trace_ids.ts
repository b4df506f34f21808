import { createHash, randomBytes } from "node:crypto";

/** Where a span belongs. All are hexadecimal. */
export interface SpanContext {
  /** 32 digits. */
  readonly traceId: string;
  /** 16 digits. */
  readonly spanId: string;
  /** Whether its trace is exported. */
  readonly isSampled: boolean;
}

/** The digits of a trace's id that sampling looks at: 13 of them fit into a number. */
const SAMPLED_DIGITS = 13;

/**
 * The trace of each notification. Its id and that of its first span come from the message's id: so
 * each process makes the same, after a restart and three days later, and the ledger stores none.
 */
export class TraceIds {
  readonly #service: string;
  readonly #sampledShare: number;

  /**
   * @param options `service` tells the traces of one deployment from those of another that consumes
   * the same notifications.
   */
  constructor({ service, sampledShare }: { readonly service: string; readonly sampledShare: number }) {
    this.#service = service;
    this.#sampledShare = sampledShare;
  }

  /** The first span of a notification, the parent of all others. */
  root(messageId: string): SpanContext {
    const hash = createHash("sha256").update(JSON.stringify([this.#service, messageId])).digest("hex");
    const traceId = hash.slice(0, 32);
    return { traceId, spanId: hash.slice(32, 48), isSampled: this.#isSampled(traceId) };
  }

  /** By the id alone: every process decides the same. */
  #isSampled(traceId: string): boolean {
    return parseInt(traceId.slice(-SAMPLED_DIGITS), 16) < this.#sampledShare * 16 ** SAMPLED_DIGITS;
  }
}

/** A new span of the same trace. */
export function childOf({ traceId, isSampled }: SpanContext): SpanContext {
  return { traceId, spanId: randomBytes(8).toString("hex"), isSampled };
}

/** The header of W3C's Trace Context. */
export function traceparentOf({ traceId, spanId, isSampled }: SpanContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}
