// A receiver that remembers every request and misbehaves as it is told.
import { type Received, Receiver } from "../../tools/receiver.ts";
import type { Attempt } from "./oracle.ts";

/** How a receiver answers: with a status, not at all, or by closing the connection in the middle of its answer. */
export type Reply = { readonly status: number; readonly retryAfterSeconds?: number } | "hang" | "reset";

/** Decides on the reply to the request that is the n-th of its plugin, from 1, after as much time as it takes. */
export type Respond = (n: number) => Promise<Reply>;

export const TAKEN: Reply = { status: 204 };

/** Answers well, after 5 to 20 ms. */
export const wellAnswered: Respond = async () => {
  await sleep(5 + Math.random() * 15);
  return TAKEN;
};

/** The receiver of one plugin. It is down until it is opened. */
export class Witness implements AsyncDisposable {
  readonly plugin: string;
  readonly port = freePort();
  /** In the order of arrival. */
  readonly attempts: Attempt[] = [];
  /** The keys of all that was taken. */
  readonly taken = new Set<string>();
  respond: Respond = wellAnswered;
  /** Milliseconds since the epoch. */
  lastArrivalAt = 0;
  #receiver: Receiver | null = null;
  #count = 0;
  #hanging = new AbortController();

  constructor(plugin: string) {
    this.plugin = plugin;
  }

  open(): void {
    this.#receiver = new Receiver(this.port);
    this.#receiver.answer = (received, request) => this.#answer(received, request.signal);
  }

  /** Lets go of everybody who was left hanging. */
  async close(): Promise<void> {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#hanging.abort();
    this.#hanging = new AbortController();
    await receiver?.[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #answer(received: Received, gone: AbortSignal): Promise<Response> {
    const attempt = this.#arrived(received);
    const reply = await this.respond(this.attempts.length);
    if (reply === "hang") await aborted(AbortSignal.any([gone, this.#hanging.signal]));
    attempt.answeredAs = ++this.#count;
    attempt.answeredAt = Date.now();
    if (reply === "reset") return new Response(brokenBody());
    const { status, retryAfterSeconds } = reply === "hang" ? { status: 503 } : reply;
    attempt.taken = status < 300;
    if (attempt.taken) this.taken.add(attempt.key);
    const headers = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
    return new Response(null, { status, headers });
  }

  #arrived({ key, path, detail, authorization }: Received): Attempt {
    const attempt: Attempt = {
      plugin: this.plugin,
      run: Number(atob(authorization?.replace("Basic ", "") ?? "").replace(/^run-(\d+):.*$/, "$1")),
      key,
      created: path === "/created",
      serverId: String(detail["ID"]),
      address: String(detail["IP"]),
      arrivedAs: ++this.#count,
      arrivedAt: Date.now(),
      answeredAs: null,
      answeredAt: null,
      taken: false,
    };
    this.attempts.push(attempt);
    this.lastArrivalAt = attempt.arrivedAt;
    return attempt;
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Ends the connection after some bytes, without the end of the answer. */
function brokenBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
    pull: (controller) => controller.error(new Deno.errors.ConnectionReset()),
  });
}

/** Below the range from which the system takes ports for outgoing connections: nobody else gets it while the receiver is down. */
function freePort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
