// What is published of a load, and what that must lead to.
import { CloudPublisher } from "../../tools/publisher.ts";
import { type ExpectedEvent, Model } from "./expected.ts";
import { type LoadOptions, makeLoad, type Step } from "./load.ts";
import { now } from "./witness.ts";

/** Publishes the messages of a load, one after the other, to exchanges of its own. */
export class Publishing implements AsyncDisposable {
  readonly steps: readonly Step[];
  /** The exchanges that stand for `nova` and `neutron`. */
  readonly exchanges: Readonly<Record<string, string>>;
  /** What the confirmed operations must lead to. */
  readonly expected: ExpectedEvent[] = [];
  readonly model = new Model();
  /** Confirmed operations. */
  confirmed = 0;
  /** Confirmed messages. */
  messages = 0;
  /** Of the confirmed messages that must be recorded. */
  readonly recorded = new Set<string>();
  /** When messages were sent, by the keys of their events, for operations of one message; milliseconds since the epoch. */
  readonly sentAt = new Map<string, number>();
  /** Milliseconds since the epoch. */
  lastConfirmAt = Date.now();
  readonly #publisher: CloudPublisher;

  private constructor(url: string, load: LoadOptions) {
    const id = crypto.randomUUID().slice(0, 8);
    this.exchanges = { nova: `${id}-nova`, neutron: `${id}-neutron` };
    this.#publisher = new CloudPublisher(url);
    this.steps = makeLoad(load);
  }

  /** Declares the exchanges, as Kolla does: durable. */
  static async open(url: string, load: LoadOptions): Promise<Publishing> {
    const publishing = new Publishing(url, load);
    for (const exchange of Object.values(publishing.exchanges)) {
      await publishing.#publisher.declareExchange(exchange, { durable: true });
    }
    return publishing;
  }

  get isDone(): boolean {
    return this.confirmed === this.steps.length;
  }

  /** Publishes the next operation; resolves when it is confirmed. */
  async next(): Promise<void> {
    const { messages, operation } = this.steps[this.confirmed]!;
    const events = this.model.expect(operation);
    if (messages.length === 1) { for (const { key } of events) this.sentAt.set(key, now()); }
    for (const { exchange, routingKey, body, messageId, recorded } of messages) {
      await this.#publisher.publish({ exchange: this.exchanges[exchange]!, routingKey, body });
      this.messages++;
      if (recorded) this.recorded.add(messageId);
      this.lastConfirmAt = Date.now();
    }
    this.confirmed++;
    this.expected.push(...events);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#publisher[Symbol.asyncDispose]();
  }
}
