import { dirname } from "node:path";
import { ledgerFileOf, placeOf } from "../ledger/place.ts";
import type { Config } from "../model/config.ts";

/** Where the console's secret is: beside the ledger's file, or where that would be. */
export function stateDirectory({ ledger }: Pick<Config, "ledger">): string {
  const place = placeOf(ledger);
  return dirname("file" in place ? place.file : ledgerFileOf());
}
