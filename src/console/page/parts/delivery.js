// @ts-check
// One delivery of an event: its state, attempts, what it waits for, and what changed.
import { wish } from "../actions.js";
import { counted } from "../format.js";
import { href } from "../router.js";
import { markup } from "../ui.js";
import { UNFINISHED } from "../words.js";
import { Attempts } from "./attempts.js";
import { StateBadge } from "./badge.js";
import { ActionButton } from "./button.js";
import { Label, Text } from "./text.js";
import { FullTime } from "./time.js";
import { Value } from "./tree.js";

/** @import { EventAnswer } from "../../api.ts" */
/** @typedef {EventAnswer["deliveries"][number]} ShownDelivery */

/** @param {{ event: EventAnswer, delivery: ShownDelivery, reload: () => void }} props */
export function Delivery({ event, delivery, reload }) {
  const { plugin, state, attempts, finishedAt, dueAt } = delivery;
  return markup`
    <article class=${`panel delivery ${state}`}>
      <header class="heading">
        <h3><a href=${
    href(["plugins", plugin])
  }><${Label} value=${plugin} limit=${80} /></a> <${StateBadge} state=${state} /></h3>
        <div class="heading-actions">
          <${Actions} eventKey=${event.key} delivery=${delivery} reload=${reload} />
        </div>
      </header>
      <p class="faint">${counted(attempts, "attempt")}${
    finishedAt !== null &&
    markup`, finished <${FullTime} at=${finishedAt} />`
  }${
    UNFINISHED.includes(state) && dueAt !== null &&
    markup`, next attempt <${FullTime} at=${dueAt} />`
  }</p>
      ${
    delivery.paused !== undefined &&
    markup`<p class="warn">Held back: this plugin was paused <${FullTime} at=${delivery.paused.at} /> by <${Text} value=${delivery.paused.by} limit=${80} />.</p>`
  }
      <${WaitsFor} keys=${delivery.waitsFor} />
      <${Attempts} decidedAt=${event.decidedAt} delivery=${delivery} />
      <${Changed} delivery=${delivery} />
    </article>
  `;
}

/** @param {{ eventKey: string, delivery: ShownDelivery, reload: () => void }} props */
function Actions({ eventKey, delivery: { plugin, state }, reload }) {
  const ask = (/** @type {"replay" | "drop"} */ action) => () =>
    wish.value = {
      action,
      what: `this delivery of ${plugin}`,
      targets: [{ keys: [eventKey], plugin }],
      onDone: reload,
    };
  return markup`${
    ["dead", "dropped", "skipped"].includes(state) &&
    markup`<${ActionButton} onClick=${ask("replay")} kind="primary" label=${`Replay, ${plugin}`}>Replay …<//>`
  }${
    ["dead", ...UNFINISHED].includes(state) &&
    markup`<${ActionButton} onClick=${ask("drop")} label=${`Drop, ${plugin}`}>Drop …<//>`
  }`;
}

/** @param {{ keys: readonly string[] }} props */
function WaitsFor({ keys }) {
  if (keys.length === 0) return null;
  return markup`
    <div class="waits">
      <p>It waits for earlier events of the same resource:</p>
      <ul>${
    keys.map((key) =>
      markup`<li key=${key}><a href=${href("event", { key })}><${Label} value=${key} limit=${120} /></a></li>`
    )
  }</ul>
    </div>
  `;
}

/** What differs from what the plugin was last told. @param {{ delivery: ShownDelivery }} props */
function Changed({ delivery: { changed, plugin } }) {
  if (changed === null) return null;
  if (changed.length === 0) return markup`<p class="faint">The same as it was told before.</p>`;
  return markup`
    <details class="changed">
      <summary>${counted(changed.length, "key")} differ from what it was told before</summary>
      <table class="difference">
        <caption class="hidden">What differs for ${plugin}</caption>
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Before</th>
            <th scope="col">In this event</th>
          </tr>
        </thead>
        <tbody>${
    changed.map(({ key, before, after }) =>
      markup`
            <tr key=${key}>
              <th scope="row">
                <${Text} value=${key} limit=${80} />
              </th>
              <td>
                <${Value} value=${before} />
              </td>
              <td>
                <${Value} value=${after} />
              </td>
            </tr>
          `
    )
  }</tbody>
      </table>
    </details>
  `;
}
