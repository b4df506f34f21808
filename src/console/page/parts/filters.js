// @ts-check
// The filters of the list of events. They are in the address.
import { go, href, route } from "../router.js";
import { pluginNames } from "../session.js";
import { markup, useId } from "../ui.js";
import { KINDS, STATES, SUBJECTS } from "../words.js";

/** @typedef {Readonly<Record<string, string>>} Params */

/** @type {readonly (readonly [string, string])[]} */
const AGES = [["15m", "last 15 minutes"], ["1h", "last hour"], ["1d", "last day"], ["7d", "last 7 days"]];
/** @type {Readonly<Record<string, number>>} */
const AGE_MS = { "15m": 900_000, "1h": 3_600_000, "1d": 86_400_000, "7d": 604_800_000 };

/** What the API is asked for. An age becomes a time. @param {Params} params @param {number} now */
export function queryOf({ text, plugin, state, kind, subject, since, until }, now) {
  const age = since === undefined ? undefined : AGE_MS[since];
  return {
    text,
    plugin,
    state,
    kind,
    subject,
    since: age === undefined ? numberOf(since) : now - age,
    until: numberOf(until),
  };
}

/** @param {string | undefined} text */
const numberOf = (text) => text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

/** @param {string} name @param {string} value */
function set(name, value) {
  go(href("events", { ...route.value.params, [name]: value }));
}

/** @param {{ params: Params }} props */
export function Filters({ params }) {
  const names = [...new Set([...pluginNames.value, ...(params.plugin ? [params.plugin] : [])])];
  const isBetween = params.until !== undefined || numberOf(params.since) !== undefined;
  const isFiltered = ["text", "plugin", "state", "kind", "subject", "since", "until"].some((name) => params[name]);
  return markup`<div class="filters" role="group" aria-label="Filters">
    <${Choice} name="plugin" label="Plugin" value=${params.plugin} options=${names.map((name) => [name, name])} />
    <${Choice} name="state" label="State" value=${params.state} options=${
    Object.entries(STATES).map(([state, { word }]) => [state, word])
  } />
    <${Choice} name="kind" label="Kind" value=${params.kind} options=${
    Object.entries(KINDS).map(([kind, { word }]) => [kind, word])
  } />
    <${Choice} name="subject" label="Of" value=${params.subject} options=${Object.entries(SUBJECTS)} />
    ${
    isBetween
      ? markup`<${Between} params=${params} />`
      : markup`<${Choice} name="since" label="Time" value=${params.since} options=${AGES} />`
  }
    ${isFiltered && markup`<a class="button clear" href=${href("events")}>Clear</a>`}
  </div>`;
}

/** @param {{ name: string, label: string, value: string | undefined, options: readonly (readonly [string, string])[] }} props */
function Choice({ name, label, value = "", options }) {
  const id = useId();
  const cut = (/** @type {string} */ text) => text.length > 60 ? `${text.slice(0, 59)}…` : text;
  return markup`
    <div
      class=${
    value === "" ? "field" : "field set"
  }><label for=${id}>${label}</label><select id=${id} value=${value} onChange=${(
    /** @type {Event} */ event,
  ) => set(name, /** @type {HTMLSelectElement} */ (event.target).value)}><option value="">any</option>${
    options.map(
      ([key, word]) => markup`<option key=${key} value=${key}>${cut(word)}</option>`,
    )
  }</select></div>
  `;
}

/** A stretch of time, as the charts lead to. @param {{ params: Params }} props */
function Between({ params }) {
  return markup`
    <${Moment} name="since" label="From" value=${params.since} />
    <${Moment} name="until" label="Until" value=${params.until} />
  `;
}

/** @param {{ name: string, label: string, value: string | undefined }} props */
function Moment({ name, label, value }) {
  const id = useId();
  const at = numberOf(value);
  const change = (/** @type {Event} */ event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    set(name, value === "" ? "" : String(new Date(value).getTime()));
  };
  return markup`
    <div
      class="field set"><label for=${id}>${label}</label><input id=${id} type="datetime-local" step="1" value=${
    at ===
        undefined
      ? ""
      : localText(at)
  } onChange=${change} /></div>
  `;
}

/** As `2026-11-30T12:00:00`, in the browser's time zone. @param {number} at */
function localText(at) {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
