// @ts-check
// The life of a server and of its floating IPs as bars over one time line.
import { absolute } from "../format.js";
import { now } from "../session.js";
import { markup } from "../ui.js";
import { KINDS } from "../words.js";
import { Label } from "./text.js";

/** @import { ServerAnswer } from "../../api.ts" */
/** @typedef {ServerAnswer["events"][number]} LifeEvent */
/** @typedef {{ from: number, to: number | null }} Stretch */

/** @param {{ life: ServerAnswer }} props */
export function Lanes({ life }) {
  const first = life.events[0]?.at;
  if (first === undefined) return null;
  const isOver = life.exists === false;
  const last = life.events.at(-1)?.at ?? first;
  const end = Math.max(isOver ? last : now.value, first + 1);
  const place = (/** @type {number} */ at) => Math.min(100, Math.max(0, (at - first) / (end - first) * 100));
  return markup`<figure class="lanes" aria-hidden="true">
    ${
    [...lanesOf(life.events)].map(([name, events]) =>
      markup`
        <div class="lane" key=${name}>
          <div class="lane-name">
            <${Label} value=${name} />
          </div>
          <div class="lane-track">
                ${
        stretchesOf(events).map(({ from, to }) =>
          markup`<span class="stretch" style=${{
            left: `${place(from)}%`,
            width: `${place(to ?? end) - place(from)}%`,
          }}></span>`
        )
      }
                ${
        events.map(({ seq, at, kind }) =>
          markup`<span key=${seq} class=${`mark ${kind}`} title=${KINDS[kind]?.word} style=${{
            left: `${place(at)}%`,
          }}></span>`
        )
      }
              </div>
        </div>
      `
    )
  }
    <div class="lane ends"><div class="lane-name"></div><div><span>${absolute(first)}</span><span>${
    isOver ? absolute(end) : "now"
  }</span></div></div>
  </figure>`;
}

/** @param {readonly LifeEvent[]} events */
function lanesOf(events) {
  /** @type {Map<string, LifeEvent[]>} */
  const lanes = new Map();
  for (const event of events) {
    const name = event.subject === "server" ? "server" : event.address ?? "floating IP";
    lanes.set(name, [...lanes.get(name) ?? [], event]);
  }
  return lanes;
}

/** When it was there. @param {readonly LifeEvent[]} events @returns {readonly Stretch[]} */
function stretchesOf(events) {
  /** @type {Stretch[]} */
  const stretches = [];
  for (const { kind, at } of events) {
    const open = stretches.at(-1);
    if (kind === "creation" && (open === undefined || open.to !== null)) stretches.push({ from: at, to: null });
    else if (kind === "update" && open === undefined) stretches.push({ from: at, to: null });
    else if (kind === "deletion" && open !== undefined && open.to === null) open.to = at;
  }
  return stretches;
}
