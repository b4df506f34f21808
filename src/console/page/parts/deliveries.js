// @ts-check
// Deliveries as they are listed: one line an event, and in it what each plugin has got.
import { relative } from "../format.js";
import { href } from "../router.js";
import { now } from "../session.js";
import { markup } from "../ui.js";
import { STATES, UNFINISHED } from "../words.js";
import { KindBadge } from "./badge.js";
import { Icon } from "./icon.js";
import { Label } from "./text.js";
import { Clock, Time } from "./time.js";

/** @import { FoundDelivery } from "../../../model/event_search.ts" */

/** @typedef {{ seq: number, first: FoundDelivery, deliveries: readonly FoundDelivery[] }} EventRow */

/** Rows by their first deliveries: a row that is as it was stays the same object. @type {WeakMap<FoundDelivery, EventRow>} */
const made = new WeakMap();

/** @param {EventRow} row */
function asBefore(row) {
  const before = made.get(row.first);
  const isSame = before?.deliveries.length === row.deliveries.length &&
    before.deliveries.every((delivery, index) => delivery === row.deliveries[index]);
  if (isSame) return before;
  made.set(row.first, row);
  return row;
}

/** Rows of one event together; rows are newest first. @param {readonly FoundDelivery[]} found @returns {readonly EventRow[]} */
export function byEvent(found) {
  /** @type {{ seq: number, first: FoundDelivery, deliveries: FoundDelivery[] }[]} */
  const rows = [];
  for (const delivery of found) {
    const last = rows.at(-1);
    if (last?.seq === delivery.seq) last.deliveries.push(delivery);
    else rows.push({ seq: delivery.seq, first: delivery, deliveries: [delivery] });
  }
  return rows.map(asBefore);
}

/**
 * What one plugin has got. That a delivery is done is said by its shape: most are.
 *
 * @param {{ delivery: Pick<FoundDelivery, "plugin" | "state" | "attempts"> & { dueAt?: number | null, isPaused?: boolean } }} props
 */
export function DeliveryChip({ delivery }) {
  const { plugin, state } = delivery;
  const { tone, icon } = STATES[state] ?? { tone: "off", icon: "info" };
  const words = wordsOf(delivery);
  return markup`<span class=${`badge chip ${tone}`}><${Icon} name=${icon} /><span><b><${Label} value=${plugin} /></b><span class=${
    state === "done" ? "hidden" : ""
  }> ${words}</span></span></span>`;
}

/** As `retrying, 3 attempts, in 24 s`. @param {Pick<FoundDelivery, "state" | "attempts"> & { dueAt?: number | null, isPaused?: boolean }} delivery */
function wordsOf({ state, attempts, dueAt = null, isPaused = false }) {
  const isDue = UNFINISHED.includes(state) && dueAt !== null && dueAt > now.value;
  return [
    STATES[state]?.word ?? state,
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
    ...(isPaused ? ["paused"] : isDue ? [relative(dueAt, now.value)] : []),
  ].join(", ");
}

const SEVERITY = ["dead", "retrying", "waiting", "dropped", "done", "skipped"];

/** What wants attention first. @template {{ readonly state: string }} T @param {readonly T[]} deliveries @returns {readonly T[]} */
export function bySeverity(deliveries) {
  return deliveries.toSorted((a, b) => SEVERITY.indexOf(a.state) - SEVERITY.indexOf(b.state));
}

/** @param {{ row: EventRow, selection?: unknown }} props */
function EventLine({ row, selection = null }) {
  const { first, deliveries } = row;
  const isOpen = deliveries.some(({ state }) => UNFINISHED.includes(state));
  const problem = deliveries.find(({ reason, state }) => reason !== null && state !== "done");
  return markup`<tr role="row" class="event-line" data-open=${isOpen ? row.seq : null}>
    <td role="cell" class="when">${selection}<div><${Time} at=${first.at} /><small class="faint"><${Clock} at=${first.at} /></small></div></td>
    <td role="cell" class="what"><${What} event=${first} /></td>
    <td role="cell" class="who"><${Known} value=${first.name} none="no name" /><small><${Known} value=${first.address} none="no address" /></small></td>
    <td role="cell" class="project"><${Known} value=${first.projectName ?? first.projectId} none="–" limit=${40} /></td>
    <td role="cell" class="told"><div class="chips">${
    bySeverity(deliveries).map((delivery) => markup`<${DeliveryChip} key=${delivery.plugin} delivery=${delivery} />`)
  }</div>${
    problem !== undefined && markup`<small class="reason"><${Label} value=${problem.reason} limit=${160} /></small>`
  }</td>
  </tr>`;
}

/** @param {{ event: FoundDelivery }} props */
function What({ event: { key, kind, subject, origin } }) {
  return markup`<a data-row href=${href("event", { key })}><${KindBadge} kind=${kind} subject=${subject} /></a>${
    origin === "reconcile" && markup`<small class="faint">found by a comparison</small>`
  }`;
}

/** @param {{ value: string | null, none: string, limit?: number }} props */
function Known({ value, none, limit = 100 }) {
  return value === null
    ? markup`<span class="faint">${none}</span>`
    : markup`<${Label} value=${value} limit=${limit} />`;
}

/** What was made of a row: the same again is not compared again, however long the list is. @type {WeakMap<EventRow, unknown>} */
const lines = new WeakMap();

/** @param {EventRow} row */
function lineOf(row) {
  const line = lines.get(row) ?? markup`<${EventLine} key=${row.seq} row=${row} />`;
  lines.set(row, line);
  return line;
}

/** @param {{ rows: readonly EventRow[], label: string, selectionOf?: (row: EventRow) => unknown }} props */
export function EventTable({ rows, label, selectionOf = undefined }) {
  return markup`
    <table class=${`table event-table ${selectionOf === undefined ? "" : "choosing"}`} role="table" aria-label=${label}>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">When</th>
          <th role="columnheader" scope="col">What</th>
          <th role="columnheader" scope="col">Name and address</th>
          <th role="columnheader" scope="col">Project</th>
          <th role="columnheader" scope="col">Told to</th>
        </tr>
      </thead>
      <tbody role="rowgroup">${
    rows.map((row) =>
      selectionOf === undefined
        ? lineOf(row)
        : markup`<${EventLine} key=${row.seq} row=${row} selection=${selectionOf(row)} />`
    )
  }</tbody>
    </table>
  `;
}
