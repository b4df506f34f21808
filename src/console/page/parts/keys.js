// @ts-check
// The keyboard. Keys without Ctrl or Alt can be switched off (WCAG 2.1.4).
import { go, href } from "../router.js";
import { markup, signal, useId } from "../ui.js";
import { Dialog } from "./dialog.js";

/** Whether the list of keys is shown. */
export const areKeysShown = signal(false);

const areOn = signal(readSwitch());

/** After `g`. @type {Readonly<Record<string, string>>} */
const PLACES = {
  o: "overview",
  e: "events",
  d: "dead-letters",
  p: "plugins",
  r: "drift",
  c: "cluster",
  t: "try",
  a: "audit-log",
};

/** @type {readonly (readonly [string, string])[]} */
const HELP = [
  ["/", "Search"],
  ["j", "Next row"],
  ["k", "Previous row"],
  ["Enter", "Open the row"],
  ["Esc", "Close, or leave the search"],
  ["g o", "Overview"],
  ["g e", "Events"],
  ["g d", "Dead letters"],
  ["g p", "Plugins"],
  ["g r", "Drift"],
  ["g c", "Cluster"],
  ["g t", "Try"],
  ["g a", "Audit log"],
  ["?", "These keys"],
];

function readSwitch() {
  try {
    return localStorage.getItem("keys") !== "off";
  } catch {
    return true;
  }
}

/** Listens until the page is left. */
export function listenToKeys() {
  let isAfterG = false;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("input, textarea, select, [contenteditable]") !== null) {
      if (event.key === "Escape" && target.closest("dialog") === null) target.blur();
      return;
    }
    if (!areOn.value || target.closest("dialog") !== null) return;
    const place = isAfterG ? PLACES[event.key] : undefined;
    isAfterG = event.key === "g" && !isAfterG;
    if (place !== undefined) go(href(place));
    else if (!act(event.key)) return;
    event.preventDefault();
  });
}

/** @param {string} key Returns whether it means something. */
function act(key) {
  if (key === "/") document.getElementById("search")?.focus();
  else if (key === "?") areKeysShown.value = true;
  else if (key === "j") step(1);
  else if (key === "k") step(-1);
  else return false;
  return true;
}

/** Moves the focus from row to row. @param {1 | -1} by */
function step(by) {
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("main [data-row]")]);
  const current = rows.findIndex((row) =>
    row === document.activeElement || row.closest("tr, li, article")?.contains(document.activeElement)
  );
  const next = rows[current < 0 ? (by > 0 ? 0 : rows.length - 1) : current + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest", behavior: "instant" });
}

export function KeysDialog() {
  const id = useId();
  if (!areKeysShown.value) return null;
  const toggle = () => {
    areOn.value = !areOn.value;
    try {
      localStorage.setItem("keys", areOn.value ? "on" : "off");
    } catch {
      // Not kept: storage is forbidden.
    }
  };
  return markup`
    <${Dialog} title="Keys" onClose=${() => areKeysShown.value = false}>
      <dl class="keys">${
    HELP.map(([keys, what]) =>
      markup`
          <div key=${keys}>
            <dt>${keys.split(" ").map((key) => markup`<kbd>${key}</kbd>`)}</dt>
            <dd>${what}</dd>
          </div>
        `
    )
  }</dl>
      <div
        class="check"><input type="checkbox" id=${id} checked=${areOn.value} onChange=${toggle} /><label for=${id}>Keys of one letter are on</label></div>
      <form method="dialog" class="buttons"><button class="primary">Close</button></form>
      <//>
  `;
}
