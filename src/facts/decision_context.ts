import type { Outcome } from "../model/decision.ts";
import { MAX_LISTED } from "../model/bounds.ts";
import type { OptionalKey } from "../model/detail.ts";
import type { AssociatedAddress, ServerSnapshot, Subject, WatcherEvent } from "../model/event.ts";
import type { FloatingIpMemory } from "../model/memory.ts";
import type { Notification } from "../model/notification.ts";
import type { Draft } from "./draft.ts";
import { listedCharacters, shortened } from "./shortened.ts";
import { orderKeys } from "./order_keys.ts";

/** The configuration on which decisions depend. */
export interface Rules {
  readonly creation: ReadonlySet<Subject>;
  readonly deletion: ReadonlySet<Subject>;
  /** Whether changes of servers are followed, so that updates can be announced. @default false */
  readonly follows?: boolean;
  /**
   * No statement about a server counts as later than this, whatever its message says: ISO 8601, UTC.
   *
   * @default no limit
   */
  readonly latestStatement?: string;
  /** The optional keys of the detail that are asked for. @default none */
  readonly optional?: ReadonlySet<OptionalKey>;
  /** Whether associations with ports of no server count, too. */
  readonly anyPort: boolean;
  /**
   * ISO 8601. An earlier creation of a server that is not remembered comes from an old queue and is
   * not announced.
   */
  readonly oldestCreation: string | null;
  /**
   * Whether Nova, when asked, confirmed that such a server exists.
   *
   * @default Nova was not asked
   */
  readonly isThere?: (serverId: string) => boolean;
  /**
   * When the ledger was last restored from a backup, or copied; milliseconds since the epoch. It
   * counts for good: comparisons do not change the numbers in memory.
   *
   * @default never
   */
  readonly restoredAtMs?: number;
}

/** The result of a decision without events. */
export interface Finding {
  readonly outcome: Exclude<Outcome, "event">;
  readonly reason: string;
  /** @default false */
  readonly isDoubtful?: boolean;
  readonly fill?: { readonly key: string; readonly server: ServerSnapshot };
}

/**
 * A creation or deletion that was found, before it is known whether an event group of config.ts
 * lists it.
 */
export interface Fact {
  readonly key: string;
  readonly subject: Subject;
  readonly created: boolean;
  readonly server: ServerSnapshot;
  readonly floatingIp: AssociatedAddress | null;
  readonly creationSeen: boolean;
}

/**
 * The state of one running decision: the notification, the draft of the memory, and the events so
 * far.
 */
export class DecisionContext {
  readonly notification: Notification;
  readonly draft: Draft;
  readonly rules: Rules;
  readonly events: WatcherEvent[] = [];
  /** Whether a fact was found that no event group lists. */
  unclaimed = false;
  /** Warnings for the operator. */
  readonly warnings = new Set<string>();
  /** Ports whose floating IPs have been reconciled in this decision. */
  readonly reconciledPorts = new Set<string>();
  /** Ports whose server a floating IP of the notification has given. */
  readonly rememberedPorts = new Set<string>();
  /** Size of the lists in the events so far, in characters. */
  #listed = 0;

  constructor(notification: Notification, draft: Draft, rules: Rules) {
    this.notification = notification;
    this.draft = draft;
    this.rules = rules;
  }

  /**
   * Adds an event for a fact if an event group lists it. Call it after the draft was updated: the
   * event shows the resulting state.
   */
  announce(fact: Fact): void {
    const claimed = fact.created ? this.rules.creation : this.rules.deletion;
    if (!claimed.has(fact.subject)) {
      this.unclaimed = true;
      return;
    }
    const { eventType, messageId, time, origin } = this.notification;
    const whole = { ...fact, floatingIps: this.#floatingIpsOf(fact.server.id) };
    const said = this.#mayList(whole) ? whole : shortened(whole);
    this.events.push({
      ...said,
      eventType,
      messageId,
      time: time ?? new Date(0).toISOString(),
      ...(origin === undefined ? {} : { origin }),
      ...this.#followed(fact),
      orderKeys: orderKeys(said),
    });
  }

  /**
   * Whether an event may keep its lists: the total size over all events of a message is limited.
   * The first event always keeps them.
   */
  #mayList(event: Pick<WatcherEvent, "server" | "floatingIps">): boolean {
    this.#listed += listedCharacters(event);
    if (this.events.length === 0 || this.#listed <= MAX_LISTED / (this.notification.part?.of ?? 1)) return true;
    this.warnings.add("it leads to so many events that the details of the last ones lack metadata and lists");
    return false;
  }

  /**
   * Marks an event of a server that changes: each plugin gets the server as it was last told of it.
   */
  #followed({ subject, created, server: { id } }: Fact): Pick<WatcherEvent, "updates"> {
    if (id === null || (subject === "server" && created)) return {};
    const { updates, stated } = this.draft.server(id) ?? {};
    // Memory may have followed changes before, and have values that plugins were never told.
    const isFollowed = this.rules.follows || updates !== undefined || stated !== undefined;
    return isFollowed ? { updates: updates ?? 0 } : {};
  }

  #floatingIpsOf(serverId: string | null): readonly AssociatedAddress[] {
    return serverId === null ? [] : associatedAddresses(this.draft.floatingIpsOfServer(serverId));
  }
}

/** Remembered floating IPs in the form in which events list them. */
export function associatedAddresses(floatingIps: readonly FloatingIpMemory[]): readonly AssociatedAddress[] {
  return floatingIps.map(({ id, address, association }) => ({
    id,
    address,
    fixedAddress: association?.fixedAddress ?? null,
    mac: association?.mac ?? null,
  }));
}
