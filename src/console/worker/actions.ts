import { setImmediate } from "node:timers/promises";
import type { ActionAnswer, ActionPlan, ActionRequest, ActionTarget } from "../api.ts";
import { firstKeys } from "../../model/audit_trail.ts";
import type { Json } from "../../model/notification.ts";
import type { LedgerOperations, OperatorResult } from "../../model/operations.ts";
import { redact } from "../../wire/secrets/redact.ts";
import { countOf, slicesOf, wordsOf } from "./action_targets.ts";
import { Refused, type WorkerContext, type WorkerRequest } from "./worker_context.ts";

/** Deliveries that a plan looks at. */
const PLANNED = 1000;
/** Refusals that an answer names. */
const NAMED = 100;
/** Characters of an error in the audit trail. */
const MAX_ERROR = 1000;
/** Actions that are remembered. */
const KEPT = 50;

/** Replays and drops that were begun here. */
export class Actions {
  readonly #running = new Map<string, RunningAction>();

  /** What an action would do. */
  readonly plan = async ({ body }: WorkerRequest, { withLedger }: WorkerContext): Promise<ActionPlan> => {
    const { action, target, force = false } = body as ActionRequest;
    return await withLedger(async (ledger) => {
      const count = await countOf(target, ledger);
      const results: OperatorResult[] = [];
      let isComplete = true;
      for await (const selection of slicesOf(target, ledger)) {
        if (results.length >= PLANNED) {
          isComplete = false;
          break;
        }
        results.push(...await ledger.refusals(selection, { action, force, limit: PLANNED - results.length }));
      }
      const isOfKeys = "keys" in target && isComplete;
      return { count: isOfKeys ? results.length : count, refused: countedByReason(results), isComplete };
    });
  };

  readonly begin = async ({ body, who }: WorkerRequest, context: WorkerContext): Promise<ActionAnswer> => {
    const request = body as ActionRequest;
    const total = await context.withLedger(async (ledger) => {
      const count = await countOf(request.target, ledger);
      const { action, target, force = false } = request;
      const details = { target: shortened(target), count, force };
      await ledger.trail.write({ at: context.clock.now(), who, action, what: wordsOf(target, count), details });
      return count;
    });
    const running = new RunningAction(request, total);
    this.#forgetOld();
    this.#running.set(running.id, running);
    context.onBackground(1);
    void running.run(context, who).finally(() => context.onBackground(-1));
    return running.answer;
  };

  readonly get = ({ query }: WorkerRequest): Promise<ActionAnswer> => {
    return Promise.resolve(this.#of(String(query["id"])).answer);
  };

  readonly stop = ({ query }: WorkerRequest): Promise<ActionAnswer> => {
    const running = this.#of(String(query["id"]));
    running.stop();
    return Promise.resolve(running.answer);
  };

  #of(id: string): RunningAction {
    const running = this.#running.get(id);
    if (running !== undefined) return running;
    throw new Refused(404, "Cannot find this action: it is not known here any more. The audit log has what was begun");
  }

  #forgetOld(): void {
    for (const [id, { isOver }] of this.#running) {
      if (this.#running.size < KEPT) return;
      if (isOver) this.#running.delete(id);
    }
  }
}

class RunningAction {
  readonly id = crypto.randomUUID();
  readonly #request: ActionRequest;
  readonly #total: number;
  readonly #refused: ActionAnswer["refused"][number][] = [];
  #state: ActionAnswer["state"] = "running";
  #done = 0;
  #refusedCount = 0;
  #error: string | null = null;
  #isStopping = false;

  constructor(request: ActionRequest, total: number) {
    this.#request = request;
    this.#total = total;
  }

  get isOver(): boolean {
    return this.#state !== "running";
  }

  get answer(): ActionAnswer {
    return {
      id: this.id,
      action: this.#request.action,
      state: this.#state,
      total: Math.max(this.#total, this.#done),
      done: this.#done,
      refused: this.#refused,
      refusedCount: this.#refusedCount,
      error: this.#error,
    };
  }

  stop(): void {
    this.#isStopping = true;
  }

  /** Never rejects. It is over when the audit trail has its end. */
  async run(context: WorkerContext, who: string): Promise<void> {
    const { withLedger, log } = context;
    let end: ActionAnswer["state"] = "failed";
    try {
      end = await withLedger((ledger) => this.#runSlices(ledger));
    } catch (error) {
      this.#error = redact(error instanceof Error ? error.message : String(error));
      log("console").error(`Cannot ${this.#request.action} deliveries: ${this.#error}`);
    }
    await this.#tellEnd(end, { context, who });
    this.#state = end;
  }

  async #runSlices(ledger: LedgerOperations): Promise<"done" | "stopped"> {
    const { action, target, force = false } = this.#request;
    for await (const selection of slicesOf(target, ledger)) {
      if (this.#isStopping) return "stopped";
      const results = action === "replay" ? await ledger.replay(selection, { force }) : await ledger.drop(selection);
      this.#count(results);
      // Questions are answered between two slices.
      await setImmediate();
    }
    return "done";
  }

  async #tellEnd(
    state: ActionAnswer["state"],
    { context: { withLedger, clock, log }, who }: { readonly context: WorkerContext; readonly who: string },
  ): Promise<void> {
    const { action, target } = this.#request;
    const changed = this.#done - this.#refusedCount;
    const what = `${wordsOf(target, this.#total)}: ${state}, ${changed} changed, ${this.#refusedCount} refused`;
    const details = {
      done: this.#done,
      refused: this.#refusedCount,
      ...(this.#error && { error: this.#error.slice(0, MAX_ERROR) }),
    };
    try {
      await withLedger((ledger) => ledger.trail.write({ at: clock.now(), who, action, what, details }));
    } catch (error) {
      log("console").error(`Cannot write the end of "${what}" into the audit log: ${error}`);
    }
  }

  #count(results: readonly OperatorResult[]): void {
    this.#done += results.length;
    for (const { key, plugin, refused } of results) {
      if (refused === null) continue;
      this.#refusedCount++;
      if (this.#refused.length < NAMED) this.#refused.push({ key, plugin, reason: refused });
    }
  }
}

/** Reasons name the later event: its key is left out, so that equal reasons are counted together. */
function countedByReason(results: readonly OperatorResult[]): ActionPlan["refused"] {
  const refused = results.flatMap(({ key, refused }) => refused === null ? [] : [{ key, reason: general(refused) }]);
  return [...Map.groupBy(refused, ({ reason }) => reason)].map(([reason, same]) => ({
    reason,
    count: same.length,
    sampleKey: same[0]?.key ?? "",
  }));
}

function general(reason: string): string {
  return reason.replace(/^the later event \S+ /, "a later event ");
}

/** A target as the audit trail has it: of many keys the first, and their number. */
function shortened(target: ActionTarget): Json {
  if (!("keys" in target)) return { ...target };
  return { ...target, keys: firstKeys(target.keys), keyCount: target.keys.length };
}
