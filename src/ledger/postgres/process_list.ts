import type { ProcessList, ProcessState } from "../../model/processes.ts";
import type { Queries } from "./client.ts";
import { COPY_LEASE } from "./copy_lease.ts";
import { differencesOf } from "./differences.ts";
import { look, type SeenProcess } from "./lease_table.ts";

/** Reads which processes share the ledger, and what each does. */
export async function processList(queries: Queries): Promise<ProcessList> {
  const { processes, leases } = await look(queries);
  const [first] = processes.filter(({ isLiving }) => isLiving);
  return {
    processes: processes.map((process) => ({
      name: process.name,
      version: process.version,
      state: stateOf(process),
      startedMsAgo: process.startedMsAgo,
      seenMsAgo: process.seenMsAgo,
      plugins: process.plugins,
      leases: leases.filter(({ holder }) => holder === process.id).map(({ name, takenMsAgo }) => ({
        name,
        heldMs: takenMsAgo,
      })),
    })),
    free: leases.filter(({ name, holder }) => holder === null && name !== COPY_LEASE).map(({ name }) => name),
    differences: first === undefined
      ? []
      : differencesOf(first, processes).map((text) => `Compared with "${first.name}": ${text}`),
  };
}

function stateOf({ isLiving, isStopped }: SeenProcess): ProcessState["state"] {
  if (isLiving) return "running";
  return isStopped ? "stopped" : "silent";
}
