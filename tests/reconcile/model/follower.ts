import { decide } from "../../../src/facts/decide.ts";
import type { Rules } from "../../../src/facts/decision_context.ts";
import { observedNotification } from "../../../src/facts/observation.ts";
import { prime } from "../../../src/facts/prime.ts";
import type { CloudScope } from "../../../src/model/comparison.ts";
import type { MemoryReader } from "../../../src/model/comparison_ledger.ts";
import type { Listing } from "../../../src/model/ledger.ts";
import type { Memory } from "../../../src/model/memory.ts";
import type { Notification } from "../../../src/model/notification.ts";
import type { SeenPage } from "../../../src/reconcile/cloud_view.ts";
import type { Plan } from "../../../src/reconcile/comparison.ts";
import { EVERYTHING } from "../../support/rules.ts";
import { iso } from "./model_cloud.ts";
import { ModelMemory } from "./model_memory.ts";
import type { Finding, Receiver } from "./receiver.ts";

type Times = Omit<Finding, "ports">;

interface Recorded {
  readonly notification: Notification;
  /** Of an observation: the comparison that made it. */
  readonly times: Times | null;
}

/** What a backup of the ledger holds. */
interface State {
  readonly memory: ModelMemory;
  readonly recorded: readonly Recorded[];
  readonly ids: ReadonlySet<string>;
}

/** The ledger: memory, and what is recorded and undecided. What it decides, it tells the receiver. */
export class Follower implements MemoryReader {
  readonly #receiver: Receiver;
  readonly #pause: () => Promise<void>;
  #memory = new ModelMemory();
  #recorded: Recorded[] = [];
  #ids = new Set<string>();
  #restoredAtMs: number | null = null;
  /** Whether no comparison was complete since it was restored. */
  #isRestored = false;
  /** The scope of the last complete comparison. */
  reference: CloudScope | null = null;
  /** When the last complete comparison began. */
  comparedAt: number | null = null;

  /** @param pause What may happen before memory is looked at. */
  constructor(receiver: Receiver, pause: () => Promise<void>) {
    this.#receiver = receiver;
    this.#pause = pause;
  }

  get rules(): Rules {
    return this.#restoredAtMs === null ? EVERYTHING : { ...EVERYTHING, restoredAtMs: this.#restoredAtMs };
  }

  get isRestored(): boolean {
    return this.#isRestored;
  }

  get memory(): Memory {
    return this.#memory;
  }

  async look<Result>(reader: (memory: Memory) => Result): Promise<Result> {
    await this.#pause();
    return reader(this.#memory);
  }

  async existingIds(listing: Listing): Promise<readonly string[]> {
    await this.#pause();
    return this.#memory.existing(listing);
  }

  prime({ listing, records }: SeenPage): void {
    const page = { listing, records: records.map(({ state }) => state) } as Parameters<typeof prime>[0];
    this.#memory.apply(prime(page, this.#memory, this.rules).changes);
  }

  /** Records a message; a copy of one that is recorded is ignored. */
  record(notification: Notification): void {
    if (this.#ids.has(notification.messageId)) return;
    this.#ids.add(notification.messageId);
    this.#recorded.push({ notification, times: null });
  }

  /** Applies a plan: its observations are recorded behind everything else. */
  apply(
    plan: Plan,
    { number, now, times }: { readonly number: number; readonly now: number; readonly times: Times },
  ): void {
    for (const [index, observation] of plan.observations.entries()) {
      const notification = observedNotification(observation, { messageId: `${number}/${index}`, time: iso(now) });
      this.#recorded.push({ notification, times });
    }
    this.reference = plan.scope;
  }

  /** Decides the notification that was recorded first; `false`: there was none. */
  decideOne(): boolean {
    const next = this.#recorded.shift();
    if (next === undefined) return false;
    const { events, changes } = decide(next.notification, this.#memory, this.rules);
    const ports = new Map(
      events.flatMap(({ floatingIp }) =>
        floatingIp === null
          ? []
          : [[floatingIp.id, this.#memory.floatingIp(floatingIp.id)?.association?.portId ?? null] as const]
      ),
    );
    const upToDate = this.#receiver.upToDate(this.#memory);
    this.#memory.apply(changes);
    if (next.times === null) {
      this.#receiver.hear(events, null);
    } else {
      const finding = { ports, ...next.times };
      this.#receiver.hear(events, finding);
      this.#receiver.checkStillRight(upToDate, finding);
    }
    return true;
  }

  decideAll(): void {
    while (this.decideOne());
  }

  backUp(): State {
    return { memory: this.#memory.copy(), recorded: [...this.#recorded], ids: new Set(this.#ids) };
  }

  restore({ memory, recorded, ids }: State, now: number): void {
    this.#memory = memory.copy();
    this.#recorded = [...recorded];
    this.#ids = new Set(ids);
    this.#restoredAtMs = now;
    this.#isRestored = true;
    this.#receiver.noteRestore(this.#memory);
  }

  /** Notes that a comparison was complete. */
  finish(startedAt: number): void {
    this.comparedAt = startedAt;
    this.#isRestored = false;
  }
}
