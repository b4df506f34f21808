import type { FailureReason } from "../../model/errors.ts";
import type {
  DeadGroup,
  EventSearch,
  FoundDelivery,
  SearchPage,
  SearchQuery,
  ServerLife,
} from "../../model/event_search.ts";
import type { ServerMemory } from "../../model/memory.ts";
import { DeadGroups, type DeadLetter } from "./dead_groups.ts";
import { searchPage, type SearchSource, statesOf } from "./search_walk.ts";
import { lifeOf } from "./server_life.ts";

/** What an engine reads for searches. */
export interface SearchReader {
  readonly source: SearchSource;
  /**
   * Dead letters in short pages.
   *
   * @param plugin The name of one plugin, whose letters come oldest event first. @default all
   * @param after Only of events with a greater number.
   */
  deadLetters(which: { readonly plugin?: string; readonly after: number }): AsyncIterable<readonly DeadLetter[]>;
  /** What memory has of a server; `null`: nothing. */
  server(id: string): Promise<ServerMemory | null>;
}

/** Searches in a ledger, whatever its engine. */
export class LedgerSearch implements EventSearch {
  readonly #reader: SearchReader;

  constructor(reader: SearchReader) {
    this.#reader = reader;
  }

  search(query: SearchQuery): Promise<SearchPage> {
    return searchPage(this.#reader.source, query);
  }

  states(seqs: readonly number[]): Promise<readonly FoundDelivery[]> {
    return statesOf(this.#reader.source, seqs);
  }

  async deadGroups(): Promise<readonly DeadGroup[]> {
    const groups = new DeadGroups();
    for await (const page of this.#reader.deadLetters({ after: 0 })) for (const letter of page) groups.add(letter);
    return groups.result;
  }

  async deadKeys(
    { plugin, reason }: { readonly plugin: string; readonly reason?: FailureReason },
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<readonly { readonly seq: number; readonly key: string }[]> {
    const found: { readonly seq: number; readonly key: string }[] = [];
    for await (const page of this.#reader.deadLetters({ plugin, after })) {
      for (const letter of page) {
        if (reason !== undefined && letter.reason !== reason) continue;
        found.push({ seq: letter.seq, key: letter.key });
        if (found.length === limit) return found;
      }
    }
    return found;
  }

  async life(serverId: string): Promise<ServerLife | undefined> {
    return await lifeOf(this.#reader.source, serverId, await this.#reader.server(serverId));
  }

  async newest(): Promise<number> {
    return await this.#reader.source.newestBelow(Number.MAX_SAFE_INTEGER) ?? 0;
  }
}
