import { RamMemory } from "../../../src/ledger/ram/memory.ts";
import type { Listing } from "../../../src/model/ledger.ts";
import type { MemoryChanges } from "../../../src/model/memory.ts";

type Rows<Name extends keyof MemoryChanges> = Map<string, MemoryChanges[Name][number]>;

/** Memory in RAM that can be copied and listed. */
export class ModelMemory extends RamMemory {
  readonly #servers: Rows<"servers"> = new Map();
  readonly #ports: Rows<"ports"> = new Map();
  readonly #floatingIps: Rows<"floatingIps"> = new Map();

  override apply(changes: MemoryChanges): void {
    super.apply(changes);
    for (const row of changes.servers) replace(this.#servers, row);
    for (const row of changes.ports) replace(this.#ports, row);
    for (const row of changes.floatingIps) replace(this.#floatingIps, row);
  }

  /** The ids of all resources that are not deleted, ascending. */
  existing(listing: Listing): readonly string[] {
    const rows = listing === "servers" ? this.#servers : listing === "ports" ? this.#ports : this.#floatingIps;
    return [...rows.values()].filter(({ deleted }) => !deleted).map(({ id }) => id).toSorted();
  }

  copy(): ModelMemory {
    const memory = new ModelMemory();
    memory.apply({
      servers: [...this.#servers.values()],
      ports: [...this.#ports.values()],
      floatingIps: [...this.#floatingIps.values()],
    });
    return memory;
  }
}

function replace<Row extends { readonly id: string }>(rows: Map<string, Row>, row: Row): void {
  rows.delete(row.id);
  rows.set(row.id, row);
}
