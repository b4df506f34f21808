// One round of most rows: a queue is filled, a program empties it, and its time and cost are
// measured.
import type { Buffer } from "node:buffer";
import type { Sample } from "./contest.ts";
import { cpuSeconds, peakMib } from "./measured.ts";
import type { Load } from "./mix.ts";
import type { Bus, QueueType } from "./queue.ts";

/** A program that was started on a queue. */
export interface Running {
  readonly pid: number;
  /**
   * The time of its last piece of work, in milliseconds since the epoch. Rejects when the program
   * ends before that.
   */
  readonly finished: Promise<number>;
  /**
   * The time of its first message, if the program reports it. Else the queue shows it, some
   * milliseconds late.
   */
  readonly began?: Promise<number>;
  /** Ends it. Rejects when it did not do all of its work. */
  end(): Promise<void>;
}

export interface DrainOptions {
  readonly bus: Bus;
  readonly queue: string;
  readonly type?: QueueType;
  readonly load: Drained;
  /** The number of units that rates and costs are per. @default messages */
  readonly units?: number;
  readonly start: () => Running;
}

/** The bodies to publish, or a function that makes them while they are published. */
type Drained = Load | {
  readonly messages: number;
  readonly events: number;
  readonly bodies: () => Iterable<Buffer>;
};

/** The longest that a round may take. */
const PATIENCE_MS = 120_000;
const LONG_PATIENCE_MS = 1_200_000;

/**
 * Figures: `perSecond` and `cpuMicros`, from the first message that the program takes to its last
 * piece of work, and `peakMib` from its start.
 */
export async function drain({ bus, queue, type = "classic", load, units, start }: DrainOptions): Promise<Sample> {
  const messages = "messages" in load ? load.messages : load.bodies.length;
  await bus.makeQueue(queue, type);
  await bus.fill(queue, "messages" in load ? load.bodies() : load.bodies);
  const over = AbortSignal.timeout("messages" in load ? LONG_PATIENCE_MS : PATIENCE_MS);
  const running = start();
  running.finished.catch(() => {});
  let figures;
  try {
    await Promise.race([bus.taken(queue, messages, over), running.finished]);
    const [startedAt, startedCpu] = [Date.now(), cpuSeconds(running.pid)];
    const finishedAt = await Promise.race([running.finished, rejection(over)]);
    const count = units ?? messages;
    const cpuMicros = (cpuSeconds(running.pid) - startedCpu) * 1e6 / count;
    const seconds = (finishedAt - (await running.began ?? startedAt)) / 1000;
    figures = { perSecond: count / seconds, cpuMicros, peakMib: peakMib(running.pid) };
  } finally {
    await running.end();
  }
  // Unacknowledged messages are back in the queue.
  const left = await bus.depth(queue);
  if (left !== 0) throw new Error(`${left} messages were not acknowledged`);
  await bus.deleteQueue(queue);
  return { work: `${messages} messages, ${load.events} events`, figures };
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}
