// Stands in for what the branch h-ledger adds to LedgerOperations. It goes with the merge.
import type { EventSearch, FoundDelivery, SearchQuery } from "../../model/event_search.ts";
import type { LedgerOperations, OperatorResult, Selection } from "../../model/operations.ts";

interface Additions {
  readonly search: EventSearch;
  refusals(
    selection: Selection,
    wanted: { readonly action: "replay" | "drop"; readonly force: boolean },
  ): Promise<readonly OperatorResult[]>;
}

export type ConsoleLedger = LedgerOperations & Additions;

export function withFallbacks(ledger: LedgerOperations): ConsoleLedger {
  if ("search" in ledger) return ledger as ConsoleLedger;
  const rows = async (query: Partial<SearchQuery> & { readonly limit: number }): Promise<readonly FoundDelivery[]> => {
    const found: FoundDelivery[] = [];
    const { text, plugin, state, since, limit } = query;
    const filter = {
      ...(text ? { resource: text } : {}),
      ...(plugin === undefined ? {} : { plugin }),
      ...(state === undefined ? {} : { state }),
      ...(since === undefined ? {} : { since }),
      limit: 10_000,
    };
    for await (const page of ledger.list(filter)) {
      for (const one of page) {
        if (one.plugin === null) continue;
        const { 0: subject = "", 1: id = "" } = one.key.split("/");
        const kind = one.key.includes("/update/") ? "update" : one.key.endsWith("deletion") ? "deletion" : "creation";
        const seq = Math.floor(one.at);
        found.push({
          ...one,
          plugin: one.plugin,
          seq,
          kind,
          subject: subject as "server",
          serverId: subject === "server" ? id : null,
          projectId: null,
          projectName: null,
          finishedAt: null,
        });
      }
    }
    return found.filter((row) => query.kind === undefined || row.kind === query.kind)
      .filter((row) => query.after === undefined || row.seq > query.after)
      .filter((row) => query.before === undefined || row.seq < query.before.seq)
      .slice(0, limit);
  };
  const search: EventSearch = {
    async search(query) {
      const found = await rows(query);
      const last = found.at(-1);
      const hasMore = found.length === query.limit && last !== undefined;
      return { rows: found, next: hasMore ? { seq: last.seq, plugin: 0 } : null, searchedTo: last?.at ?? null };
    },
    async states(seqs) {
      return (await rows({ limit: 10_000 })).filter(({ seq }) => seqs.includes(seq));
    },
    async deadGroups() {
      const groups = Map.groupBy(await rows({ state: "dead", limit: 10_000 }), ({ plugin }) => plugin);
      return [...groups].map(([plugin, all]) => ({
        plugin,
        reason: "permanent" as const,
        count: all.length,
        oldestAt: all.at(-1)!.at,
        newestAt: all[0]!.at,
        sampleError: all[0]!.reason ?? "",
        sampleKey: all[0]!.key,
      }));
    },
    async deadKeys({ plugin }, { after, limit }) {
      const dead = (await rows({ state: "dead", plugin, after, limit: 10_000 })).toReversed();
      return dead.slice(0, limit).map(({ seq, key }) => ({ seq, key }));
    },
    async life(id) {
      const events = (await rows({ limit: 10_000 })).filter(({ serverId }) => serverId === id).toReversed();
      if (events.length === 0) return undefined;
      return {
        id,
        name: events.at(-1)!.name,
        projectId: null,
        projectName: null,
        exists: null,
        events: events.map(({ seq, key, subject, kind, at, address, origin, plugin, state, attempts, finishedAt }) => ({
          seq,
          key,
          subject,
          kind,
          at,
          time: new Date(at).toISOString(),
          address,
          origin,
          deliveries: [{ plugin, state: state as "done", attempts, finishedAt }],
        })),
        isCut: false,
      };
    },
    async newest() {
      return (await rows({ limit: 1 }))[0]?.seq ?? 0;
    },
  };
  return Object.assign(ledger, {
    search,
    refusals: ({ keys = [], plugin = "" }: Selection) =>
      Promise.resolve(keys.map((key) => ({ key, plugin, refused: null }))),
  });
}
