import { compareEvents, type EventComparison } from "./compare_events.ts";
import type { ReplayedEvent } from "./replayed_event.ts";

/** Which of the two configurations an event is of. */
export type Side = "before" | "after";

type Pair = Readonly<Record<Side, ReplayedEvent | null>>;

/**
 * Pairs the events of two replays that go on side by side. The two configurations may find the same
 * event in different notifications, or tell an update at different times; so an event waits for its
 * counterpart, but no longer than until `limit` events wait.
 */
export class EventPairs {
  /** By the event's key, in the order of their first appearance. */
  readonly #waiting = new Map<string, Pair>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes an event; gives the comparisons that are complete, in the order of the history. */
  add(side: Side, event: ReplayedEvent): readonly EventComparison[] {
    const found: EventComparison[] = [];
    const pair = this.#waiting.get(event.key) ?? { before: null, after: null };
    this.#waiting.set(event.key, { ...pair, [side]: event });
    for (const [key, { before, after }] of this.#waiting) {
      if ((before === null || after === null) && this.#waiting.size <= this.#limit) break;
      this.#waiting.delete(key);
      found.push(compareEvents(before, after));
    }
    return found;
  }

  /** The comparisons of all that wait: nothing follows. */
  end(): readonly EventComparison[] {
    const found = [...this.#waiting.values()].map(({ before, after }) => compareEvents(before, after));
    this.#waiting.clear();
    return found;
  }
}
