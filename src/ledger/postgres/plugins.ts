import { NEVER_PAUSED, type PauseState, type PluginPause } from "../../model/pause.ts";
import type { Queries } from "./client.ts";
import { original, plain, SEPARATOR } from "./columns.ts";
import { pauseStateOf } from "./pauses.ts";

/** The number of a name that is not in the table: no row has it. */
const UNKNOWN = 0;

/** Table `plugin`: the numbers that stand for plugins' names, and which plugins get new events. */
export class Plugins {
  readonly #queries: Queries;
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<number, string>();
  readonly #pauses = new Map<string, PauseState>();
  #active: readonly number[] = [];

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /** The numbers of the plugins that get a delivery of every new event. */
  get active(): readonly number[] {
    return this.#active;
  }

  of(name: string): number {
    return this.#numbers.get(name) ?? UNKNOWN;
  }

  /** Whether it was ever configured. */
  has(name: string): boolean {
    return this.#numbers.has(name);
  }

  nameOf(number: number): string {
    return this.#names.get(number) ?? "";
  }

  /** Whether it was paused when the table was read last. */
  pauseOf(name: string): PauseState {
    return this.#pauses.get(name) ?? NEVER_PAUSED;
  }

  /** The plugins that were paused when the table was read last, by name. */
  pauses(): ReadonlyMap<string, PluginPause> {
    return new Map([...this.#pauses].flatMap(([name, { paused }]) => paused === null ? [] : [[name, paused] as const]));
  }

  /** Gives numbers to new names, and has these plugins get deliveries. */
  async activate(names: readonly string[]): Promise<void> {
    await this.#queries.rows(ADD, [names.map(plain).join(SEPARATOR)]);
    await this.read();
    this.setActive(names);
  }

  setActive(names: readonly string[]): void {
    this.#active = names.map((name) => this.of(name)).filter((number) => number !== UNKNOWN);
  }

  /** Reads the table. Returns how often operators' commands have changed what waits, by number. */
  async read(): Promise<ReadonlyMap<number, number>> {
    const rows = await this.#queries.rows("SELECT id, name, changes, paused_at, paused_by, resumed_at FROM plugin");
    for (const row of rows) {
      const [number, name] = [Number(row["id"]), original(String(row["name"]))];
      this.#numbers.set(name, number);
      this.#names.set(number, name);
      this.#pauses.set(name, pauseStateOf(row));
    }
    return new Map(rows.map(({ id, changes }) => [Number(id), Number(changes)]));
  }
}

const ADD = `INSERT INTO plugin (name, queued_from)
  SELECT name, (SELECT coalesce(max(seq), 0) + 1 FROM event) FROM unnest(string_to_array($1, E'\\x1e')) AS n (name)
  WHERE NOT EXISTS (SELECT 1 FROM plugin AS p WHERE p.name = n.name) ON CONFLICT (name) DO NOTHING`;
