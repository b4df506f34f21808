import type { FailureReason } from "../../model/errors.ts";
import type { DeadGroup } from "../../model/event_search.ts";

/** A dead letter, as a ledger reads it. */
export interface DeadLetter {
  /** The number of its event. */
  readonly seq: number;
  readonly plugin: string;
  readonly key: string;
  /** When it became dead, milliseconds since the epoch. */
  readonly at: number;
  /** Of its last failure; `other`: none is known. */
  readonly reason: FailureReason;
  readonly error: string;
}

/** Counts dead letters by plugin and reason. */
export class DeadGroups {
  readonly #groups = new Map<string, { -readonly [key in keyof DeadGroup]: DeadGroup[key] }>();

  add({ plugin, key, at, reason, error }: DeadLetter): void {
    const name = `${reason} ${plugin}`;
    const group = this.#groups.get(name);
    if (group === undefined) {
      const one = { plugin, reason, count: 1, oldestAt: at, newestAt: at, sampleError: error, sampleKey: key };
      this.#groups.set(name, one);
      return;
    }
    group.count++;
    group.oldestAt = Math.min(group.oldestAt, at);
    if (at < group.newestAt) return;
    Object.assign(group, { newestAt: at, sampleError: error, sampleKey: key });
  }

  /** The largest first. */
  get result(): readonly DeadGroup[] {
    return [...this.#groups.values()].sort((one, other) =>
      other.count - one.count || compare(one.plugin, other.plugin) || compare(one.reason, other.reason)
    );
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
