// @ts-check
import { KINDS, STATES, SUBJECTS } from "../words.js";
import { markup } from "../ui.js";
import { Icon } from "./icon.js";

/** @import { IconName } from "./icon.js" */
/** @import { Tone } from "../words.js" */

/** A state: colour, shape and word. @param {{ tone: Tone, icon: IconName, children?: unknown }} props */
export const Badge = ({ tone, icon, children }) =>
  markup`<span class=${`badge ${tone}`}><${Icon} name=${icon} /><span>${children}</span></span>`;

/** The state of a delivery. @param {{ state: string }} props */
export function StateBadge({ state }) {
  const { word, tone, icon } = STATES[state] ?? { word: state, tone: "off", icon: "info" };
  return markup`<${Badge} tone=${tone} icon=${icon}>${word}<//>`;
}

/** What happened to what. @param {{ kind: string, subject: string }} props */
export function KindBadge({ kind, subject }) {
  const { word, icon } = KINDS[kind] ?? { word: kind, icon: "info" };
  return markup`<span class=${`kind ${kind}`}><${Icon} name=${icon} /><span>${
    SUBJECTS[subject] ?? subject
  } ${word}</span></span>`;
}
