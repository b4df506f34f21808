import { decide } from "../../src/facts/decide.ts";
import { observedNotification } from "../../src/facts/observation.ts";
import type { CloudScope } from "../../src/model/comparison.ts";
import type { Listing } from "../../src/model/ledger.ts";
import type { Notification } from "../../src/model/notification.ts";
import type {
  CloudView,
  Reading,
  SeenFloatingIp,
  SeenPage,
  SeenPort,
  SeenServer,
} from "../../src/reconcile/cloud_view.ts";
import { compare, type ComparisonOptions, type Plan } from "../../src/reconcile/comparison.ts";
import { EVERYTHING } from "../support/rules.ts";
import { ADMIN } from "./made.ts";
import { ModelMemory } from "./model/model_memory.ts";

/** A cloud that shows what a test gives it. */
export class FakeCloud implements CloudView {
  account = ADMIN;
  servers: readonly SeenServer[] = [];
  ports: readonly SeenPort[] = [];
  floatingIps: readonly SeenFloatingIp[] = [];
  /** What is there, and in no listing. */
  unlisted: readonly (SeenServer | SeenPort | SeenFloatingIp)[] = [];
  /** What the account may not see by id: it gets a 404. */
  hides: (id: string) => boolean = () => false;
  allProjects = true;
  /** What a listing of changes has; `null`: everything. */
  changed: readonly never[] | null = null;

  scope(): Promise<CloudScope> {
    return Promise.resolve(this.account);
  }

  async *read(
    listing: Listing,
    { changesSince }: { readonly changesSince: string | null },
  ): AsyncGenerator<SeenPage> {
    const allProjects = listing === "servers" ? this.allProjects : null;
    const records = this.changed === null || changesSince === null ? this[listing] : this.changed;
    yield { listing, records, allProjects } as SeenPage;
  }

  server(id: string): Promise<Reading<SeenServer>> {
    return Promise.resolve(this.#show<SeenServer>(this.servers, id));
  }

  port(id: string): Promise<Reading<SeenPort>> {
    return Promise.resolve(this.#show<SeenPort>(this.ports, id));
  }

  floatingIp(id: string): Promise<Reading<SeenFloatingIp>> {
    return Promise.resolve(this.#show<SeenFloatingIp>(this.floatingIps, id));
  }

  #show<Seen extends { readonly id: string }>(listed: readonly Seen[], id: string): Reading<Seen> {
    const found = [...listed, ...this.unlisted as unknown as readonly Seen[]].find((one) => one.id === id);
    const isGone = found === undefined || ("status" in found && found.status === "DELETED");
    return isGone || this.hides(id) ? "absent" : found;
  }
}

/** A ledger that has decided some notifications, and what it told. */
export class FakeLedger {
  readonly memory = new ModelMemory();

  constructor(...notifications: readonly Notification[]) {
    for (const notification of notifications) this.tell(notification);
  }

  tell(notification: Notification): readonly string[] {
    const { changes, events } = decide(notification, this.memory, EVERYTHING);
    this.memory.apply(changes);
    return events.map(({ key }) => key);
  }

  /** The events of a plan. */
  apply({ observations }: Plan): readonly string[] {
    return observations.flatMap((observation, index) =>
      this.tell(observedNotification(observation, { messageId: `${index}`, time: "2026-11-21T21:00:00.000Z" }))
    );
  }

  /** Compares with a cloud; `whileWaiting` happens between the two questions. */
  async compare(
    cloud: FakeCloud,
    { whileWaiting = () => {}, ...more }: Partial<ComparisonOptions> & { readonly whileWaiting?: () => void } = {},
  ): Promise<Plan> {
    const { memory } = this;
    const now = () => Date.UTC(2026, 10, 21, 20);
    return await compare({
      cloud,
      memory: {
        look: (reader) => Promise.resolve(reader(memory)),
        existingIds: (listing) => Promise.resolve(memory.existing(listing)),
      },
      settled: () => Promise.resolve(),
      rules: EVERYTHING,
      confirmMs: 60_000,
      beganAt: Date.UTC(2026, 10, 21),
      changesSince: null,
      reference: ADMIN,
      clock: { now, passedMs: now, sleep: () => Promise.resolve(whileWaiting()) },
      ...more,
    }, new AbortController().signal);
  }
}
