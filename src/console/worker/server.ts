import type { ServerAnswer } from "../api.ts";
import type { LifeEvent } from "../../model/event_search.ts";
import { withShortTexts } from "./short_texts.ts";
import { Refused, type WorkerContext, type WorkerRequest } from "./worker_context.ts";

/** The life of one server, and what each plugin was told of it last. */
export async function getServer({ query }: WorkerRequest, { withLedger }: WorkerContext): Promise<ServerAnswer> {
  return await withLedger(async (ledger) => {
    const life = await ledger.search.life(String(query["id"]));
    if (life === undefined) {
      throw new Refused(404, "Cannot find the server: the ledger has neither memory nor events of it");
    }
    const told = await Promise.all(
      pluginsOf(life.events).map(async (plugin) => {
        const last = lastTold(life.events, plugin);
        if (last === undefined) return { plugin, key: null, at: null, detail: null };
        return { plugin, ...last, detail: (await ledger.show(last.key))?.detail ?? null };
      }),
    );
    return { ...life, events: withShortTexts(life.events), told };
  });
}

function pluginsOf(events: readonly LifeEvent[]): readonly string[] {
  return [...new Set(events.flatMap(({ deliveries }) => deliveries.map(({ plugin }) => plugin)))].sort();
}

/** The newest event that was delivered to a plugin. */
function lastTold(events: readonly LifeEvent[], plugin: string): { key: string; at: number | null } | undefined {
  for (const { key, deliveries } of events.toReversed()) {
    const done = deliveries.find((delivery) => delivery.plugin === plugin && delivery.state === "done");
    if (done !== undefined) return { key, at: done.finishedAt };
  }
  return undefined;
}
