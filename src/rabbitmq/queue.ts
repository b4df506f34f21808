import type { OwnQueue, RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { GapRecord } from "../model/gap.ts";
import type { Logger } from "../model/plugin.ts";
import { amqpRefusal } from "../wire/amqp/amqp_refusal.ts";
import { BrokerGaps } from "./gaps.ts";
import type { Retry } from "./retry.ts";
import type { Gap } from "../model/gap.ts";
import { Bindings, checkWatchQueue, countConsumers, declareOwnQueue, type OpenChannel } from "./topology.ts";

/** What a queue needs beside being consumed. */
export interface QueueMaintainer {
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
  recheck(open: OpenChannel, tick: { readonly count: number; readonly consuming: boolean }): Promise<void>;
  /** The connection was lost, at that time. */
  onConnectionLost(since: number): void;
}

/** So many seconds between two looks, while nothing is known to be wrong. */
export const RECHECK_TICKS = 30;

export interface MaintainerOptions {
  readonly log: Logger;
  readonly retry: Retry;
  /** @default gaps are told in the log alone */
  readonly gaps?: GapRecord | undefined;
  /** `host:port` of every broker, for gaps. */
  readonly brokers: string;
}

interface OwnOptions extends Pick<MaintainerOptions, "log" | "retry"> {
  readonly gaps: BrokerGaps;
}

export function maintainerFor(
  source: RabbitSource,
  { log, retry, brokers, gaps: record }: MaintainerOptions,
): QueueMaintainer {
  const queue = source.queue?.name ?? source.watchQueue!;
  const gaps = new BrokerGaps({ source: { queue, brokers }, record, log });
  return source.queue === undefined
    ? new WatchedQueueMaintainer(source.watchQueue, { log, retry, gaps })
    : new OwnQueueMaintainer(source.queue, { log, retry, gaps });
}

/** Another's queue: never declared, consumed exclusively. */
class WatchedQueueMaintainer implements QueueMaintainer {
  readonly name: string;
  readonly exclusive = true;
  readonly urgent = false;
  readonly #log: Logger;
  readonly #retry: Retry;
  readonly #gaps: BrokerGaps;
  /** Since when it may have been gone, or was seen to be; `null` while it is there. */
  #gap: Pick<Gap, "from" | "certainty"> | null = null;

  constructor(name: string, { log, retry, gaps }: OwnOptions) {
    this.name = name;
    this.#log = log;
    this.#retry = retry;
    this.#gaps = gaps;
  }

  async prepare(_open: OpenChannel, firstTime: boolean): Promise<void> {
    if (firstTime) this.#gap ??= (await this.#gaps.open())[0] ?? null;
  }

  async check(open: OpenChannel): Promise<void> {
    try {
      await checkWatchQueue(this.name, open);
    } catch (error) {
      const isGone = error instanceof UserError && amqpRefusal(error.cause) === "no queue";
      if (isGone && this.#retry.failingSince !== null) this.#begin("lost", this.#retry.failingSince);
      throw error;
    }
    if (this.#gap !== null) this.#end(this.#gap);
  }

  /** A quorum queue lets a second consumer in, however exclusive the first. */
  async recheck(open: OpenChannel, { count, consuming }: { count: number; consuming: boolean }): Promise<void> {
    if (count % RECHECK_TICKS !== 0 || !consuming) return;
    const problem = `Queue "${this.name}" has another consumer`;
    if (await countConsumers(this.name, open) < 2) this.#retry.clear(problem);
    else this.#retry.report(problem, "stop it: it takes notifications away and breaks their order");
  }

  /** The queue keeps what comes while we are away, or is gone with the broker: nothing tells which queue is durable. */
  onConnectionLost(since: number): void {
    this.#begin("possible", since);
  }

  #begin(certainty: Gap["certainty"], since: number): void {
    if (this.#gap?.certainty === certainty || this.#gap?.certainty === "lost") return;
    this.#gap = { from: this.#gap?.from ?? since, certainty };
    this.#gaps.record({ exchange: null, ...this.#gap, to: null });
  }

  #end({ from, certainty }: Pick<Gap, "from" | "certainty">): void {
    const to = Date.now();
    this.#gaps.record({ exchange: null, from, certainty, to });
    this.#gap = null;
    const time = `between ${new Date(from).toISOString()} and ${new Date(to).toISOString()}`;
    this.#log.warn(
      certainty === "lost"
        ? `Queue "${this.name}" was gone: what was published ${time} was not kept for us`
        : `Queue "${this.name}" is there again: if it is not durable, what was published ${time} may be missing`,
    );
  }
}

/** A queue of ours, bound to exchanges of others. Its single active consumer makes every other of us a standby. */
class OwnQueueMaintainer implements QueueMaintainer {
  readonly name: string;
  readonly exclusive = false;
  readonly urgent = true;
  readonly #queue: OwnQueue;
  readonly #bindings: Bindings;
  readonly #gaps: BrokerGaps;
  readonly #log: Logger;
  readonly #retry: Retry;

  constructor(queue: OwnQueue, { log, retry, gaps }: OwnOptions) {
    this.name = queue.name;
    this.#queue = queue;
    this.#bindings = new Bindings(queue, { log, gaps });
    this.#gaps = gaps;
    this.#log = log;
    this.#retry = retry;
  }

  async prepare(open: OpenChannel, firstTime: boolean): Promise<void> {
    const existed = await declareOwnQueue(this.#queue, open);
    if (firstTime) {
      const gaps = await this.#gaps.open();
      this.#bindings.restoreGaps(existed ? gaps : gaps.map((gap) => ({ ...gap, certainty: "lost" })));
      return await this.#bindings.renew(open);
    }
    if (!existed) {
      this.#log.warn(`Queue "${this.name}" was gone, with all that it held; it is declared again`);
      this.#bindings.suspectLoss("lost", this.#retry.failingSince ?? Date.now());
    }
    await this.#renew(open);
  }

  async check(): Promise<void> {}

  async recheck(open: OpenChannel, { count }: { count: number }): Promise<void> {
    if (count % RECHECK_TICKS === 0 || !this.#bindings.complete) await this.#renew(open);
  }

  onConnectionLost(since: number): void {
    this.#bindings.suspectLoss("possible", since);
  }

  /** Once we have begun, one forbidden exchange must not keep us from what the others bring. */
  async #renew(open: OpenChannel): Promise<void> {
    try {
      await this.#bindings.renew(open);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#retry.report(error.message, "going on without it");
    }
  }
}
