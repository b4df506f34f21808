import type { OwnQueue } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { Gap } from "../model/gap.ts";
import type { Logger } from "../model/plugin.ts";
import { amqpRefusal } from "../wire/amqp/amqp_refusal.ts";
import { reasonOf } from "./errors.ts";
import type { BrokerGaps } from "./gaps.ts";
import { type OpenChannel, withChannel } from "./topology.ts";
import { QUEUE_DEFAULTS } from "../model/config_defaults.ts";

/**
 * The bindings of our own queue to exchanges that other services declare. Such an exchange may be
 * missing, be deleted and return at any time.
 */
export class Bindings {
  readonly #queue: OwnQueue;
  readonly #log: Logger;
  readonly #gaps: BrokerGaps | undefined;
  readonly #now: () => number;
  readonly #exchanges: ExchangeState[];
  #renewal: Promise<void> = Promise.resolve();

  constructor(queue: OwnQueue, options: { log: Logger; gaps?: BrokerGaps; now?: () => number }) {
    this.#queue = queue;
    this.#log = options.log;
    this.#gaps = options.gaps;
    this.#now = options.now ?? Date.now;
    this.#exchanges = [...new Set(queue.exchanges ?? QUEUE_DEFAULTS.exchanges)]
      .map((name) => ({ name, boundAt: null, missing: false, loss: "none" }));
  }

  /** `false` while an exchange is missing. */
  get complete(): boolean {
    return this.#exchanges.every((exchange) => !exchange.missing);
  }

  /**
   * Continues gaps that an earlier run left open. Since that run, every other binding may have been
   * lost, with an exchange that is not durable, or was lost with the queue.
   */
  restoreGaps(
    open: readonly Gap[],
    { lastRunAt, isQueueNew }: { readonly lastRunAt: number | null; readonly isQueueNew: boolean },
  ): void {
    for (const exchange of this.#exchanges) {
      const gap = open.find((one) => one.exchange === exchange.name);
      exchange.boundAt = gap?.from ?? lastRunAt;
      if (exchange.boundAt !== null) exchange.loss = isQueueNew || gap?.certainty === "lost" ? "lost" : "possible";
    }
  }

  /**
   * Notes that the bindings may be lost (with the connection) or are lost (with the queue) since a
   * time, in milliseconds since the epoch.
   */
  suspectLoss(loss: "possible" | "lost", since: number): void {
    for (const exchange of this.#exchanges) {
      if (exchange.loss === "none" && exchange.boundAt !== null && !exchange.missing) {
        exchange.boundAt = Math.max(exchange.boundAt, since);
      }
      if (exchange.loss !== "lost") exchange.loss = loss;
      this.#recordGap(exchange, null);
    }
  }

  /**
   * Binds the queue to every existing exchange. Repeating an existing binding changes nothing.
   *
   * @throws {UserError} when the broker forbids an exchange; all others are bound before.
   */
  renew(open: OpenChannel): Promise<void> {
    // Renewals run one after the other: one that began before a suspected loss does not clear the
    // suspicion.
    const renewal = this.#renewal.then(() => this.#renewAll(open));
    this.#renewal = renewal.catch(() => {});
    return renewal;
  }

  async #renewAll(open: OpenChannel): Promise<void> {
    const possiblyLost: string[] = [];
    let since = Infinity;
    let refusal: unknown = null;
    for (const exchange of this.#exchanges) {
      const bound = await this.#bind(exchange.name, open);
      if (bound instanceof UserError) {
        refusal ??= bound;
        continue;
      }
      if (!bound) {
        if (exchange.missing) continue;
        this.#log.warn(`Exchange "${exchange.name}" is not there yet: ${UNTIL_DECLARED}`);
        exchange.missing = true;
        this.#recordGap(exchange, null);
        continue;
      }
      const now = this.#now();
      if (exchange.missing) this.#log.info(`Queue "${this.#queue.name}" is bound to exchange "${exchange.name}" now`);
      if (exchange.boundAt !== null && (exchange.missing || exchange.loss === "lost")) {
        this.#logGap(exchange.name, exchange.boundAt, now);
      } else if (exchange.boundAt !== null && exchange.loss === "possible") {
        possiblyLost.push(exchange.name);
        since = Math.min(since, exchange.boundAt);
      }
      if (exchange.missing || exchange.loss !== "none") this.#recordGap(exchange, now);
      Object.assign(exchange, { boundAt: now, missing: false, loss: "none" });
    }
    if (possiblyLost.length > 0) this.#logPossibleLoss(possiblyLost, since);
    if (refusal !== null) throw refusal;
  }

  /** @returns `false` if the exchange does not exist, an error if our user lacks the rights. */
  async #bind(exchange: string, open: OpenChannel): Promise<boolean | UserError> {
    const { name: queue, routingKeys = QUEUE_DEFAULTS.routingKeys } = this.#queue;
    try {
      await withChannel(open, async (channel) => {
        await channel.exchangeDeclare({ exchange, passive: true });
        for (const routingKey of routingKeys) await channel.queueBind({ queue, exchange, routingKey });
      });
      return true;
    } catch (error) {
      const refusal = amqpRefusal(error);
      if (refusal === "no exchange") return false;
      if (refusal !== "rights") throw error;
      return new UserError(
        `RabbitMQ does not let us bind queue "${queue}" to exchange "${exchange}": ${reasonOf(error)}. ` +
          "Our user needs the right to write to the queue and to read from the exchange",
        { cause: error },
      );
    }
  }

  /** Stores a gap; before the first binding there is none. */
  #recordGap({ name, boundAt, missing, loss }: ExchangeState, to: number | null): void {
    if (boundAt === null) return;
    const certainty = missing || loss === "lost" ? "lost" : "possible";
    this.#gaps?.record({ exchange: name, from: boundAt, to, certainty });
  }

  #logGap(exchange: string, since: number, until: number): void {
    this.#log.warn(
      `No notifications of exchange ${exchange} could arrive between ${iso(since)} and ${iso(until)}: ` +
        "notifications published in that time are lost",
    );
  }

  /**
   * An exchange that exists at the first check after a reconnect may have survived, or may have
   * been declared again without our binding.
   */
  #logPossibleLoss(exchanges: readonly string[], since: number): void {
    this.#log.warn(
      `Bound to ${exchanges.join(", ")} again: if an exchange is not durable, notifications published between ${
        iso(since)
      } and ` +
        `${iso(this.#now())} may be missing`,
    );
  }
}

interface ExchangeState {
  readonly name: string;
  /** When the bindings were last known to exist; `null` if they never existed. */
  boundAt: number | null;
  missing: boolean;
  /** Whether the bindings may have been lost since then. */
  loss: "none" | "possible" | "lost";
}

const UNTIL_DECLARED = "its service declares it with its first notification. The queue is bound as soon as it is there";

function iso(time: number): string {
  return new Date(time).toISOString();
}
