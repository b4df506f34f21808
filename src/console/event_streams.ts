import { setImmediate } from "node:timers/promises";
import type { Clock } from "../model/clock.ts";
import type { Logger } from "../model/plugin.ts";
import type { OverviewAnswer } from "./api.ts";
import type { StreamTick } from "./stream_tick.ts";
import type { WorkerClient } from "./worker_client.ts";

export interface EventStreamsOptions {
  readonly worker: WorkerClient;
  readonly overview: () => Promise<OverviewAnswer>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Streams at once, of all and of one session: nobody may take them all. */
const MAX_STREAMS = 256;
const MAX_OF_SESSION = 16;
/** What waits for a slow client; with more it is dropped, and comes back with its last id. */
const MAX_BYTES = 1024 * 1024;
const TICK_MS = 1000;
const TICK_LIMIT_MS = 20_000;
/** Streams that are written to in one turn of the event loop. */
const SLICE = 16;

/** Server-sent events: what is new is read once for all streams, while there are any. */
export class EventStreams implements Disposable {
  readonly #options: EventStreamsOptions;
  readonly #streams = new Set<EventStream>();
  readonly #ended = new AbortController();
  /** The number of the newest event that the streams were sent; -1: not known. */
  #sentTo = -1;
  #isRunning = false;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  /**
   * Opens a stream.
   *
   * @param session Of whom it is: what its streams are counted by.
   * @param isAllowed Asked before each step: whether who opened it is still signed in.
   */
  open(
    request: Request,
    { session, isAllowed }: { readonly session: string; readonly isAllowed: () => boolean },
  ): Response {
    const own = [...this.#streams].filter((stream) => stream.session === session).length;
    if (own >= MAX_OF_SESSION) {
      return refused(429, `Cannot show what is new: you have ${own} pages open, as many as you may. Close one`);
    }
    if (this.#streams.size >= MAX_STREAMS) {
      return refused(503, `Cannot show what is new: ${MAX_STREAMS} pages are open, as many as may be. Close one`);
    }
    const given = request.headers.get("last-event-id") ?? new URL(request.url).searchParams.get("after");
    const stream = new EventStream({
      from: given !== null && /^\d{1,16}$/.test(given) ? Number(given) : null,
      session,
      isAllowed,
      onEnd: () => this.#streams.delete(stream),
    });
    this.#streams.add(stream);
    stream.send(`retry: 1000\n: oss-watcher\n\n`);
    if (!this.#isRunning) void this.#run();
    return new Response(stream.body, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
      },
    });
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    for (const stream of this.#streams) stream.end();
  }

  /** Sends what is new until there are no streams. */
  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#ended;
    this.#isRunning = true;
    for (let count = 0; this.#streams.size > 0 && !signal.aborted; count++) {
      try {
        await this.#tick(count % 2 === 0);
      } catch (error) {
        log.debug(`Cannot read what is new for the console's streams: ${error}`);
        await this.#sendAll(": waiting\n\n", [...this.#streams]);
      }
      await clock.sleep(TICK_MS, signal);
    }
    this.#isRunning = false;
    this.#sentTo = -1;
  }

  async #tick(withOverview: boolean): Promise<void> {
    for (const stream of this.#streams) if (!stream.isAllowed()) stream.end();
    const joining = [...this.#streams].filter((stream) => stream.joins);
    await this.#sendNewEvents(joining);
    const text = withOverview || joining.length > 0
      ? messageOf("overview", JSON.stringify(await this.#options.overview()))
      : null;
    if (text !== null) await this.#sendAll(text, withOverview ? [...this.#streams] : joining);
  }

  async #sendNewEvents(joining: readonly EventStream[]): Promise<void> {
    const { worker } = this.#options;
    const joins = [...new Set(joining.flatMap(({ from }) => from ?? []))];
    const query = { after: this.#sentTo, joins: joins.join(",") };
    const call = { route: "readStreamTick", query, body: null, who: "" };
    const { status, body } = await worker.ask(call, { limitMs: TICK_LIMIT_MS });
    const text = new TextDecoder().decode(body);
    if (status !== 200) throw new Error(text);
    const { newest, events, joined } = JSON.parse(text) as StreamTick;
    this.#sentTo = newest;
    const members = [...this.#streams].filter((stream) => !stream.joins);
    if (events !== null) await this.#sendAll(messageOf("events", events, newest), members);
    for (const stream of joining) {
      const missed = stream.from === null ? undefined : joined[stream.from];
      stream.joins = false;
      // Without rows it tells where the stream begins, for a reconnection.
      stream.send(messageOf("events", missed ?? NO_EVENTS, newest));
    }
  }

  /** The same for many, in slices: others use this thread. */
  async #sendAll(text: string, streams: readonly EventStream[]): Promise<void> {
    const bytes = encoder.encode(text);
    for (const [index, stream] of streams.entries()) {
      stream.sendBytes(bytes);
      if (index % SLICE === SLICE - 1) await setImmediate();
    }
  }
}

function refused(status: 429 | 503, error: string): Response {
  return Response.json({ error }, { status, headers: { "retry-after": "10" } });
}

const NO_EVENTS = `{"rows":[],"isCut":false}`;
const encoder = new TextEncoder();

function messageOf(event: string, data: string, id?: number): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}

/** One client's stream. */
class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  /** The number of the last event that it had; `null`: it begins now. */
  readonly from: number | null;
  readonly session: string;
  /** It has not been sent anything of the common events yet. */
  joins = true;
  /** Whether who opened it is still signed in. */
  readonly isAllowed: () => boolean;
  readonly #onEnd: () => void;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #hasEnded = false;

  constructor(
    { from, session, isAllowed, onEnd }: {
      readonly from: number | null;
      readonly session: string;
      readonly isAllowed: () => boolean;
      readonly onEnd: () => void;
    },
  ) {
    this.from = from;
    this.session = session;
    this.isAllowed = isAllowed;
    this.#onEnd = onEnd;
    this.body = new ReadableStream({
      start: (controller) => void (this.#controller = controller),
      cancel: () => this.#finish(),
    }, { highWaterMark: MAX_BYTES, size: ({ byteLength }) => byteLength });
  }

  send(text: string): void {
    this.sendBytes(encoder.encode(text));
  }

  /** A client that does not read is dropped. */
  sendBytes(bytes: Uint8Array): void {
    if (this.#hasEnded) return;
    if ((this.#controller.desiredSize ?? 0) <= 0) return this.#drop();
    this.#controller.enqueue(bytes);
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#finish();
    this.#controller.close();
  }

  #drop(): void {
    this.#finish();
    this.#controller.error(new Error("The client reads too slowly"));
  }

  #finish(): void {
    this.#hasEnded = true;
    this.#onEnd();
  }
}
