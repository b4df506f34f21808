import type { DetailSource } from "../detail/enrich.ts";
import { decide } from "../facts/decide.ts";
import { forgottenServer } from "../facts/server.ts";
import type { Rules } from "../facts/decision_context.ts";
import type { Decision, Outcome } from "../model/decision.ts";
import type { ImmediateMaker, Ledger } from "../model/ledger.ts";
import { type Memory, MemoryNotRead } from "../model/memory.ts";
import type { Notification } from "../model/notification.ts";
import type { Logger } from "../model/plugin.ts";

export interface FactsStageOptions {
  readonly ledger: Ledger;
  /** Makes the details of the events in the same transaction. @default stage 3 makes all */
  readonly makeImmediate?: ImmediateMaker | undefined;
  /** The rules of config.ts. Called for each batch: an age limit in them depends on the time. */
  readonly rules: () => Rules;
  /** Whether priming is over: nothing is decided before. */
  readonly mayDecide: () => boolean;
  /**
   * Asked whether a server still exists if its creation comes from an old queue. `null`: config.ts
   * has no `openstack` section.
   */
  readonly nova: Pick<DetailSource, "server"> | null;
  readonly log: Logger;
  /** Ends questions to Nova. */
  readonly signal: AbortSignal;
  /** Called when Nova has answered: the next step can continue. */
  readonly onAnswered: () => void;
  /** Called after each commit with the outcomes of its notifications. */
  readonly onDecided?: (outcomes: readonly Outcome[]) => void;
  /** Called when deliveries may have become ready. */
  readonly onDetailed?: () => void;
}

/** Warnings that are logged of one notification. */
const MAX_WARNINGS = 3;

/** Stage 2: decides recorded notifications, in their order: which events does each announce? */
export class FactsStage {
  readonly #options: FactsStageOptions;
  /**
   * The server that Nova was asked about for the next notification; `isThere` is `null` until then.
   */
  #asked: { readonly id: string; readonly isThere: boolean | null } | null = null;

  constructor(options: FactsStageOptions) {
    this.#options = options;
  }

  /** Decides at most `limit` notifications. Returns whether any was decided. */
  async step(limit: number): Promise<boolean> {
    const { ledger, makeImmediate, mayDecide, onDecided, onDetailed } = this.#options;
    if (!mayDecide() || this.#asked?.isThere === null) return false;
    const rules: Rules = {
      ...this.#options.rules(),
      isThere: (id) => this.#asked?.id === id && this.#asked.isThere === true,
    };
    let unanswered: string | null = null;
    const outcomes: Outcome[] = [];
    const decided = await ledger.decide(limit, (notification, memory, isProbe = false) => {
      if (isProbe) {
        if (this.#options.nova !== null) forgottenServer(notification, memory, rules);
        return decide(notification, memory, rules);
      }
      const id = this.#options.nova === null ? null : forgottenServer(notification, memory, rules);
      if (id === null || this.#asked?.id === id) {
        const decision = this.#decide(notification, { memory, rules });
        outcomes.push(decision.outcome);
        return decision;
      }
      unanswered = id;
      return null;
    }, makeImmediate);
    if (decided > 0 && makeImmediate !== undefined) onDetailed?.();
    // A commit that was retried has decided some twice: the last outcomes are the committed ones. Those of a
    // batch whose commit fails behind the call are counted again: seldom, and a batch at most.
    if (decided > 0) onDecided?.(outcomes.slice(-decided));
    if (unanswered !== null) void this.#ask(unanswered);
    return decided > 0;
  }

  /**
   * Decides one notification. If that throws, the notification must not stop those behind it: it is
   * logged, and stored as superseded, which an operator can list.
   */
  #decide(
    notification: Notification,
    { memory, rules }: { readonly memory: Memory; readonly rules: Rules },
  ): Decision {
    const { log } = this.#options;
    const { messageId, eventType } = notification;
    try {
      const decision = decide(notification, memory, rules);
      const { warnings = [] } = decision;
      if (warnings.length > 0) log.warn(`${eventType} ${messageId}: ${warnings.slice(0, MAX_WARNINGS).join("; ")}`);
      if (decision.outcome === "superseded") {
        log[decision.isDoubtful ? "warn" : "info"](`Superseded: ${eventType} ${messageId}: ${decision.reason}`);
      }
      return decision;
    } catch (error) {
      if (error instanceof MemoryNotRead) throw error;
      const reason = `cannot be decided: ${error instanceof Error ? error.message : error}`;
      log.error(
        `The notification ${messageId} (${eventType}) ${reason}. This is a mistake in oss-watcher: please report it`,
      );
      const changes = { servers: [], ports: [], floatingIps: [] };
      return { outcome: "superseded", reason, isDoubtful: true, events: [], fill: null, changes };
    }
  }

  /** Asks Nova in the background. If there is no answer in time, the server counts as gone. */
  async #ask(id: string): Promise<void> {
    const { nova, log, signal, onAnswered } = this.#options;
    this.#asked = { id, isThere: null };
    let isThere = false;
    try {
      const answer = await nova?.server(id, signal);
      isThere = typeof answer === "object";
      if (typeof answer === "string" && answer !== "absent") {
        log.warn(`Nova does not say whether the server ${id} is still there (${answer}): its old creation is not sent`);
      }
    } catch (error) {
      if (signal.aborted) return;
      log.error(`Cannot ask whether the server ${id} is still there: ${error}`);
    }
    this.#asked = { id, isThere };
    onAnswered();
  }
}
