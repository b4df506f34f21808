import type { EventSearch } from "../../model/event_search.ts";
import type { PostgresOptions } from "../../model/config.ts";
import type { ProcessList } from "../../model/processes.ts";
import type { ComparisonLedger } from "../../model/comparison_ledger.ts";
import { UserError } from "../../model/errors.ts";
import type { Gap } from "../../model/gap.ts";
import type { Listing } from "../../model/ledger.ts";
import type { Memory, MemoryChanges } from "../../model/memory.ts";
import type {
  LedgerOperations,
  Listed,
  ListFilter,
  OperatorResult,
  PluginState,
  Selection,
  ShownEvent,
} from "../../model/operations.ts";
import type { PluginPause } from "../../model/pause.ts";
import { type PostgresAddress, postgresAddress, shownPostgresUrl } from "../../model/postgres_address.ts";
import { PostgresAuditTrail } from "./audit_trail.ts";
import type { PostgresClient } from "./client.ts";
import { original } from "./columns.ts";
import { Comparisons } from "./comparisons.ts";
import { gapOf } from "./gaps.ts";
import { pausePlugin, readPauses, resumePlugin } from "./pauses.ts";
import { LAST_SEEN, PRUNED_BEFORE } from "./housekeeping.ts";
import { listPages } from "./list_pages.ts";
import { openForCommand } from "./open_client.ts";
import { processList } from "./process_list.ts";
import { dropDeliveries, refusalsOf, replayDeliveries } from "./operator_changes.ts";
import { changeDeliveries } from "./operator_transaction.ts";
import { readOrderHash } from "./order_seed.ts";
import { bringRetriesForward, isConfigured, pluginNumber, pluginStates } from "./plugin_states.ts";
import { primeMemory } from "./prime.ts";
import { LedgerSearch } from "../search/ledger_search.ts";
import { PostgresSearchReader } from "./search.ts";
import { selectedDeliveries } from "./selected_deliveries.ts";
import { showEvent } from "./show.ts";

/**
 * Opens a ledger for an operator's command. Safe beside running services.
 *
 * @throws {UserError} when it cannot be opened.
 */
export async function openOperations(postgres: PostgresOptions): Promise<LedgerOperations> {
  return new PostgresOperations(await openForCommand(postgres), postgresAddress(postgres));
}

class PostgresOperations implements LedgerOperations {
  readonly #client: PostgresClient;
  readonly #address: PostgresAddress;
  readonly comparisons: ComparisonLedger;
  readonly trail: PostgresAuditTrail;
  readonly search: EventSearch;

  constructor(client: PostgresClient, address: PostgresAddress) {
    this.#client = client;
    this.#address = address;
    this.comparisons = new Comparisons(client);
    this.trail = new PostgresAuditTrail(client);
    this.search = new LedgerSearch(new PostgresSearchReader(client));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async plugins(): Promise<readonly string[]> {
    const rows = await this.#client.rows("SELECT name FROM plugin ORDER BY name");
    return rows.map(({ name }) => original(name as string));
  }

  processes(): Promise<ProcessList> {
    return processList(this.#client);
  }

  pluginStates(): Promise<readonly PluginState[]> {
    return pluginStates(this.#client);
  }

  isConfigured(plugin: string): Promise<boolean> {
    return isConfigured(this.#client, plugin);
  }

  serviceSeenAt(): Promise<number | null> {
    return this.#fact(LAST_SEEN);
  }

  async tryNow(plugin: string): Promise<number> {
    const number = await pluginNumber(this.#client, plugin);
    if (number === null) return 0;
    const row = { plugin: number, name: plugin };
    return await changeDeliveries(this.#client, row, (queries) => bringRetriesForward(queries, number));
  }

  pause(plugin: string, by: string): Promise<boolean> {
    return pausePlugin(this.#client, plugin, { at: Date.now(), by });
  }

  resume(plugin: string): Promise<boolean> {
    return resumePlugin(this.#client, plugin, Date.now());
  }

  pauses(): Promise<ReadonlyMap<string, PluginPause>> {
    return readPauses(this.#client);
  }

  async *list(filter: ListFilter): AsyncIterable<readonly Listed[]> {
    yield* listPages(this.#client, filter, await readOrderHash(this.#client));
  }

  show(key: string): Promise<ShownEvent | undefined> {
    return showEvent(this.#client, key);
  }

  async replay(selection: Selection, { force }: { readonly force: boolean }): Promise<readonly OperatorResult[]> {
    const prunedBefore = await this.#fact(PRUNED_BEFORE) ?? 0;
    const results: OperatorResult[] = [];
    for await (const page of selectedDeliveries(this.#client, selection, "replay")) {
      results.push(...await replayDeliveries(this.#client, page, { force, selection, prunedBefore }));
    }
    return results;
  }

  async drop(selection: Selection): Promise<readonly OperatorResult[]> {
    const now = Date.now();
    const results: OperatorResult[] = [];
    for await (const page of selectedDeliveries(this.#client, selection, "drop")) {
      results.push(...await dropDeliveries(this.#client, page, { now }));
    }
    return results;
  }

  async refusals(
    selection: Selection,
    { action, force, limit }: { readonly action: "replay" | "drop"; readonly force: boolean; readonly limit: number },
  ): Promise<readonly OperatorResult[]> {
    const prunedBefore = await this.#fact(PRUNED_BEFORE) ?? 0;
    const results: OperatorResult[] = [];
    for await (const page of selectedDeliveries(this.#client, selection, action)) {
      const wanted = page.slice(0, limit - results.length);
      results.push(...await refusalsOf(this.#client, wanted, { action, force, selection, prunedBefore }));
      if (results.length >= limit) break;
    }
    return results;
  }

  async prime(primer: (memory: Memory) => MemoryChanges): Promise<void> {
    await primeMemory(this.#client, primer, Date.now());
  }

  existingIds(listing: Listing): Promise<readonly string[]> {
    return this.comparisons.existingIds(listing);
  }

  async gaps(): Promise<readonly Gap[]> {
    return (await this.#client.rows("SELECT * FROM gap ORDER BY from_at, seq")).map(gapOf);
  }

  backup(file: string): Promise<void> {
    return Promise.reject(new UserError(`Cannot copy the ledger: it is on PostgreSQL. Run\n  ${this.#dump(file)}`));
  }

  #dump(file: string): string {
    const { schema, usesTls } = this.#address;
    const url = `${shownPostgresUrl(this.#address)}${usesTls ? "?sslmode=verify-full" : ""}`;
    return `pg_dump --format=custom --schema=${schema} --file=${quoted(file)} ${quoted(url)}`;
  }

  async #fact(name: string): Promise<number | null> {
    const [row] = await this.#client.rows("SELECT value FROM fact WHERE name = $1", [name]);
    return row === undefined ? null : Number(row["value"]);
  }
}

/** A word for a shell. */
function quoted(text: string): string {
  return /^[\w./:@?=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
