// @ts-check
// A table; on narrow screens its rows are cards. Roles are written out, because rows that are laid
// out as grids lose them.
import { markup } from "../ui.js";

/**
 * @template T
 * @typedef {{
 *   label: string,
 *   cell: (row: T) => unknown,
 *   align?: "end",
 *   isLabelHidden?: boolean,
 *   className?: string,
 * }} Column
 */

/**
 * @template T
 * @param {{
 *   label: string,
 *   name: string,
 *   columns: readonly Column<T>[],
 *   rows: readonly T[],
 *   keyOf: (row: T) => string,
 *   rowClass?: (row: T) => string,
 * }} props `name`: class of the table, for its columns' widths
 */
export function Table({ label, name, columns, rows, keyOf, rowClass = () => "" }) {
  return markup`
    <table class=${`table ${name}`} role="table" aria-label=${label}>
      <thead role="rowgroup">
        <tr role="row">${
    columns.map((column) =>
      markup`<th role="columnheader" scope="col" class=${column.align ?? ""}><span class=${
        column.isLabelHidden ? "hidden" : ""
      }>${column.label}</span></th>`
    )
  }</tr>
      </thead>
      <tbody role="rowgroup">${
    rows.map((row) =>
      markup`<tr role="row" key=${keyOf(row)} class=${rowClass(row)}>${
        columns.map((column) =>
          markup`<td role="cell" data-label=${column.isLabelHidden ? null : column.label} class=${`${
            column.align ?? ""
          } ${column.className ?? ""}`}><div>${column.cell(row)}</div></td>`
        )
      }</tr>`
    )
  }</tbody>
    </table>
  `;
}
