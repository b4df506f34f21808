import type { Notification } from "../../../src/model/notification.ts";

interface Message {
  /** The resource that it is about, and whether it is one of several updates. */
  readonly about: string;
  readonly notification: Notification;
  /** When the change was made that it tells of. */
  readonly changedAt: number;
}

/** A service publishes a change at the latest this long after its API has shown it. */
export const MAX_PUBLISHING_MS = 50_000;

/** The services' notifications on their way to the ledger. */
export class Bus {
  /** Messages of changes that the APIs show already. */
  readonly #unpublished: Message[] = [];
  readonly #queue: Notification[] = [];

  say(message: Message): void {
    this.#unpublished.push(message);
  }

  get isEmpty(): boolean {
    return this.#unpublished.length === 0 && this.#queue.length === 0;
  }

  /**
   * Publishes one message. Those of one resource are in order; except that two workers of Neutron may publish updates, which have revisions, in
   * either order.
   */
  publishOne(index: number, { isOrdered }: { readonly isOrdered: boolean }): void {
    const chosen = this.#unpublished[index % Math.max(1, this.#unpublished.length)];
    if (chosen === undefined) return;
    const mayOvertake = !isOrdered && chosen.about.startsWith("update ");
    const message = mayOvertake ? chosen : this.#unpublished.find(({ about }) => isSame(about, chosen.about)) ?? chosen;
    this.#publish(message);
  }

  /** Publishes what a service cannot have kept back for so long. */
  publishDue(now: number): void {
    for (const message of [...this.#unpublished]) {
      if (now - message.changedAt >= MAX_PUBLISHING_MS) this.#publish(message);
    }
  }

  deliverOne(): Notification | undefined {
    return this.#queue.shift();
  }

  #publish(message: Message): void {
    this.#unpublished.splice(this.#unpublished.indexOf(message), 1);
    this.#queue.push(message.notification);
  }
}

function isSame(one: string, other: string): boolean {
  return one.split(" ").at(-1) === other.split(" ").at(-1);
}
