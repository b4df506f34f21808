// The servers that every row of the bench uses, and the form of its results.
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
  /**
   * Smaller rounds, to see whether everything works: rounds of a second or two give no useful
   * figures.
   */
  readonly quick: boolean;
}

/** One line of the table. */
export interface Line {
  readonly what: string;
  readonly value: Outcome;
  readonly unit: string;
  /** The aim; a line without one explains the others. */
  readonly aim?: { readonly atLeast: number } | { readonly atMost: number };
}

/** One row of the table: its figures, and all rounds that they come from. */
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
