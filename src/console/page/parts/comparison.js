// @ts-check
// The report of a comparison with OpenStack.
import { count, counted, duration } from "../format.js";
import { href } from "../router.js";
import { markup } from "../ui.js";
import { CHANGES, OUTCOMES, SUBJECTS } from "../words.js";
import { Badge } from "./badge.js";
import { Note } from "./feedback.js";
import { Figure } from "./plugin_table.js";
import { Table } from "./table.js";
import { Label, Text } from "./text.js";
import { FullTime } from "./time.js";

/** @import { ComparisonReport, Difference, Undecided as UndecidedRow } from "../../../model/comparison.ts" */

/** @type {Readonly<Record<string, string>>} */
const LISTINGS = { floatingIps: "floating IPs" };

/** @param {{ report: ComparisonReport, change?: string | undefined }} props `change`: the one kind of differences to show */
export function Comparison({ report, change: shown = undefined }) {
  const {
    outcome,
    problem,
    endedAt,
    startedAt,
    why,
    isFull,
    isPartial,
    drift,
    corrected,
    undecided,
    found,
    differences,
  } = report;
  const look = OUTCOMES[outcome] ?? { word: outcome, tone: "off", icon: "info" };
  const total = Object.values(drift).reduce((sum, each) => sum + each, 0);
  return markup`
    <div class="comparison">
      <dl class="facts panel">
        <div>
          <dt>Outcome</dt>
          <dd>
            <${Badge} tone=${look.tone} icon=${look.icon}>${look.word}<//></dd></div>
          <div><dt>Ended</dt><dd><${FullTime} at=${endedAt} /> <span class="faint">took ${
    duration(endedAt - startedAt)
  }</span></dd></div>
          <div><dt>Why</dt><dd><${Text} value=${why} /></dd></div>
          <div><dt>Read</dt><dd>${
    Object.entries(found).map(([what, number]) => `${count(number)} ${LISTINGS[what] ?? what}`).join(", ")
  }${!isFull && markup`<span class="faint">only servers that have changed</span>`}${
    isPartial && markup`<span class="warn">the account saw less than usual</span>`
  }</dd></div>
          ${
    Object.entries(CHANGES).map(([change, { word, says }]) =>
      markup`
              <div key=${change}>
                <dt title=${says}>${word}</dt>
                <dd><${Figure} value=${drift[/** @type {keyof typeof drift} */ (change)]} tone="warn" to=${
        href("drift", { change })
      } label=${`differences: ${says}`} /></dd>
              </div>
            `
    )
  }
          <div><dt>Corrected silently</dt><dd>${count(corrected)}</dd></div>
          <div><dt>Undecided</dt><dd>${count(undecided)}</dd></div>
        </dl>
        ${
    problem !== null && markup`
          <${Note} tone=${outcome === "failed" ? "bad" : "warn"}>
            <p>
              <${Text} value=${problem} lines />
            </p>
            <//>
        `
  }
        ${differences.length > 0 && markup`<${Differences} rows=${differences} total=${total} change=${shown} />`}
      </div>
  `;
}

/** @type {readonly import("./table.js").Column<Difference>[]} */
const COLUMNS = [
  {
    label: "Difference",
    cell: ({ change }) =>
      markup`<strong>${CHANGES[change]?.word ?? change}</strong><small class="faint">${CHANGES[change]?.says}</small>`,
  },
  {
    label: "Resource",
    cell: ({ subject, id }) =>
      markup`${SUBJECTS[subject] ?? subject} ${
        subject === "server"
          ? markup`<a href=${href("server", { id })}><${Label} value=${id} limit=${80} /></a>`
          : markup`<${Text} value=${id} limit=${80} />`
      }`,
  },
  {
    label: "Name and address",
    cell: ({ name, address }) =>
      markup`<${Text} value=${name ?? "–"} limit=${120} /><small><${Text} value=${
        address ?? ""
      } limit=${60} /></small>`,
  },
  {
    label: "Evidence",
    cell: ({ evidence }) =>
      markup`<ul class="evidence">${
        evidence.map((sentence) =>
          markup`
            <li key=${sentence}>
              <${Text} value=${sentence} />
            </li>
          `
        )
      }</ul>`,
  },
  {
    label: "Events",
    cell: ({ keys }) =>
      markup`<ul class="evidence">${
        keys.map((key) =>
          markup`<li key=${key}><a href=${href("event", { key })}><${Label} value=${key} limit=${100} /></a></li>`
        )
      }</ul>`,
  },
];

/** @param {{ rows: readonly Difference[], total: number, change: string | undefined }} props */
function Differences({ rows, total, change }) {
  const shown = rows.filter((row) => change === undefined || row.change === change);
  return markup`
    <p>${counted(total, "difference")}${total > rows.length ? `, of which the first ${count(rows.length)}` : ""}${
    change !== undefined &&
    markup`; shown: <strong>${CHANGES[change]?.word ?? change}</strong>, ${count(shown.length)}. <a href=${
      href("drift")
    }>Show all</a>`
  }</p>
    <${Table} name="difference-table" label="Differences" columns=${COLUMNS} rows=${shown} keyOf=${(
    /** @type {Difference} */ { change, id },
  ) => `${change} ${id}`} />
  `;
}

/** @param {{ rows: readonly UndecidedRow[] }} props */
export function Undecided({ rows }) {
  return markup`
    <details>
      <summary>${counted(rows.length, "resource")} of which nothing was concluded</summary>
      <ul class="evidence">${
    rows.slice(0, 1000).map(({ subject, id, reason }) =>
      markup`
          <li
            key=${id}>${
        SUBJECTS[subject] ??
          subject
      } <code><${Text} value=${id} limit=${80} /></code>: <${Text} value=${reason} /></li>
        `
    )
  }</ul>
    </details>
  `;
}
