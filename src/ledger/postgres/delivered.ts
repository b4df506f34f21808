import type { PostgresOptions } from "../../model/config.ts";
import type { DeliveredLedger, DeliveryRecord, Redelivery } from "../../model/delivered.ts";
import type { Detail } from "../../model/detail.ts";
import { toldDetail } from "../../model/following.ts";
import type { FloatingIpMemory, ServerMemory } from "../../model/memory.ts";
import type { OperatorResult } from "../../model/operations.ts";
import { storedEvent } from "../recent_events.ts";
import type { PostgresClient, Row } from "./client.ts";
import { arrayOf, numbersOf, original, plain, SEPARATOR } from "./columns.ts";
import { DELIVERIES } from "./delivery_states.ts";
import { openForCommand } from "./open_client.ts";
import { pluginNumber } from "./plugin_states.ts";
import { redeliver } from "./redelivery.ts";
import { ToldDetails } from "./told.ts";

/** Deliveries of one page. */
const PAGE = 1000;

/**
 * Opens a ledger for `audit`. Safe beside running services.
 *
 * @throws {UserError} when it cannot be opened.
 */
export async function openDelivered(postgres: PostgresOptions): Promise<DeliveredLedger> {
  return new PostgresDelivered(await openForCommand(postgres));
}

class PostgresDelivered implements DeliveredLedger {
  readonly #client: PostgresClient;

  constructor(client: PostgresClient) {
    this.#client = client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async *deliveries(plugin: string): AsyncIterable<readonly DeliveryRecord[]> {
    const number = await pluginNumber(this.#client, plugin) ?? UNKNOWN;
    for (let after = 0;;) {
      const rows = await this.#client.rows(RECORDS, [number, after]);
      yield rows.map(recordOf);
      after = Number(rows.at(-1)?.["seq"]);
      if (rows.length < PAGE) return;
    }
  }

  async details(plugin: string, seqs: readonly number[]): Promise<ReadonlyMap<number, Detail>> {
    const number = await pluginNumber(this.#client, plugin) ?? UNKNOWN;
    const told = new ToldDetails(this.#client);
    const details = new Map<number, Detail>();
    for (const row of await this.#client.rows(DETAILS, [arrayOf(seqs)])) {
      const [seq, event] = [Number(row["seq"]), storedEvent(row["data"])];
      const detail: Detail = JSON.parse(row["detail"] as string);
      if (event.updates === undefined || event.updated) details.set(seq, detail);
      else {
        const before = await told.before(number, { ...event, seq });
        details.set(seq, toldDetail({ detail, before }, { subject: event.subject, following: null }));
      }
    }
    return details;
  }

  async orderKeys(seqs: readonly number[]): Promise<ReadonlyMap<number, readonly number[]>> {
    const rows = await this.#client.rows(ORDER_KEYS, [arrayOf(seqs)]);
    return new Map(rows.map(({ seq, order_keys }) => [Number(seq), numbersOf(order_keys)]));
  }

  servers(ids: readonly string[]): Promise<ReadonlyMap<string, ServerMemory>> {
    return this.#remembered("server", ids);
  }

  floatingIps(ids: readonly string[]): Promise<ReadonlyMap<string, FloatingIpMemory>> {
    return this.#remembered("floatingip", ids);
  }

  redeliver(redelivery: Redelivery): Promise<readonly OperatorResult[]> {
    return redeliver(this.#client, redelivery);
  }

  async #remembered<Remembered extends { readonly id: string }>(
    table: "server" | "floatingip",
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Remembered>> {
    const sql = `SELECT data FROM ${table} WHERE id = ANY(string_to_array($1, E'\\x1e'))`;
    const rows = await this.#client.rows(sql, [ids.map(plain).join(SEPARATOR)]);
    return new Map(rows.map(({ data }) => {
      const remembered: Remembered = JSON.parse(data as string);
      return [remembered.id, remembered];
    }));
  }
}

/** The number of a plugin that is not known: no row has it. */
const UNKNOWN = 0;

function recordOf(row: Row): DeliveryRecord {
  const { subject, created, serverId } = storedEvent(row["data"]);
  const finishedAt = row["finished_at"];
  return {
    seq: Number(row["seq"]),
    key: original(row["key"] as string),
    subject,
    created,
    serverId,
    state: finishedAt === null ? "unfinished" : row["state"] as DeliveryRecord["state"],
    finishedAt: finishedAt === null ? null : Number(finishedAt),
  };
}

/** Without updates that had nothing to tell. */
const RECORDS = `SELECT e.seq, e.key, e.data, d.state, d.finished_at FROM ${DELIVERIES}
  WHERE w.plugin = $1::integer AND e.seq > $2::bigint AND (d.seq IS NULL OR NOT (d.state = 'done' AND d.attempts = 0))
  ORDER BY e.seq LIMIT ${PAGE}`;

const DETAILS =
  "SELECT seq, data, detail FROM event WHERE seq = ANY($1::text::bigint[]) AND detail IS NOT NULL ORDER BY seq";

const ORDER_KEYS = "SELECT seq, order_keys::text FROM event WHERE seq = ANY($1::text::bigint[])";
