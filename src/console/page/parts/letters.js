// @ts-check
// Dead letters one by one, to choose some.
import { wish } from "../actions.js";
import { get, textOf } from "../api.js";
import { counted } from "../format.js";
import { reconnections } from "../session.js";
import { markup, useEffect, useMemo, useState } from "../ui.js";
import { ActionButton } from "./button.js";
import { byEvent, EventTable } from "./deliveries.js";
import { ErrorNote } from "./feedback.js";
import { Label } from "./text.js";

/** @import { ActionTarget, EventsAnswer } from "../../api.ts" */
/** @import { FoundDelivery } from "../../../model/event_search.ts" */

const PAGE = 50;

/** @param {{ plugin: string | null, reload: () => void }} props */
export function Letters({ plugin, reload }) {
  const [rows, setRows] = useState(/** @type {readonly FoundDelivery[]} */ ([]));
  const [next, setNext] = useState(/** @type {string | null} */ (null));
  const [error, setError] = useState(/** @type {string | null} */ (null));
  const [chosen, setChosen] = useState(/** @type {ReadonlySet<string>} */ (new Set()));
  const read = async (/** @type {string | null} */ before) => {
    try {
      const answer = /** @type {EventsAnswer} */ (await get("events", { state: "dead", plugin, before, limit: PAGE }));
      setRows((known) => before === null ? answer.rows : [...known, ...answer.rows]);
      setNext(answer.next);
      setError(null);
    } catch (thrown) {
      setError(textOf(thrown));
    }
  };
  useEffect(() => void read(null), [plugin, reconnections.value]);
  const done = () => {
    setChosen(new Set());
    read(null);
    reload();
  };
  const letters = rows.filter((row) => chosen.has(idOf(row)));
  const events = useMemo(() => byEvent(rows), [rows]);
  return markup`<section aria-labelledby="letters">
    <div class="heading"><h2 id="letters">One by one</h2></div>
    <${ErrorNote} text=${error} retry=${() => read(null)} />
    ${
    rows.length > 0 &&
    markup`<${EventTable} label="Dead letters, newest first" rows=${events} selectionOf=${(
      /** @type {import("./deliveries.js").EventRow} */ row,
    ) => markup`<${Chooser} row=${row} chosen=${chosen} set=${setChosen} />`} />`
  }
    ${
    next !== null && markup`<div class="end"><button type="button" onClick=${() =>
      read(next)}>${rows.length === 0 ? "Go on" : "Show older"}</button></div>`
  }
    ${letters.length > 0 && markup`<${Selected} letters=${letters} clear=${() => setChosen(new Set())} done=${done} />`}
  </section>`;
}

/** @param {FoundDelivery} row */
const idOf = ({ key, plugin }) => `${plugin} ${key}`;

/** One box for each plugin that has given the event up. @param {{ row: import("./deliveries.js").EventRow, chosen: ReadonlySet<string>, set: (chosen: ReadonlySet<string>) => void }} props */
function Chooser({ row, chosen, set }) {
  const toggle = (/** @type {string} */ id) => () => {
    const changed = new Set(chosen);
    if (!changed.delete(id)) changed.add(id);
    set(changed);
  };
  return markup`<div class="choosers">${
    row.deliveries.map((delivery) =>
      markup`<label class="choose" key=${idOf(delivery)} title=${delivery.plugin}><input type="checkbox" checked=${
        chosen.has(idOf(delivery))
      } onChange=${
        toggle(idOf(delivery))
      } /><span class="hidden">Choose the dead letter of ${delivery.plugin} for <${Label} value=${delivery.key} /></span></label>`
    )
  }</div>`;
}

/** @param {{ letters: readonly FoundDelivery[], clear: () => void, done: () => void }} props */
function Selected({ letters, clear, done }) {
  const what = counted(letters.length, "chosen dead letter");
  const ask = (/** @type {"replay" | "drop"} */ action) => () =>
    wish.value = { action, what, targets: targetsOf(letters), onDone: done };
  return markup`<div class="selection" role="region" aria-label="Chosen dead letters"><span>${what}</span>
    <${ActionButton} kind="primary" onClick=${ask("replay")}>Replay these …<//><${ActionButton} onClick=${
    ask("drop")
  }>Drop these …<//><button type="button" onClick=${clear}>Choose none</button></div>`;
}

/** @param {readonly FoundDelivery[]} letters @returns {readonly ActionTarget[]} */
function targetsOf(letters) {
  const plugins = [...new Set(letters.map(({ plugin }) => plugin))];
  return plugins.map((plugin) => ({
    plugin,
    keys: letters.filter((letter) => letter.plugin === plugin).map(({ key }) => key),
  }));
}
