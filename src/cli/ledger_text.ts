import type { CopyProgress } from "../ledger/copy/copy_ledger.ts";
import type { Digest } from "../ledger/copy/digest.ts";
import { printable } from "../wire/escaping/printable.ts";
import { wrapped } from "./wrapped.ts";

const STEPS = { copy: "Copying", complete: "Completing", verify: "Comparing" } as const;

/** What a copy is at, on one line. */
export function describeProgress({ step, table, rows, share }: CopyProgress): string {
  const percent = share === null ? "" : `, ${Math.min(100, Math.floor(share * 100))} %`;
  return `${STEPS[step]} ${table}: ${inThousands(rows)} rows${percent}`;
}

/** A table of what was copied. */
export function describeCopied(
  { tables }: { readonly tables: ReadonlyMap<string, Digest> },
  { from, to, seconds }: { readonly from: string; readonly to: string; readonly seconds: number },
): string {
  const cells = [
    ["TABLE", "ROWS", "CHECKSUM"],
    ...[...tables].map(([table, { rows, checksum }]) => [table, inThousands(rows), checksum.slice(0, CHECKSUM_SHOWN)]),
  ];
  const [names, counts] = [0, 1].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map(([table, rows, checksum]) =>
    `${table!.padEnd(names!)}  ${rows!.padStart(counts!)}  ${checksum}`
  );
  const total = [...tables.values()].reduce((sum, { rows }) => sum + rows, 0);
  const said = `Copied ${from} to ${to}: ${inThousands(total)} rows in ${seconds.toFixed(1)} s. Both are the same.`;
  return [...lines, "", ...wrapped(printable(said), { indent: 2 })].join("\n");
}

/** Digits of a checksum of SHA-256. */
const CHECKSUM_SHOWN = 16;

function inThousands(count: number): string {
  return count.toLocaleString("en");
}
