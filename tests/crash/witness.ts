// A receiver that remembers every request and misbehaves as it is told. On node:http, since it is to cut connections off.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { freePorts } from "../../tools/free_ports.ts";
import type { ServerState } from "./cloud.ts";
import type { Attempt } from "./oracle.ts";

/** How a receiver answers: with a status, not at all, or by resetting the connection. */
export type Reply = { readonly status: number; readonly retryAfterSeconds?: number } | "hang" | "reset";

/** Decides on the reply to a request, after as much time as it takes. */
export type Respond = () => Promise<Reply>;

export const TAKEN: Reply = { status: 204 };

/** Answers well, after 5 to 20 ms. */
export const wellAnswered: Respond = async () => {
  await sleep(5 + Math.random() * 15);
  return TAKEN;
};

/** The receiver of one plugin. It is down until it is opened. */
export class Witness implements AsyncDisposable {
  readonly plugin: string;
  readonly port: number = freePorts(1)[0] as number;
  /** In the order of arrival. */
  readonly attempts: Attempt[] = [];
  /** The keys of all that was accepted, except for updates. */
  readonly taken = new Set<string>();
  /** The keys of the updates that were accepted. */
  readonly updates = new Set<string>();
  /** The state of each server that it was told last. */
  readonly states = new Map<string, ServerState>();
  respond: Respond = wellAnswered;
  /** Milliseconds since the epoch. */
  lastArrivalAt = 0;
  #server: Server | null = null;
  #count = 0;
  /** The highest sequence that came, of each server and floating IP. */
  readonly #sequences = new Map<string, number>();

  constructor(plugin: string) {
    this.plugin = plugin;
  }

  async open(): Promise<void> {
    const server = createServer((request, response) => {
      // A client that was killed in the middle of a request has not asked for anything.
      text(request).then((body) => this.#take(request, { body, response }), () => {});
    });
    this.#server = server;
    const listening = Promise.withResolvers<void>();
    server.once("error", listening.reject);
    server.listen(this.port, "127.0.0.1", () => listening.resolve());
    await listening.promise;
  }

  /** Cuts everybody off. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    server.closeAllConnections();
    await new Promise<unknown>((resolve) => server.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #take(
    request: IncomingMessage,
    { body, response }: { readonly body: string; readonly response: ServerResponse },
  ): Promise<void> {
    const attempt = this.#arrived(request, JSON.parse(body));
    const reply = await this.respond();
    if (reply === "hang") return;
    attempt.answeredAs = ++this.#count;
    attempt.answeredAt = now();
    if (reply === "reset") {
      request.socket.destroy();
      return;
    }
    attempt.accepted = reply.status < 300 && !attempt.outdated;
    if (attempt.accepted) this.#keep(attempt);
    const { status, retryAfterSeconds } = reply;
    response.writeHead(status, retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) });
    response.end();
  }

  #keep({ key, serverId, name, owner }: Attempt): void {
    const isUpdate = /\/update\/\d+$/.test(key);
    (isUpdate ? this.updates : this.taken).add(key);
    if (isUpdate || /^server\/.*\/creation$/.test(key)) this.states.set(serverId, { name, owner });
  }

  #arrived({ headers, url }: IncomingMessage, detail: Readonly<Record<string, unknown>>): Attempt {
    const user = atob((headers.authorization ?? "").replace("Basic ", ""));
    const [key, sequence] = [String(headers["idempotency-key"]), Number(headers["oss-watcher-sequence"])];
    const attempt: Attempt = {
      plugin: this.plugin,
      run: Number(/^run-(\d+):/.exec(user)?.[1]),
      key,
      sequence,
      created: url !== "/deleted",
      serverId: String(detail["ID"]),
      address: String(detail["IP"]),
      name: String(detail["FQDN"]),
      owner: String(detail["Owner"]),
      arrivedAs: ++this.#count,
      arrivedAt: now(),
      outdated: !this.#isInSequence(sequence, [String(detail["ID"]), /^floatingip\/([^/]+)/.exec(key)?.[1]]),
      answeredAs: null,
      answeredAt: null,
      accepted: false,
    };
    this.attempts.push(attempt);
    this.lastArrivalAt = attempt.arrivedAt;
    return attempt;
  }

  /** As docs/CONFIGURATION.md advises receivers: the highest sequence of a server and of a floating IP is kept. */
  #isInSequence(sequence: number, ids: readonly (string | undefined)[]): boolean {
    const resources = ids.filter((id) => id !== undefined);
    if (resources.some((id) => sequence < (this.#sequences.get(id) ?? 0))) return false;
    for (const id of resources) this.#sequences.set(id, sequence);
    return true;
  }
}

/** Milliseconds since the epoch, with a fraction. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
