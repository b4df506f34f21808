import type { OwnQueue, RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { GapRecord } from "../model/gap.ts";
import type { Logger } from "../model/plugin.ts";
import { amqpRefusal } from "../wire/amqp/amqp_refusal.ts";
import { BrokerGaps } from "./gaps.ts";
import type { Retry } from "./retry.ts";
import type { Gap } from "../model/gap.ts";
import { Bindings } from "./bindings.ts";
import { checkWatchQueue, countConsumers, declareOwnQueue, type OpenChannel } from "./topology.ts";

/** Declares, binds and rechecks a queue before and while it is consumed. */
export interface QueueMaintainer {
  readonly name: string;
  /** Whether to consume the queue exclusively. */
  readonly exclusive: boolean;
  /** Whether notifications may be lost while disconnected, so that reconnecting is urgent. */
  readonly urgent: boolean;
  /**
   * Called before a channel is opened to consume.
   *
   * @throws {UserError} when the broker refuses a declaration or binding.
   */
  prepare(open: OpenChannel, firstTime: boolean): Promise<void>;
  /**
   * Called before the queue is consumed.
   *
   * @throws {UserError} when the queue does not exist or has another consumer.
   */
  check(open: OpenChannel): Promise<void>;
  /** Called every second, for changes that the broker does not report, as a deleted exchange. */
  recheck(open: OpenChannel, tick: { readonly count: number; readonly consuming: boolean }): Promise<void>;
  /** Called when the connection was lost at a time, in milliseconds since the epoch. */
  onConnectionLost(since: number): void;
}

/** Seconds between two full rechecks while no problem is known. */
export const RECHECK_TICKS = 30;

export interface MaintainerOptions {
  readonly log: Logger;
  readonly retry: Retry;
  /** @default gaps are only logged */
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

/** A queue that other programs declare: it is never declared here, and consumed exclusively. */
class WatchedQueueMaintainer implements QueueMaintainer {
  readonly name: string;
  readonly exclusive = true;
  readonly urgent = false;
  readonly #log: Logger;
  readonly #retry: Retry;
  readonly #gaps: BrokerGaps;
  /** Since when the queue may have been, or was, deleted; `null` while it is known to exist. */
  #gap: Pick<Gap, "from" | "certainty"> | null = null;

  constructor(name: string, { log, retry, gaps }: OwnOptions) {
    this.name = name;
    this.#log = log;
    this.#retry = retry;
    this.#gaps = gaps;
  }

  async prepare(_open: OpenChannel, firstTime: boolean): Promise<void> {
    if (!firstTime || this.#gap !== null) return;
    const from = await this.#gaps.lastRunAt();
    this.#gap = (await this.#gaps.open())[0] ?? (from === null ? null : { from, certainty: "possible" });
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

  /**
   * A quorum queue accepts a second consumer even if the first is exclusive: this can only be
   * noticed.
   */
  async recheck(open: OpenChannel, { count, consuming }: { count: number; consuming: boolean }): Promise<void> {
    if (count % RECHECK_TICKS !== 0 || !consuming) return;
    const problem = `Queue "${this.name}" has another consumer`;
    if (await countConsumers(this.name, open) < 2) this.#retry.clear(problem);
    else this.#retry.report(problem, "stop it: it takes notifications away and breaks their order");
  }

  /**
   * While disconnected, a durable queue keeps its messages and another is deleted with the broker.
   * AMQP does not tell which kind it is.
   */
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
        ? `Queue "${this.name}" was deleted: notifications published ${time} are lost`
        : `Queue "${this.name}" is there again: if it is not durable, notifications published ${time} may be missing`,
    );
  }
}

/**
 * Our own queue, bound to exchanges that other services declare. With `x-single-active-consumer`,
 * further instances of oss-watcher are standbys.
 */
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
      const lastRunAt = await this.#gaps.lastRunAt();
      this.#bindings.restoreGaps(await this.#gaps.open(), { lastRunAt, isQueueNew: !existed });
      return await this.#bindings.renew(open);
    }
    if (!existed) {
      this.#log.warn(`Queue "${this.name}" was deleted with all its messages; it is declared again`);
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

  /** After the start, a single forbidden exchange must not stop the notifications of the others. */
  async #renew(open: OpenChannel): Promise<void> {
    try {
      await this.#bindings.renew(open);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#retry.report(error.message, "going on without it");
    }
  }
}
