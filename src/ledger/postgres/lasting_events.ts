import { creationKey, deletionKey, updateKey, updateKeys } from "../../model/event_key.ts";
import type { FloatingIpMemory, ServerMemory } from "../../model/memory.ts";
import { storedEvent } from "../recent_events.ts";
import type { Queries } from "./client.ts";
import { Columns, original, plain, SEPARATOR, unnested } from "./columns.ts";
import { DELIVERIES, wasTold } from "./delivery_states.ts";

/** An event whose every delivery ended long ago. */
export interface EndedEvent {
  readonly seq: number;
  readonly key: string;
  /** Column `data`. */
  readonly data: string;
}

/** What the key of an event says. */
type Subject =
  | { readonly is: "creation"; readonly serverId: string }
  | { readonly is: "update"; readonly serverId: string; readonly number: number }
  | { readonly is: "association"; readonly floatingIpId: string }
  | { readonly is: "end"; readonly floatingIpId: string; readonly serverId: string };

type Ended<Kind extends Subject["is"]> = EndedEvent & { readonly subject: Extract<Subject, { readonly is: Kind }> };

/**
 * Which events say what targets hold of a resource that exists, so that they outlive
 * `ledger.keepDays`. `audit` compares targets with these events:
 *
 * - the creation of a server that is not deleted, or whose deletion is not delivered yet;
 * - its last update, and the last one that each plugin was told;
 * - the beginning of a floating IP's current association, or of one whose end is not delivered yet:
 *   whether that is told depends on whether the beginning was;
 * - the end of an association, if the creation of its server, or the server's last update, lists the
 *   floating IP and the server is not deleted: these alone would say that the server still has it.
 *
 * Returns their numbers.
 */
export async function lastingEvents(queries: Queries, events: readonly EndedEvent[]): Promise<ReadonlySet<number>> {
  const ended = events.flatMap((event) => {
    const subject = subjectOf(event);
    return subject === null ? [] : [{ ...event, subject }];
  });
  const of = <Kind extends Subject["is"]>(kind: Kind) =>
    ended.filter(({ subject }) => subject.is === kind) as unknown as Ended<Kind>[];
  const known = await knownServers(
    queries,
    ended.flatMap(({ subject }) => "serverId" in subject ? [subject.serverId] : []),
  );
  const existing = <Item extends Ended<"creation" | "update" | "end">>(items: readonly Item[]) =>
    items.filter(({ subject }) => known.has(subject.serverId));
  return new Set([
    ...existing(of("creation")).map(({ seq }) => seq),
    ...await lastUpdates(queries, existing(of("update")), known),
    ...await currentAssociations(queries, of("association")),
    ...await listedEnds(queries, existing(of("end")), known),
  ]);
}

function subjectOf({ key, data }: EndedEvent): Subject | null {
  const [, server, what, number] = /^server\/(.*)\/(creation|update\/(\d+))$/s.exec(key) ?? [];
  if (server !== undefined) {
    return what === "creation"
      ? { is: "creation", serverId: server }
      : { is: "update", serverId: server, number: Number(number) };
  }
  const [, floatingIpId, end] = /^floatingip\/(.*)\/\d+\/(creation|deletion)$/s.exec(key) ?? [];
  if (floatingIpId === undefined) return null;
  if (end === "creation") return { is: "association", floatingIpId };
  const { serverId } = storedEvent(data);
  return serverId === null ? null : { is: "end", floatingIpId, serverId };
}

/** The servers that targets hold, or will be told the deletion of by what they were told before. */
async function knownServers(
  queries: Queries,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ServerMemory>> {
  if (ids.length === 0) return new Map();
  const rows = await queries.rows(SERVERS, [joined([...new Set(ids)])]);
  const servers = rows.map(({ data }) => JSON.parse(data as string) as ServerMemory);
  const deleted = servers.filter(({ deleted }) => deleted);
  const untold = await undelivered(queries, deleted.map(({ id }) => deletionKey(id)));
  return new Map(
    servers.filter(({ id, deleted }) => !deleted || untold.has(deletionKey(id))).map((server) => [server.id, server]),
  );
}

/** Of these keys, those of events that a plugin will perhaps be told of. */
async function undelivered(queries: Queries, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = keys.length === 0 ? [] : await queries.rows(UNDELIVERED, [joined(keys)]);
  return new Set(rows.map(({ key }) => original(key as string)));
}

/** The last updates of servers, and the last ones that some plugin was told: its later events build on them. */
async function lastUpdates(
  queries: Queries,
  updates: readonly Ended<"update">[],
  servers: ReadonlyMap<string, ServerMemory>,
): Promise<readonly number[]> {
  const isLast = ({ subject: { serverId, number } }: Ended<"update">) =>
    number >= (servers.get(serverId)?.updates ?? Infinity);
  const earlier = new Columns(3);
  for (const { seq, subject } of updates.filter((update) => !isLast(update))) {
    const { from, to } = updateKeys(subject.serverId);
    earlier.add(seq, plain(from), plain(to));
  }
  const told = earlier.size === 0 ? [] : await queries.rows(LAST_TOLD, earlier.texts);
  return [...updates.filter(isLast).map(({ seq }) => seq), ...told.map(({ seq }) => Number(seq))];
}

async function currentAssociations(
  queries: Queries,
  associations: readonly Ended<"association">[],
): Promise<readonly number[]> {
  if (associations.length === 0) return [];
  const rows = await queries.rows(FLOATING_IPS, [joined(associations.map(({ subject }) => subject.floatingIpId))]);
  const current = new Set(rows.flatMap(({ data }) => {
    const { id, association, transitions }: FloatingIpMemory = JSON.parse(data as string);
    return association === null ? [] : [`floatingip/${id}/${transitions}/creation`];
  }));
  const ends = await undelivered(queries, associations.map(({ key }) => endOf(key)));
  return associations.filter(({ key }) => current.has(key) || ends.has(endOf(key))).map(({ seq }) => seq);
}

/** The key of the end of an association, by that of its beginning. */
function endOf(key: string): string {
  const [, path, number] = /^(.*)\/(\d+)\/creation$/s.exec(key) ?? [];
  return `${path}/${Number(number) + 1}/deletion`;
}

/** The ends of associations with floating IPs that the detail of the server's creation or last update lists. */
async function listedEnds(
  queries: Queries,
  ends: readonly Ended<"end">[],
  servers: ReadonlyMap<string, ServerMemory>,
): Promise<readonly number[]> {
  if (ends.length === 0) return [];
  const columns = new Columns(3);
  for (const { seq, subject: { floatingIpId, serverId } } of ends) {
    // As JSON has it in its strings.
    const listed = JSON.stringify(floatingIpId).slice(1, -1);
    columns.add(seq, plain(creationKey(serverId)), listed);
    const { updates } = servers.get(serverId) ?? {};
    if (updates !== undefined) columns.add(seq, plain(updateKey(serverId, updates)), listed);
  }
  return (await queries.rows(LISTED, columns.texts)).map(({ seq }) => Number(seq));
}

function joined(texts: readonly string[]): string {
  return texts.map(plain).join(SEPARATOR);
}

const SERVERS = "SELECT data FROM server WHERE id = ANY(string_to_array($1, E'\\x1e'))";

const FLOATING_IPS = "SELECT data FROM floatingip WHERE id = ANY(string_to_array($1, E'\\x1e'))";

const UNDELIVERED = `SELECT DISTINCT e.key FROM ${DELIVERIES}
  WHERE e.key = ANY(string_to_array($1, E'\\x1e')) AND (d.seq IS NULL OR d.state IN ('open', 'dead'))`;

const LAST_TOLD = `SELECT DISTINCT r.seq FROM ${unnested(1, ["bigint", "text", "text"])} AS r (seq, first, beyond)
  JOIN delivery AS d ON d.seq = r.seq AND ${wasTold("d")}
  WHERE NOT EXISTS (SELECT 1 FROM event AS l JOIN delivery AS t ON t.seq = l.seq AND t.plugin = d.plugin AND ${
  wasTold("t")
} WHERE l.key > r.first AND l.key < r.beyond AND l.seq > r.seq)`;

const LISTED = `SELECT DISTINCT r.seq FROM ${unnested(1, ["bigint", "text", "text"])} AS r (seq, key, listed)
  JOIN event AS e ON e.key = r.key WHERE position(r.listed IN e.detail) > 0`;
