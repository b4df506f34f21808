import { UserError } from "../model/errors.ts";
import type { Logger } from "../model/plugin.ts";
import { amqpRefusal } from "../wire/amqp/amqp_refusal.ts";
import { reasonOf } from "./errors.ts";
import { type QueueMaintainer, RECHECK_TICKS } from "./queue.ts";
import type { Retry } from "./retry.ts";
import { Bindings, type OpenChannel, withChannel } from "./topology.ts";

/** A queue that goes with its connection: it gets copies, and takes nothing from anybody. */
export interface TemporaryQueue {
  /** What its name begins with; the rest is random. */
  readonly prefix: string;
  /** Where it must be bound. */
  readonly exchanges: readonly string[];
  /** Where it is bound if that is there and allowed. */
  readonly moreExchanges?: readonly string[];
  readonly routingKeys: readonly string[];
}

/** What waits for a reader who has stopped reading, at most: nobody's broker shall fill up for a look. */
const MAX_LENGTH = 50_000;

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Another connection gets another queue: the broker may not have noticed yet that the last one is gone. */
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

  /** It is gone, and what came meanwhile with it. */
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
        throw new UserError(`RabbitMQ has no room for the temporary queue "${this.#name}": ${reasonOf(error)}`, {
          cause: error,
        });
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

  /** What must be bound and may not be is a reason to end at the beginning, and to be told later. */
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
