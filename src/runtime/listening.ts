import { watchedEventTypes } from "../facts/decide.ts";
import { Intake } from "../intake/intake.ts";
import type { RabbitSource } from "../model/config.ts";
import type { Ledger } from "../model/ledger.ts";
import { Broker } from "../rabbitmq/consumer.ts";
import { warnOfDeliveryLimit } from "../rabbitmq/delivery_limit.ts";
import { rulesOf } from "./rules.ts";
import type { ServiceOptions } from "./service_options.ts";
import { LEDGER_DEFAULTS } from "../model/config_defaults.ts";

export interface ListeningOptions {
  readonly service: ServiceOptions;
  readonly sources: readonly RabbitSource[];
  readonly ledger: Ledger;
  /** Whether other processes record in the same ledger. */
  readonly isLedgerShared: boolean;
  /** Called when notifications were recorded. */
  readonly onRecorded: () => void;
  /** Called when the ledger fails and waiting does not help. */
  readonly onFailed: (error: unknown) => void;
}

/** Stage 1: one broker connection per source, all of which feed one intake. */
export class Listening {
  readonly intake: Intake;
  readonly brokers: readonly Broker[];
  readonly #options: ListeningOptions;
  readonly #bound = Promise.withResolvers<void>();
  /** Messages that each broker has delivered. */
  readonly #delivered: number[];

  constructor(options: ListeningOptions) {
    this.#options = options;
    const { service: { config, clock, log, random }, sources, ledger, onRecorded, onFailed } = options;
    this.intake = new Intake({
      ledger,
      wanted: watchedEventTypes(rulesOf(config)),
      keepRejectedBodies: config.ledger?.keepRejectedBodies ?? LEDGER_DEFAULTS.keepRejectedBodies,
      now: clock.now,
      log: log("intake"),
      onRecorded,
      onFailed,
    });
    this.#delivered = sources.map(() => 0);
    this.brokers = sources.map((source, index) =>
      new Broker({
        source,
        onDelivered: (message) => {
          this.#delivered[index]!++;
          this.intake.accept(message);
        },
        backpressure: () => this.intake.backpressure(),
        log: log("broker"),
        random,
        gaps: ledger,
      })
    );
  }

  /** Resolves when all queues are bound. */
  get bound(): Promise<void> {
    return this.#bound.promise;
  }

  /** Connects to all sources and begins to consume. `signal` ends work in the background. */
  async start(signal: AbortSignal): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.start()));
    this.#bound.resolve();
    // In the background: a management API that does not answer must not delay message handling.
    void this.#warnOfDeliveryLimits(signal);
  }

  /** How many messages the broker of a source has delivered. */
  deliveredBy(index: number): number {
    return this.#delivered[index] ?? 0;
  }

  /** Stops consuming while the ledger is unavailable. */
  pause(): void {
    this.#onEach((broker) => this.#pause(broker));
  }

  /** Stops consuming for good. Resolves when the brokers know. */
  async end(): Promise<void> {
    await Promise.allSettled(this.brokers.map((broker) => this.#pause(broker)));
  }

  /** Of a shared ledger, the next consumer must get what we have in hand before anything else. */
  #pause(broker: Broker): Promise<void> {
    return broker.pause({ givesBack: this.#options.isLedgerShared });
  }

  /** Consumes again. */
  resume(): void {
    this.#onEach((broker) => broker.resume());
  }

  #onEach(act: (broker: Broker) => Promise<void>): void {
    const log = this.#options.service.log("ledger");
    for (const broker of this.brokers) act(broker).catch((error) => log.error(`Cannot reach the broker: ${error}`));
  }

  async #warnOfDeliveryLimits(signal: AbortSignal): Promise<void> {
    const log = this.#options.service.log("broker");
    for (const [index, source] of this.#options.sources.entries()) {
      const connection = this.brokers[index]?.connection ?? null;
      if (connection === null) continue;
      try {
        await warnOfDeliveryLimit({ source, ...connection, log, signal });
      } catch (error) {
        log.debug(`Cannot ask for delivery limits: ${error}`);
      }
    }
  }
}
