/**
 * Which messages of a cloud arrive, and in which order.
 *
 * @module
 */

import type { Published } from "./messages.ts";

/** Numbers that decide; used again from the beginning when they are at their end. */
export class Numbers {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  /** From 0 up to, but not including, `limit`. */
  below(limit: number): number {
    const { length } = this.#numbers;
    return length === 0 ? 0 : this.#numbers[this.#next++ % length]! % limit;
  }
}

export interface DeliveryOptions {
  /** In percent, of the messages that are repeats. */
  readonly loss: number;
  /** By how many messages one can be late. */
  readonly lateness: number;
  readonly numbers: Numbers;
}

/** The messages that arrive, in their order. */
export function delivered(published: readonly Published[], options: DeliveryOptions): readonly Published[] {
  return shuffled(withoutLost(published, options), options);
}

/**
 * Repeats may be lost: whatever a lost message states, one that is not lost states later, or at the
 * same time in the other format.
 */
function withoutLost(published: readonly Published[], { loss, numbers }: DeliveryOptions): readonly Published[] {
  const stated = new Set<string>();
  const kept: Published[] = [];
  for (const message of published.toReversed()) {
    const { resource, states } = message;
    const isRepeat = states.every((state) => stated.has(`${resource}: ${state}`));
    if (isRepeat && numbers.below(100) < loss) continue;
    kept.unshift(message);
    for (const state of states) stated.add(`${resource}: ${state}`);
  }
  return kept;
}

/** Neutron's messages keep their places relative to those of floating IPs. */
function shuffled(messages: readonly Published[], { lateness, numbers }: DeliveryOptions): readonly Published[] {
  const late = messages.map((message, index) => ({ message, at: index + numbers.below(lateness + 1) }));
  const inOrder = late.toSorted((one, other) => one.at - other.at).map(({ message }) => message);
  const isNeutrons = ({ resource }: Published) => !resource.startsWith("server");
  const neutrons = inBlocks(inOrder.filter(isNeutrons));
  return inOrder.map((message) => isNeutrons(message) ? neutrons.shift()! : message);
}

/** Orders messages so that none crosses a barrier. */
function inBlocks(messages: readonly Published[]): Published[] {
  const barriers = messages.filter(({ isBarrier }) => isBarrier).map(({ index }) => index).toSorted((a, b) => a - b);
  const blockOf = ({ index }: Published) =>
    barriers.filter((barrier) => barrier <= index).length * 2 -
    (barriers.includes(index) ? 1 : 0);
  return messages.toSorted((one, other) => blockOf(one) - blockOf(other));
}
