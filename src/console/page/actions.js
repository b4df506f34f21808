// @ts-check
// Replays and drops that run: the service does them, the page asks how far they are.
import { get, post, remove, textOf } from "./api.js";
import { announcement } from "./session.js";
import { signal } from "./ui.js";
import { counted } from "./format.js";

/** @import { ActionAnswer, ActionPlan, ActionRequest, ActionTarget } from "../api.ts" */

/** @typedef {"replay" | "drop"} ActionName */
/** @typedef {{ action: ActionName, what: string, targets: readonly ActionTarget[], onDone?: () => void }} Wish `what`: as "dead letters of RestNotify" */
/**
 * @typedef {{
 *   wish: Wish,
 *   answers: readonly ActionAnswer[],
 *   total: number,
 *   done: number,
 *   refused: number,
 *   state: "running" | "done" | "stopped" | "failed",
 *   isStopping: boolean,
 *   error: string | null,
 * }} RunningAction `isStopping`: somebody has asked for it
 */

const POLL_MS = 400;

/** What an operator is asked to confirm; `null`: nothing. */
export const wish = signal(/** @type {Wish | null} */ (null));

/** The action that runs, or the last one until it is put away. */
export const running = signal(/** @type {RunningAction | null} */ (null));

/** What an action would do. @param {Wish} wished @param {boolean} force @param {AbortSignal} signal @returns {Promise<ActionPlan>} */
export async function planOf({ action, targets }, force, signal) {
  /** @type {ActionPlan[]} */
  const plans = [];
  for (const target of targets) plans.push(await post("actions/plan", requestOf(action, target, force), signal));
  return {
    count: plans.reduce((sum, plan) => sum + plan.count, 0),
    refused: plans.flatMap((plan) => plan.refused),
    isComplete: plans.every((plan) => plan.isComplete),
  };
}

/** @param {ActionName} action @param {ActionTarget} target @param {boolean} force @returns {ActionRequest} */
function requestOf(action, target, force) {
  return { action, target, ...(action === "replay" ? { force } : {}) };
}

/** Does what was confirmed, one target after another. @param {Wish} wished @param {{ force: boolean, total: number }} options */
export async function perform(wished, { force, total }) {
  /** @type {RunningAction} */
  const begun = {
    wish: wished,
    answers: [],
    total,
    done: 0,
    refused: 0,
    state: "running",
    isStopping: false,
    error: null,
  };
  running.value = begun;
  try {
    for (const target of wished.targets) {
      if (running.value.isStopping) change({ state: "stopped" });
      if (running.value.state !== "running") break;
      const first = /** @type {ActionAnswer} */ (await post("actions", requestOf(wished.action, target, force)));
      if (running.value.isStopping) await tellStop(first);
      await follow(first);
    }
    if (running.value.state === "running") change({ state: "done" });
  } catch (error) {
    change({ state: "failed", error: textOf(error) });
  }
  announcement.value = sentenceOf(/** @type {RunningAction} */ (running.value));
  wished.onDone?.();
}

/** @param {ActionAnswer} first */
async function follow(first) {
  const before = running.value?.answers ?? [];
  let answer = first;
  for (;;) {
    const answers = [...before, answer];
    const over = answer.state === "stopped" || answer.state === "failed" ? answer.state : "running";
    change({
      answers,
      done: answers.reduce((sum, each) => sum + each.done, 0),
      refused: answers.reduce((sum, each) => sum + each.refusedCount, 0),
      state: over,
      error: answer.error,
    });
    if (answer.state !== "running") return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    answer = await get(`actions/${encodeURIComponent(answer.id)}`);
  }
}

/** @param {Partial<RunningAction>} changes */
function change(changes) {
  if (running.value !== null) running.value = { ...running.value, ...changes };
}

/** Stops what runs: what is done stays done. What the service has not answered yet is stopped when it has. */
export async function stop() {
  change({ isStopping: true });
  const last = running.value?.answers.at(-1);
  if (last?.state === "running") await tellStop(last);
}

/** @param {ActionAnswer} action */
async function tellStop({ id }) {
  try {
    await remove(`actions/${encodeURIComponent(id)}`);
  } catch (error) {
    change({ isStopping: false, error: textOf(error) });
  }
}

/** How an action stands, in one sentence. @param {RunningAction} action */
export function sentenceOf({ wish: { action }, state, done, total, refused }) {
  const verb = action === "replay" ? "Replayed" : "Dropped";
  const figures = `${counted(done - refused, "delivery", "deliveries")}${
    refused > 0 ? `, ${counted(refused, "was", "were")} refused` : ""
  }`;
  if (state === "running") {
    return `${action === "replay" ? "Replaying" : "Dropping"}: ${done} of ${counted(total, "delivery", "deliveries")}`;
  }
  if (state === "stopped") return `Stopped. ${verb} ${figures}; the others are as they were`;
  if (state === "failed") return `Ended too early. ${verb} ${figures}`;
  return `${verb} ${figures}`;
}
