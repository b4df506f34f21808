import { UserError } from "../model/errors.ts";
import { Consumption, type ConsumptionOptions } from "./channel.ts";
import { type Link, openTemporaryChannel } from "./link.ts";
import type { QueueMaintainer } from "./queue.ts";
import { consumeRefusal } from "./topology.ts";

export interface PausableConsumptionOptions extends Pick<ConsumptionOptions, "prefetch" | "onDelivered"> {
  readonly maintainer: QueueMaintainer;
}

export interface RunOptions {
  /** Whether the connection is lost or the consumer is stopped. */
  readonly isOver: () => boolean;
  /** Called when consuming has begun, or was cancelled as requested. */
  readonly onSettled: () => void;
}

/**
 * Consumes a queue on one connection after another, and can be paused: whether it is paused
 * outlives a lost connection.
 */
export class PausableConsumption {
  readonly #options: PausableConsumptionOptions;
  #consumption: Consumption | null = null;
  #shouldConsume = true;
  /** Whether a pause closes the channel. */
  #givesBack = false;
  /** Wakes the loop in {@linkcode PausableConsumption.run}. */
  #changed = Promise.withResolvers<void>();
  /**
   * Resolved when the consumer has been started or cancelled as requested, or the channel has
   * ended.
   */
  #settled = Promise.withResolvers<void>();

  /** @throws {UserError} when the prefetch limit is out of range. */
  constructor(options: PausableConsumptionOptions) {
    const { prefetch } = options;
    if (!Number.isInteger(prefetch) || prefetch < 1 || prefetch > 65_535) {
      throw new UserError(`Cannot use rabbit.prefetch ${prefetch}: it must be between 1 and 65535`);
    }
    this.#options = options;
  }

  get isPaused(): boolean {
    return !this.#shouldConsume;
  }

  /** Whether the consumer is registered with the broker. */
  get consuming(): boolean {
    return this.#consumption?.consuming === true;
  }

  /** The consumption that waits for the broker to start it; `null` if none does. */
  get waiting(): Consumption | null {
    return this.consuming || this.isPaused ? null : this.#consumption;
  }

  /** Starts the consumer; without a connection, the next one does. */
  async resume(): Promise<void> {
    this.#shouldConsume = true;
    await this.#apply();
  }

  /**
   * Cancels the consumer. What it delivered can still be acknowledged, unless that is given back.
   *
   * @param givesBack The channel is closed: the broker delivers what is not acknowledged again, to
   * another consumer if there is one, before anything else.
   */
  async pause(givesBack: boolean): Promise<void> {
    [this.#shouldConsume, this.#givesBack] = [false, givesBack];
    await this.#apply();
  }

  /** Makes {@linkcode PausableConsumption.run} look again whether it is over. */
  wake(): void {
    this.#changed.resolve();
  }

  /** Consumes on a channel of its own until that fails or it is over. */
  async run(link: Link, { isOver, onSettled }: RunOptions): Promise<void> {
    while (!isOver()) {
      this.#changed = Promise.withResolvers();
      if (this.#isWithoutChannel) {
        onSettled();
        await this.#changed.promise;
      } else await this.#runChannel(link, { isOver, onSettled });
    }
  }

  get #isWithoutChannel(): boolean {
    return !this.#shouldConsume && this.#givesBack;
  }

  async #apply(): Promise<void> {
    const isRunning = this.#consumption !== null;
    this.wake();
    if (isRunning) await this.#settled.promise;
  }

  /** The same, until what was delivered shall be given back. */
  async #runChannel(link: Link, { isOver, onSettled }: RunOptions): Promise<void> {
    const consumption = await this.#open(link);
    this.#consumption = consumption;
    try {
      while (!isOver() && !this.#isWithoutChannel) {
        this.#changed = Promise.withResolvers();
        await this.#applyRequest(consumption, link);
        onSettled();
        this.#settle();
        await this.#changed.promise;
      }
    } finally {
      this.#consumption = null;
      if (!this.#isWithoutChannel) this.#settle();
      try {
        await consumption.close();
      } finally {
        this.#settle();
      }
    }
  }

  /** Starts or cancels the consumer, as last requested. */
  async #applyRequest(consumption: Consumption, link: Link): Promise<void> {
    const { maintainer } = this.#options;
    while (this.#shouldConsume !== consumption.consuming) {
      if (consumption.failure !== null) throw consumption.failure;
      if (!this.#shouldConsume) {
        await consumption.cancel();
        continue;
      }
      await maintainer.check(() => openTemporaryChannel(link));
      try {
        await consumption.consume();
      } catch (error) {
        throw consumeRefusal(maintainer.name, error);
      }
    }
    if (consumption.failure !== null) throw consumption.failure;
  }

  #open(link: Link): Promise<Consumption> {
    const { maintainer, prefetch, onDelivered } = this.#options;
    return Consumption.open(link.connection, {
      queue: maintainer.name,
      exclusive: maintainer.exclusive,
      prefetch,
      onDelivered,
      onFailed: () => this.wake(),
    });
  }

  #settle(): void {
    this.#settled.resolve();
    this.#settled = Promise.withResolvers();
  }
}
