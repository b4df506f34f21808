import type { LoadedConfig } from "../../config/load_config.ts";
import { checkServer, openOperations } from "../../ledger/open_ledger.ts";
import { placeOf } from "../../ledger/place.ts";
import type { Config } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import { LedgerUnavailable } from "../../model/ledger.ts";
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

/** The configured plugins that are paused; nothing where there is no ledger yet. */
export async function checkPauses(
  { config, pluginNames }: Pick<LoadedConfig, "config" | "pluginNames">,
): Promise<readonly Finding[]> {
  try {
    await using ledger = await openOperations(placeOf(config.ledger));
    const pauses = await ledger.pauses();
    return pluginNames.flatMap((name, index) => {
      const pause = pauses.get(name);
      if (pause === undefined) return [];
      const since = new Date(pause.at).toISOString().slice(0, 16).replace("T", " ");
      const text =
        `paused since ${since} UTC by ${pause.by}: its deliveries wait. oss-watcher plugins resume ${name} goes on`;
      return [{ level: "warning", key: `plugins[${index}] ${name}`, text } as const];
    });
  } catch (error) {
    // Whether the ledger can be used is found out by others.
    if (!(error instanceof UserError) && !(error instanceof LedgerUnavailable)) throw error;
    return [];
  }
}
