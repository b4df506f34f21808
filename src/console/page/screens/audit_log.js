// @ts-check
// Who did what, and when.
import { get, textOf } from "../api.js";
import { counted } from "../format.js";
import { Empty, ErrorNote, Loading } from "../parts/feedback.js";
import { Heading } from "../parts/heading.js";
import { Table } from "../parts/table.js";
import { Text } from "../parts/text.js";
import { FullTime } from "../parts/time.js";
import { Tree } from "../parts/tree.js";
import { reconnections } from "../session.js";
import { markup, useEffect, useState } from "../ui.js";

/** @import { AuditLogAnswer } from "../../api.ts" */
/** @typedef {AuditLogAnswer["records"][number]} AuditRecord */

const PAGE = 100;

/** @type {readonly import("../parts/table.js").Column<AuditRecord>[]} */
const COLUMNS = [
  { label: "When", cell: ({ at }) => markup`<${FullTime} at=${at} />` },
  { label: "Who", cell: ({ who }) => markup`<${Text} value=${who} limit=${120} />`, className: "name" },
  { label: "Action", cell: ({ action }) => markup`<code>${action}</code>` },
  { label: "What", cell: ({ what }) => markup`<${Text} value=${what} limit=${240} />` },
  {
    label: "Details",
    cell: ({ details }) =>
      isEmpty(details) ? markup`<span class="faint">–</span>` : markup`
        <details>
          <summary data-row>Details</summary>
          <${Tree} value=${details} open=${2} />
        </details>
      `,
  },
];

/** @param {unknown} details */
const isEmpty = (details) => details === null || (typeof details === "object" && Object.keys(details).length === 0);

export function AuditLog() {
  const [records, setRecords] = useState(/** @type {readonly AuditRecord[] | null} */ (null));
  const [next, setNext] = useState(/** @type {number | null} */ (null));
  const [error, setError] = useState(/** @type {string | null} */ (null));
  const read = async (/** @type {number | null} */ before) => {
    try {
      const answer = /** @type {AuditLogAnswer} */ (await get("audit-log", { before, limit: PAGE }));
      setRecords((known) => before === null ? answer.records : [...known ?? [], ...answer.records]);
      setNext(answer.next);
      setError(null);
    } catch (thrown) {
      setError(textOf(thrown));
    }
  };
  useEffect(() => void read(null), [reconnections.value]);
  return markup`<${Heading} title="Audit log"><button type="button" onClick=${() => read(null)}>Read again</button><//>
    <p class="lead">What operators did, here and by commands, newest first. The same: <code>oss-watcher audit-log</code>.</p>
    <${ErrorNote} text=${error} retry=${() => read(null)} />
    ${records === null && error === null && markup`<${Loading} />`}
    ${
    records?.length === 0 && markup`
      <${Empty} title="Nobody has done anything yet.">
        <p>Replays, drops, pauses and comparisons are written here before they begin.</p>
        <//>
    `
  }
    ${
    records !== null && records.length > 0 &&
    markup`<${Table} name="audit-table" label="Audit log" columns=${COLUMNS} rows=${records} keyOf=${(
      /** @type {AuditRecord} */ { seq },
    ) => String(seq)} />`
  }
    ${
    next !== null &&
    markup`<div class="end"><p>${
      counted(records?.length ?? 0, "entry", "entries")
    } shown.</p><button type="button" onClick=${() => read(next)}>Show older</button></div>`
  }`;
}
