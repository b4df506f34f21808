// @ts-check
import { absolute, relative, timeOfDay } from "../format.js";
import { nowFor } from "../session.js";
import { markup } from "../ui.js";

/** A time as `5 min ago`; its title has the whole. @param {{ at: number | null, none?: string }} props */
export function Time({ at, none = "never" }) {
  if (at === null) return markup`<span class="faint">${none}</span>`;
  return markup`<time datetime=${new Date(at).toISOString()} title=${titleOf(at)}>${relative(at, nowFor(at))}</time>`;
}

/** A time as `30 Nov 2026, 12:00:00`. @param {{ at: number }} props */
export function ExactTime({ at }) {
  return markup`<time datetime=${new Date(at).toISOString()} title=${titleOf(at)}>${absolute(at)}</time>`;
}

/** A time of today as `12:00:00`, an earlier one with its date. @param {{ at: number }} props */
export function Clock({ at }) {
  const isToday = new Date(at).toDateString() === new Date(nowFor(at)).toDateString();
  return markup`<time datetime=${new Date(at).toISOString()} title=${titleOf(at)}>${
    isToday ? timeOfDay(at) : absolute(at)
  }</time>`;
}

/** Both: `12:00:00 (5 min ago)`; of another day, with its date. @param {{ at: number | null, none?: string }} props */
export function FullTime({ at, none = "never" }) {
  if (at === null) return markup`<span class="faint">${none}</span>`;
  const isToday = new Date(at).toDateString() === new Date(nowFor(at)).toDateString();
  return markup`<time datetime=${new Date(at).toISOString()} title=${titleOf(at)}>${
    isToday ? timeOfDay(at) : absolute(at)
  } <span class="faint">(${relative(at, nowFor(at))})</span></time>`;
}

/** @param {number} at */
function titleOf(at) {
  return `${absolute(at)} here, ${new Date(at).toISOString()}`;
}
