// @ts-check
import { markup } from "../ui.js";
import { Heading } from "./heading.js";
import { Icon } from "./icon.js";

/** @import { Tone } from "../words.js" */

/** A sentence that wants attention. @param {{ tone: Tone, children?: unknown, role?: string }} props */
export const Note = ({ tone, children, role = undefined }) =>
  markup`
    <div class=${`note ${tone}`} role=${role}>
      <${Icon} name=${tone === "ok" ? "check" : tone === "bad" ? "cross" : tone === "warn" ? "alert" : "info"} />
      <div>${children}</div>
    </div>
  `;

/** What went wrong, and a button to try again. @param {{ text: string | null, retry?: () => void }} props */
export function ErrorNote({ text, retry = undefined }) {
  if (text === null) return null;
  return markup`<${Note} tone="bad" role="alert"><p class="text lines">${text}.</p>${
    retry !== undefined && markup`<button type="button" onClick=${retry}>Try again</button>`
  }<//>`;
}

/** Says that nothing is there, why, and what to do. @param {{ title: string, children?: unknown }} props */
export const Empty = ({ title, children }) =>
  markup`<div class="empty"><p class="empty-title">${title}</p>${children && markup`<div>${children}</div>`}</div>`;

/** Holds the place of what is being read. */
export const Loading = () => markup`<p class="loading" role="status">Reading …</p>`;

/**
 * What a resource has: its data, else its error, else that it is read.
 *
 * @template T
 * @param {{ of: import("./resource.js").Resource<T>, title?: string, children?: (data: T) => unknown }} props
 *   `title`: the screen's heading until there are data, which bring their own
 */
export function Loaded({ of, title = undefined, children }) {
  const { data, error, reload } = of;
  return markup`${
    data === null && title !== undefined && markup`<${Heading} title=${title} />`
  }<${ErrorNote} text=${error} retry=${reload} />${
    data !== null ? children?.(data) : error === null ? markup`<${Loading} />` : null
  }`;
}
