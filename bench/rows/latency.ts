// From publishing to the arrival at the receiver, at a pace that is easy to hold, beside a loop
// that only publishes and consumes.
import { Buffer } from "node:buffer";
import { contest, type Sample } from "../contest.ts";
import { arrivals, serverId } from "../mix.ts";
import type { Bus } from "../queue.ts";
import { CountingReceiver } from "../receiver.ts";
import { type Measured, QUEUE, type Row, type Stand } from "../stand.ts";
import { restPlugin, startWatcher } from "../watcher.ts";

const PER_SECOND = 100;
/** Events before those that count, to warm the program up. */
const WARM_UP = 200;

export const latency: Row = { name: `latency at ${PER_SECOND} events/s`, measure };

async function measure(stand: Stand): Promise<Measured> {
  await using receiver = new CountingReceiver();
  const events = stand.quick ? 200 : 800;
  const rounds = await contest({ name: latency.name, rounds: stand.rounds }, {
    "watcher": () => watcher(stand, { events, receiver }),
    "loop": () => loop(stand.bus, events),
  });
  const loop99 = rounds.median("loop", "p99");
  const p99 = Math.max(50, typeof loop99 === "number" ? 3 * loop99 : 0);
  return {
    lines: [
      { what: "p50", value: rounds.median("watcher", "p50"), unit: "ms", aim: { atMost: 10 } },
      { what: "p99", value: rounds.median("watcher", "p99"), unit: "ms", aim: { atMost: p99 } },
      { what: "p50 of a publish–consume loop", value: rounds.median("loop", "p50"), unit: "ms" },
      { what: "p99 of a publish–consume loop", value: loop99, unit: "ms" },
      { what: "p99 against it", value: rounds.ratio("watcher", "loop", "p99"), unit: "×" },
    ],
    raw: rounds,
  };
}

/** What is done beside the deliveries, and how the watcher is configured for that. */
export interface Beside {
  /** Source text: further sections of the configuration. */
  readonly sections: string;
  /** Begins it, with the directory of the ledger. */
  readonly begin: (dir: string) => Promise<AsyncDisposable>;
}

/** The latency of a watcher, perhaps beside something else. */
export async function watcher(
  { bus, url }: Stand,
  { events, receiver, beside }: {
    readonly events: number;
    readonly receiver: CountingReceiver;
    readonly beside?: Beside;
  },
): Promise<Sample> {
  const total = WARM_UP + events;
  const { bodies } = arrivals(total);
  const stopwatch = new Stopwatch(WARM_UP);
  receiver.onEvent = (key, at) => stopwatch.stop(key, at);
  await bus.makeQueue(QUEUE, "classic");
  const finished = receiver.expect(total);
  const plugins = restPlugin(receiver.port);
  const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
  const sections = beside?.sections ?? "console: false,";
  const running = startWatcher({ url, queue: QUEUE, plugins, sections, dir, deliveries: total, finished });
  running.finished.catch(() => {});
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  try {
    if (beside !== undefined) stack.use(await beside.begin(dir));
    await pace(bodies, (body, index) => {
      stopwatch.start(`server/${serverId(index)}/creation`, index);
      return bus.publish(QUEUE, body);
    });
    await Promise.race([running.finished, tooLate()]);
  } finally {
    await running.end();
    await bus.deleteQueue(QUEUE);
  }
  return stopwatch.sample();
}

async function loop(bus: Bus, events: number): Promise<Sample> {
  const total = WARM_UP + events;
  const { bodies } = arrivals(total);
  const stopwatch = new Stopwatch(WARM_UP);
  let index = 0;
  const all = Promise.withResolvers<void>();
  await bus.makeQueue(QUEUE, "classic");
  {
    await using _consumer = await bus.consume(QUEUE, () => {
      stopwatch.stop(String(index), performance.now());
      if (++index === total) all.resolve();
    });
    await pace(bodies, (body, number) => {
      stopwatch.start(String(number), number);
      return bus.publish(QUEUE, body);
    });
    await Promise.race([all.promise, tooLate()]);
  }
  await bus.deleteQueue(QUEUE);
  return stopwatch.sample();
}

/** Publishes at fixed times, however long the one before took. */
async function pace(
  bodies: readonly Buffer[],
  publish: (body: Buffer, index: number) => Promise<void>,
): Promise<void> {
  const start = performance.now();
  const sent: Promise<void>[] = [];
  for (const [index, body] of bodies.entries()) {
    const waitMs = start + index * 1000 / PER_SECOND - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    sent.push(publish(body, index));
  }
  await Promise.all(sent);
}

/** Times between two moments, by a name. */
class Stopwatch {
  readonly #warmUp: number;
  readonly #started = new Map<string, number>();
  readonly #times: number[] = [];
  #stopped = 0;

  constructor(warmUp: number) {
    this.#warmUp = warmUp;
  }

  start(name: string, index: number): void {
    this.#started.set(name, index < this.#warmUp ? NaN : performance.now());
  }

  stop(name: string, at: number): void {
    const started = this.#started.get(name);
    if (started === undefined) throw new Error(`Cannot measure ${name}: it was never published`);
    this.#stopped++;
    if (!Number.isNaN(started)) this.#times.push(at - started);
  }

  sample(): Sample {
    const sorted = this.#times.toSorted((one, other) => one - other);
    const at = (part: number) => sorted[Math.floor(sorted.length * part)] ?? NaN;
    return { work: `${this.#stopped} events`, figures: { p50: at(0.5), p99: at(0.99) } };
  }
}

function tooLate(): Promise<never> {
  return new Promise((_, reject) =>
    AbortSignal.timeout(120_000).addEventListener("abort", () => reject(new Error("not all events came")))
  );
}
