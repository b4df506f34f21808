import { UserError } from "../model/errors.ts";
import type { Logger } from "../model/plugin.ts";
import { amqpRefusal } from "../wire/amqp/amqp_refusal.ts";
import { reasonOf } from "./errors.ts";
import { type QueueMaintainer, RECHECK_TICKS } from "./queue.ts";
import type { Retry } from "./retry.ts";
import { Bindings } from "./bindings.ts";
import { type OpenChannel, withChannel } from "./topology.ts";

/**
 * A queue that is deleted with its connection. It receives copies of notifications: other consumers
 * lose none.
 */
export interface TemporaryQueue {
  /** The beginning of its name; the rest is random. */
  readonly prefix: string;
  /** Exchanges to which it must be bound. */
  readonly exchanges: readonly string[];
  /** Exchanges to which it is bound if they exist and this is allowed. */
  readonly moreExchanges?: readonly string[];
  readonly routingKeys: readonly string[];
}

/**
 * Maximum number of waiting messages: a reader that has stopped must not fill the broker's memory.
 */
const MAX_LENGTH = 50_000;

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Declares a temporary queue. Each connection gets a queue with a new name: the broker may not have
 * noticed yet that the previous connection is closed.
 */
export class TemporaryQueueMaintainer implements QueueMaintainer {
  readonly exclusive = false;
  readonly urgent = false;
  readonly #queue: TemporaryQueue;
  readonly #log: Logger;
  readonly #retry: Retry;
  #name: string;
  #bindings: readonly Bindings[] = [];

  constructor(queue: TemporaryQueue, { log, retry }: { readonly log: Logger; readonly retry: Retry }) {
    this.#queue = queue;
    this.#log = log;
    this.#retry = retry;
    this.#name = nameFor(queue);
  }

  get name(): string {
    return this.#name;
  }

  async prepare(open: OpenChannel, firstTime: boolean): Promise<void> {
    this.#name = nameFor(this.#queue);
    await this.#declare(open);
    const { exchanges, moreExchanges = [], routingKeys } = this.#queue;
    const further = moreExchanges.filter((exchange) => !exchanges.includes(exchange));
    this.#bindings = [
      new Bindings({ name: this.#name, exchanges, routingKeys }, { log: this.#log }),
      new Bindings({ name: this.#name, exchanges: further, routingKeys }, { log: SILENT }),
    ];
    await this.#renew(open, firstTime);
  }

  async check(): Promise<void> {}

  async recheck(open: OpenChannel, { count }: { readonly count: number }): Promise<void> {
    if (count % RECHECK_TICKS === 0 || this.#bindings.some(({ complete }) => !complete)) await this.#renew(open, false);
  }

  /** Nothing to record: the queue and its messages are deleted with the connection. */
  onConnectionLost(): void {}

  async #declare(open: OpenChannel): Promise<void> {
    try {
      await withChannel(open, (channel) =>
        channel.queueDeclare({
          queue: this.#name,
          exclusive: true,
          autoDelete: true,
          arguments: { "x-max-length": MAX_LENGTH },
        }));
    } catch (error) {
      const refusal = amqpRefusal(error);
      if (refusal === "limit") {
        throw new UserError(
          `RabbitMQ has reached a limit and refuses the temporary queue "${this.#name}": ${reasonOf(error)}`,
          {
            cause: error,
          },
        );
      }
      if (refusal !== "rights") throw error;
      throw new UserError(
        `RabbitMQ does not let us declare the temporary queue "${this.#name}": ${
          reasonOf(error)
        }. Our user needs the ` +
          `right to configure, write and read queues whose names begin with "${this.#queue.prefix}"`,
        { cause: error },
      );
    }
  }

  /** A forbidden required exchange is an error at the start and a warning later. */
  async #renew(open: OpenChannel, strict: boolean): Promise<void> {
    for (const [index, bindings] of this.#bindings.entries()) {
      try {
        await bindings.renew(open);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        if (index > 0) continue;
        if (strict) throw error;
        this.#retry.report(error.message, "going on without it");
      }
    }
  }
}

function nameFor({ prefix }: TemporaryQueue): string {
  return `${prefix}.${crypto.randomUUID().slice(0, 8)}`;
}
