// @ts-check
// The attempts of a delivery on a time line, and in words.
import { duration } from "../format.js";
import { now } from "../session.js";
import { markup } from "../ui.js";
import { REASONS, UNFINISHED } from "../words.js";
import { Text } from "./text.js";
import { FullTime } from "./time.js";

/** @import { EventAnswer } from "../../api.ts" */

/** @param {{ decidedAt: number, delivery: EventAnswer["deliveries"][number] }} props */
export function Attempts({ decidedAt, delivery }) {
  const { failures, attempts, finishedAt, state } = delivery;
  const end = finishedAt ?? Math.max(now.value, delivery.dueAt ?? 0, decidedAt + 1);
  const at = (/** @type {number} */ time) =>
    `${Math.min(100, Math.max(0, (time - decidedAt) / (end - decidedAt || 1) * 100))}%`;
  return markup`<div class="attempts">
    <div class="track" aria-hidden="true">
      ${
    failures.map(({ attempt, startedAt }) =>
      markup`<span key=${attempt} class="mark bad" style=${{ left: at(startedAt) }}></span>`
    )
  }
      ${
    delivery.dueAt !== null && UNFINISHED.includes(state) &&
    markup`<span class="mark due" style=${{ left: at(delivery.dueAt) }}></span>`
  }
      ${finishedAt !== null && markup`<span class=${`mark end ${state}`} style=${{ left: "100%" }}></span>`}
    </div>
    <div class="ends" aria-hidden="true"><span>decided</span><span>${
    finishedAt !== null
      ? `finished after ${duration(finishedAt - decidedAt)}`
      : delivery.dueAt !== null && delivery.dueAt > now.value
      ? "next attempt"
      : "now"
  }</span></div>
    ${
    failures.length > 0 && markup`<ol class="failures">${
      failures.map((failure, index) =>
        markup`<li key=${failure.attempt}>${gapBefore(failures, index)}
          <div class="line"><span class="attempt">attempt ${failure.attempt}</span><${FullTime} at=${failure.startedAt} /><span class="faint">took ${
          duration(failure.endedAt - failure.startedAt)
        }</span><strong>${REASONS[failure.reason] ?? failure.reason}</strong></div>
          <div><${Text} value=${failure.error} lines /></div></li>`
      )
    }</ol>`
  }
    ${attempts === 0 && markup`<p class="faint">No attempt was made yet.</p>`}
  </div>`;
}

/** @param {readonly { readonly attempt: number }[]} failures @param {number} index */
function gapBefore(failures, index) {
  const missing = (failures[index]?.attempt ?? 0) - (failures[index - 1]?.attempt ?? failures[index]?.attempt ?? 0) - 1;
  return missing > 0 && markup`<p class="faint">${missing} attempts between are not kept</p>`;
}
