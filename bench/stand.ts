// What every row of the bench stands on, and what it gives.
import type { Outcome } from "./contest.ts";
import type { Peers } from "./peers.ts";
import type { Bus } from "./queue.ts";

export interface Stand {
  readonly bus: Bus;
  /** Of the private RabbitMQ. */
  readonly url: string;
  readonly port: number;
  readonly peers: Peers;
  readonly rounds: number;
  /** Smaller rounds, to see whether everything works: figures of a second or two say little. */
  readonly quick: boolean;
}

/** One line of the table. */
export interface Line {
  readonly what: string;
  readonly value: Outcome;
  readonly unit: string;
  /** What it should be; lines without one explain the others. */
  readonly aim?: { readonly atLeast: number } | { readonly atMost: number };
}

/** One row of the table: what was measured, and everything that it was made of. */
export interface Measured {
  readonly lines: readonly Line[];
  readonly raw: unknown;
}

export interface Row {
  readonly name: string;
  measure(stand: Stand): Promise<Measured>;
}

/** The queue of every round; oslo.messaging makes the name of topic and priority. */
export const TOPIC = "bench";
export const QUEUE = `${TOPIC}.info`;
