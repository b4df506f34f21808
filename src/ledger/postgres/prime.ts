import type { Memory, MemoryChanges } from "../../model/memory.ts";
import type { PostgresClient, Queries } from "./client.ts";
import { rowValues, singleValues, WRITE_FACTS } from "./facts_statement.ts";
import { MemoryLook } from "./memory_look.ts";
import { retryingDeadlocks } from "./operator_transaction.ts";

/**
 * Stores what was read from OpenStack, beside the service: takes the lease `facts` from whoever has
 * it, who then begins again with an empty cache.
 *
 * @param now Milliseconds since the epoch.
 */
export async function primeMemory(
  client: PostgresClient,
  primer: (memory: Memory) => MemoryChanges,
  now: number,
): Promise<void> {
  await retryingDeadlocks(() =>
    client.transaction(async (queries) => {
      const [lease] = await queries.rows(TAKE);
      const look = new MemoryLook(queries);
      // As the first changes of all: messages tell of later ones.
      await look.look((memory) => look.memory.apply(primer(memory), { seq: 0, now }));
      await write(queries, { look, epoch: Number(lease?.["epoch"]) });
    })
  );
}

async function write(
  queries: Queries,
  { look, epoch }: { readonly look: MemoryLook; readonly epoch: number },
): Promise<void> {
  const none = {
    decidedFrom: null,
    decidedThrough: null,
    decided: null,
    beganAt: null,
    removed: "",
    idle: "",
    bodiless: "",
  };
  await queries.rows(WRITE_FACTS, [
    ...singleValues({ epoch, holder: null, writes: 0, tellsOthers: false, ...none }),
    ...rowValues(look.memory.take()),
  ]);
}

const TAKE = `INSERT INTO lease AS l (name, epoch, taken_at, expires_at)
  VALUES ('facts', 1, clock_timestamp(), clock_timestamp())
  ON CONFLICT (name) DO UPDATE SET epoch = l.epoch + 1, writes = 0, holder = NULL, expires_at = clock_timestamp()
  RETURNING epoch`;
