import type { DetailSource } from "../detail/enrich.ts";
import { decide } from "../facts/decide.ts";
import { forgottenServer } from "../facts/server.ts";
import type { Rules } from "../facts/decision_context.ts";
import type { Decision, Outcome } from "../model/decision.ts";
import type { ImmediateMaker, Ledger } from "../model/ledger.ts";
import type { Memory } from "../model/memory.ts";
import type { Notification } from "../model/notification.ts";
import type { Logger } from "../model/plugin.ts";

export interface FactsStageOptions {
  readonly ledger: Ledger;
  /** Makes details that need nothing but the event. @default the next stage makes all */
  readonly prompt?: ImmediateMaker | undefined;
  /** Which facts are claimed. Asked for each batch, since time passes. */
  readonly rules: () => Rules;
  /** Whether memory is as good as it gets: nothing is decided before. */
  readonly mayDecide: () => boolean;
  /** Asked whether a server is there whose creation comes from an old queue; `null` when config.ts names no cloud. */
  readonly nova: Pick<DetailSource, "server"> | null;
  readonly log: Logger;
  /** Ends the asking. */
  readonly signal: AbortSignal;
  /** Called when another step has become possible. */
  readonly onAnswered: () => void;
  /** Called after each commit with what its notifications turned out to be. */
  readonly onDecided?: (outcomes: readonly Outcome[]) => void;
  /** Called when deliveries may have become ready. */
  readonly onDetailed?: () => void;
}

/** So many are told of one notification. */
const MAX_WARNINGS = 3;

/** Stage 2: decides what recorded notifications mean, in their order. */
export class FactsStage {
  readonly #options: FactsStageOptions;
  /** The server whose creation the next notification tells of, and whether it is still there; `null` while Nova is asked. */
  #asked: { readonly id: string; readonly isThere: boolean | null } | null = null;

  constructor(options: FactsStageOptions) {
    this.#options = options;
  }

  /** Decides at most so many notifications. Returns whether there were any. */
  async step(limit: number): Promise<boolean> {
    const { ledger, prompt, mayDecide, onDecided, onDetailed } = this.#options;
    if (!mayDecide() || this.#asked?.isThere === null) return false;
    const rules: Rules = {
      ...this.#options.rules(),
      isThere: (id) => this.#asked?.id === id && this.#asked.isThere === true,
    };
    let unanswered: string | null = null;
    const outcomes: Outcome[] = [];
    const decided = await ledger.decide(limit, (notification, memory) => {
      const id = this.#options.nova === null ? null : forgottenServer(notification, memory, rules);
      if (id === null || this.#asked?.id === id) {
        const decision = this.#decide(notification, { memory, rules });
        outcomes.push(decision.outcome);
        return decision;
      }
      unanswered = id;
      return null;
    }, prompt);
    if (decided > 0 && prompt !== undefined) onDetailed?.();
    // Where a commit did not work at first, the last ones are those that it was made of.
    if (decided > 0) onDecided?.(outcomes.slice(-decided));
    if (unanswered !== null) void this.#ask(unanswered);
    return decided > 0;
  }

  /** A notification that trips us must not stop those behind it: it is kept, listed as superseded, and told. */
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
      const reason = `cannot be decided: ${error instanceof Error ? error.message : error}`;
      log.error(
        `The notification ${messageId} (${eventType}) ${reason}. This is a mistake in oss-watcher: please report it`,
      );
      const changes = { servers: [], ports: [], floatingIps: [] };
      return { outcome: "superseded", reason, isDoubtful: true, events: [], fill: null, changes };
    }
  }

  /** Asks Nova beside the other stages. Where it is silent for too long, nobody knows the server. */
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
