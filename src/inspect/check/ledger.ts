import { checkServer } from "../../ledger/open_ledger.ts";
import { placeOf } from "../../ledger/place.ts";
import type { Config } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";

/** What the ledger's server says; nothing for a ledger that is a file. */
export async function checkLedgerServer({ ledger }: Config): Promise<readonly Finding[]> {
  try {
    return await checkServer(placeOf(ledger));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [{ level: "error", key: "ledger.postgres", text: error.message }];
  }
}
