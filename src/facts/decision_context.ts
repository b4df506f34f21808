import type { Outcome } from "../model/decision.ts";
import { MAX_LISTED } from "../model/bounds.ts";
import type { AssociatedAddress, ServerSnapshot, Subject, WatcherEvent } from "../model/event.ts";
import type { Notification } from "../model/notification.ts";
import type { Draft } from "./draft.ts";
import { listedCharacters, shortened } from "./shortened.ts";
import { orderKeys } from "./order_keys.ts";

/** Which facts are claimed, and how old a creation may be. */
export interface Rules {
  readonly creation: ReadonlySet<Subject>;
  readonly deletion: ReadonlySet<Subject>;
  /** Also associations with ports that belong to no server. */
  readonly anyPort: boolean;
  /** ISO 8601: a creation that was announced before this, of a server that is not remembered, comes from an old queue. */
  readonly oldestCreation: string | null;
  /** Whether Nova, asked, said that such a server is still there. @default it was not asked */
  readonly isThere?: (serverId: string) => boolean;
}

/** What a notification came to, beside its events. */
export interface Finding {
  readonly outcome: Exclude<Outcome, "event">;
  readonly reason: string;
  /** @default false */
  readonly isDoubtful?: boolean;
  readonly fill?: { readonly key: string; readonly server: ServerSnapshot };
}

/** A fact, before it is known whether a group claims it. */
export interface Fact {
  readonly key: string;
  readonly subject: Subject;
  readonly created: boolean;
  readonly server: ServerSnapshot;
  readonly floatingIp: AssociatedAddress | null;
  readonly creationSeen: boolean;
}

/** One notification being decided: what it says, what is remembered, and the events so far. */
export class DecisionContext {
  readonly notification: Notification;
  readonly draft: Draft;
  readonly rules: Rules;
  readonly events: WatcherEvent[] = [];
  /** Whether a fact was announced that no group claims. */
  unclaimed = false;
  /** What an operator should know of. */
  readonly warnings = new Set<string>();
  /** Ports whose floating IPs have been compared with what they are on. */
  readonly reconciledPorts = new Set<string>();
  /** Characters that the lists in the events so far take. */
  #listed = 0;

  constructor(notification: Notification, draft: Draft, rules: Rules) {
    this.notification = notification;
    this.draft = draft;
    this.rules = rules;
  }

  /** Announces a fact if a group claims it. Say it after the draft holds its consequences: the event shows the state it led to. */
  announce(fact: Fact): void {
    const claimed = fact.created ? this.rules.creation : this.rules.deletion;
    if (!claimed.has(fact.subject)) {
      this.unclaimed = true;
      return;
    }
    const { eventType, messageId, time } = this.notification;
    const whole = { ...fact, floatingIps: this.#floatingIpsOf(fact.server.id) };
    const said = this.#mayList(whole) ? whole : shortened(whole);
    this.events.push({
      ...said,
      eventType,
      messageId,
      time: time ?? new Date(0).toISOString(),
      orderKeys: orderKeys(said),
    });
  }

  /** Whether the lists of an event are within what all events of one message may repeat; those of the first are. */
  #mayList(event: Pick<WatcherEvent, "server" | "floatingIps">): boolean {
    this.#listed += listedCharacters(event);
    if (this.events.length === 0 || this.#listed <= MAX_LISTED / (this.notification.part?.of ?? 1)) return true;
    this.warnings.add("it leads to so many events that the details of the last ones lack metadata and lists");
    return false;
  }

  #floatingIpsOf(serverId: string | null): readonly AssociatedAddress[] {
    if (serverId === null) return [];
    return this.draft.floatingIpsOfServer(serverId).map(({ id, address, association }) => ({
      id,
      address,
      fixedAddress: association?.fixedAddress ?? null,
      mac: association?.mac ?? null,
    }));
  }
}
