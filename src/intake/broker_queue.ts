import type { OwnQueue, RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { Logger } from "../model/plugin.ts";
import type { Retry } from "./broker_retry.ts";
import { Bindings, checkWatchQueue, countConsumers, declareOwnQueue, type OpenChannel } from "./broker_topology.ts";

/** What a queue needs beside being consumed. */
export interface QueueCare {
  readonly name: string;
  /** Whether to consume it so that nobody else can. */
  readonly exclusive: boolean;
  /** Whether notifications may be lost while we are away. */
  readonly urgent: boolean;
  /**
   * Called before a channel is opened to consume.
   *
   * @throws {UserError} when we are refused.
   */
  prepare(open: OpenChannel, firstTime: boolean): Promise<void>;
  /**
   * Called before it is consumed.
   *
   * @throws {UserError} when it is not there, or not free.
   */
  check(open: OpenChannel): Promise<void>;
  /** Called every second, to look after what changes without a word from the broker. */
  look(open: OpenChannel, tick: { readonly count: number; readonly consuming: boolean }): Promise<void>;
  /** The connection was lost, at that time. */
  lost(since: number): void;
}

/** So many seconds between two looks, while nothing is known to be wrong. */
export const LOOK_TICKS = 30;

export function careFor(source: RabbitSource, options: { log: Logger; retry: Retry }): QueueCare {
  return source.queue === undefined
    ? new WatchedQueueCare(source.watchQueue, options.retry)
    : new OwnQueueCare(source.queue, options);
}

/** Another's queue: never declared, consumed exclusively. */
class WatchedQueueCare implements QueueCare {
  readonly name: string;
  readonly exclusive = true;
  readonly urgent = false;
  readonly #retry: Retry;

  constructor(name: string, retry: Retry) {
    this.name = name;
    this.#retry = retry;
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  check(open: OpenChannel): Promise<void> {
    return checkWatchQueue(this.name, open);
  }

  /** A quorum queue lets a second consumer in, however exclusive the first. */
  async look(open: OpenChannel, { count, consuming }: { count: number; consuming: boolean }): Promise<void> {
    if (count % LOOK_TICKS !== 0 || !consuming) return;
    const problem = `Queue "${this.name}" has another consumer`;
    if (await countConsumers(this.name, open) < 2) this.#retry.forget(problem);
    else this.#retry.tell(problem, "stop it: it takes notifications away and breaks their order");
  }

  /** The queue keeps what comes while we are away, or is gone with the broker. */
  lost(): void {}
}

/** A queue of ours, bound to exchanges of others. Its single active consumer makes every other of us a standby. */
class OwnQueueCare implements QueueCare {
  readonly name: string;
  readonly exclusive = false;
  readonly urgent = true;
  readonly #queue: OwnQueue;
  readonly #bindings: Bindings;
  readonly #log: Logger;
  readonly #retry: Retry;

  constructor(queue: OwnQueue, { log, retry }: { log: Logger; retry: Retry }) {
    this.name = queue.name;
    this.#queue = queue;
    this.#bindings = new Bindings(queue, { log });
    this.#log = log;
    this.#retry = retry;
  }

  async prepare(open: OpenChannel, firstTime: boolean): Promise<void> {
    const existed = await declareOwnQueue(this.#queue, open);
    if (firstTime) return await this.#bindings.renew(open);
    if (!existed) {
      this.#log.warn(`Queue "${this.name}" was gone, with all that it held; it is declared again`);
      this.#bindings.doubt("lost", this.#retry.failingSince ?? Date.now());
    }
    await this.#renew(open);
  }

  async check(): Promise<void> {}

  async look(open: OpenChannel, { count }: { count: number }): Promise<void> {
    if (count % LOOK_TICKS === 0 || !this.#bindings.complete) await this.#renew(open);
  }

  lost(since: number): void {
    this.#bindings.doubt("maybe", since);
  }

  /** Once we have begun, one forbidden exchange must not keep us from what the others bring. */
  async #renew(open: OpenChannel): Promise<void> {
    try {
      await this.#bindings.renew(open);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#retry.tell(error.message, "going on without it");
    }
  }
}
