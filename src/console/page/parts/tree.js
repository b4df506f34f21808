// @ts-check
// JSON as a tree that opens and closes. What is closed is not made.
import { markup, useState } from "../ui.js";
import { Text } from "./text.js";

/** Entries shown at first, and at each "more". */
const STEP = 100;

/**
 * @param {{ value: unknown, name?: string | null, open?: number, marked?: readonly string[] }} props
 *   `open`: how many levels are open at first. `marked`: keys of the top level that stand out.
 */
export function Tree({ value, name = null, open = 1, marked = [] }) {
  const head = name === null ? null : markup`<span class="tree-key"><${Text} value=${name} limit=${80} /></span>`;
  if (typeof value !== "object" || value === null) {
    return markup`<div class="tree-leaf">${head}<${Leaf} value=${value} /></div>`;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) {
    return markup`<div class="tree-leaf">${head}<span class="faint">${
      Array.isArray(value) ? "empty list" : "empty"
    }</span></div>`;
  }
  if (name === null) {
    return markup`
      <div class="tree">
        <${Branch} entries=${entries} open=${open} marked=${marked} />
      </div>
    `;
  }
  return markup`<${Fold} head=${head} entries=${entries} isList=${Array.isArray(value)} open=${open} />`;
}

/** @param {{ head: unknown, entries: readonly [string, unknown][], isList: boolean, open: number }} props */
function Fold({ head, entries, isList, open }) {
  const [isOpen, setOpen] = useState(open > 0);
  return markup`<details open=${isOpen} onToggle=${(/** @type {Event} */ event) =>
    setOpen(/** @type {HTMLDetailsElement} */ (event.currentTarget).open)}>
    <summary>${head}<span class="faint">${
    isList ? `list of ${entries.length}` : `${entries.length} ${entries.length === 1 ? "key" : "keys"}`
  }</span></summary>
    ${isOpen && markup`<${Branch} entries=${entries} open=${open - 1} />`}
  </details>`;
}

/** @param {{ entries: readonly [string, unknown][], open: number, marked?: readonly string[] }} props */
function Branch({ entries, open, marked = [] }) {
  const [length, setLength] = useState(STEP);
  return markup`<ul class="branch">${
    entries.slice(0, length).map(([key, value]) =>
      markup`
        <li key=${key} class=${marked.includes(key) ? "marked" : ""}>
          <${Tree} value=${value} name=${key} open=${open} />
        </li>
      `
    )
  }${
    entries.length > length &&
    markup`<li><button type="button" class="link" onClick=${() =>
      setLength(length + STEP)}>show more of ${entries.length}</button></li>`
  }</ul>`;
}

/** @param {{ value: unknown }} props */
function Leaf({ value }) {
  if (value === null || value === undefined) return markup`<span class="faint">null</span>`;
  if (value === "") return markup`<span class="faint">""</span>`;
  if (typeof value === "string") return markup`<${Text} value=${value} lines />`;
  return markup`<span class="number">${String(value)}</span>`;
}

/** A value in one place of a table. @param {{ value: unknown }} props */
export function Value({ value }) {
  if (typeof value === "object" && value !== null) return markup`<${Tree} value=${value} open=${1} />`;
  return markup`<${Leaf} value=${value} />`;
}
