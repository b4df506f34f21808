import { kindOf } from "../../model/event.ts";
import type { FoundDelivery, SearchPage, SearchPlace, SearchQuery } from "../../model/event_search.ts";
import { foundDelivery, searchedEvent, type SearchRow } from "./search_row.ts";
import { hasText, type TextQuery, textQuery } from "./text_query.ts";

/** Deliveries of events from one number on, before a place. */
export interface SearchRange {
  readonly from: number;
  readonly before: SearchPlace;
}

/** What a search reads from a ledger. */
export interface SearchSource {
  /** The numbers of the first and the last event that may be in the time of a query. */
  bounds(query: Pick<SearchQuery, "since" | "until">): Promise<{ readonly from: number; readonly to: number }>;
  /** The greatest number of an event below this one; `null`: there is none. */
  newestBelow(seq: number): Promise<number | null>;
  /**
   * The numbers of all events below a number that an index knows to have a text perhaps, the greatest
   * first, at most `limit`; `null`: no index knows, or there are too many.
   */
  candidates(
    text: Exclude<TextQuery, { readonly by: "content" }>,
    range: { readonly from: number; readonly below: number; readonly limit: number },
  ): Promise<readonly number[] | null>;
  /**
   * The numbers of events in a range that may pass by the text, kind and subject, the greatest first, at
   * most `limit`.
   */
  eventsWith(query: EventsQuery): Promise<readonly number[]>;
  /** Deliveries that pass the filters, newest first; SQL may let more pass by the text, kind and subject. */
  rows(query: RowQuery): Promise<readonly SearchRow[]>;
  /** When the first event from this number on was decided; `null`: there is none. */
  decidedAt(from: number): Promise<number | null>;
}

/** Which rows are read. */
export interface RowQuery extends SearchRange {
  readonly filter: SearchQuery;
  readonly text: TextQuery | null;
  /** Only of these events. @default of all */
  readonly events?: readonly number[];
  readonly limit: number;
}

/** Which events are looked for. */
export interface EventsQuery extends Pick<SearchQuery, "kind" | "subject"> {
  readonly from: number;
  readonly below: number;
  readonly text: TextQuery | null;
  readonly limit: number;
}

/** States that few deliveries are in: an index finds these. */
const RARE = ["waiting", "retrying", "dead", "dropped"];

/** A page is returned after this time, whatever it has found. */
const PAGE_MS = 80;

/** Events of the first slice; further ones are as large as they are fast. */
const FIRST_SLICE = 512;
const MAX_SLICE = 1 << 20;

/** The same where events are read: what is not in the computer's memory takes ten times as long. */
const MAX_EVENTS = 4096;

/** A slice shall take so long. */
const SLICE_MS = 25;

/** Rows that are read at once: each is parsed, whether it is found or not. */
const MAX_ROWS = 100;

/** Events of one look at an index. */
const MAX_CANDIDATES = 1000;

/** The most rows of a page. */
export const MAX_LIMIT = 500;

/** Searches a ledger, newest first: back in slices of events, or through those that an index knows. */
export async function searchPage(
  source: SearchSource,
  query: SearchQuery,
  passedMs: () => number = () => performance.now(),
): Promise<SearchPage> {
  return await new Walk(source, query, passedMs).page();
}

/** All deliveries of these events, newest first. */
export async function statesOf(source: SearchSource, seqs: readonly number[]): Promise<readonly FoundDelivery[]> {
  const found: FoundDelivery[] = [];
  if (seqs.length === 0) return found;
  const filter = { limit: MAX_ROWS };
  const from = Math.min(...seqs);
  for (let before: SearchPlace = { seq: Math.max(...seqs) + 1, plugin: 0 };;) {
    const rows = await source.rows({ from, before, filter, text: null, events: seqs, limit: MAX_ROWS });
    for (const row of rows) found.push(foundDelivery(row, searchedEvent(row)));
    const last = rows.at(-1);
    if (last === undefined || rows.length < MAX_ROWS) return found;
    before = { seq: last.seq, plugin: last.plugin };
  }
}

class Walk {
  readonly #source: SearchSource;
  readonly #query: SearchQuery;
  readonly #text: TextQuery | null;
  readonly #passedMs: () => number;
  readonly #startedMs: number;
  readonly #limit: number;
  readonly #rows: FoundDelivery[] = [];
  /** All before it, which is newer, was looked at. */
  #place: SearchPlace;

  constructor(source: SearchSource, query: SearchQuery, passedMs: () => number) {
    this.#source = source;
    this.#query = query;
    this.#text = textQuery(query.text ?? "");
    this.#passedMs = passedMs;
    this.#startedMs = passedMs();
    this.#limit = Math.max(1, Math.min(query.limit, MAX_LIMIT));
    this.#place = query.before ?? { seq: Number.MAX_SAFE_INTEGER, plugin: 0 };
  }

  async page(): Promise<SearchPage> {
    const bounds = await this.#source.bounds(this.#query);
    const from = Math.max(bounds.from, (this.#query.after ?? -1) + 1);
    if (this.#place.seq > bounds.to) this.#place = { seq: bounds.to + 1, plugin: 0 };
    const isEnd = await this.#throughIndex(from) ?? await this.#throughSlices(from);
    if (isEnd) return { rows: this.#rows, next: null, searchedTo: null };
    const searchedTo = await this.#source.decidedAt(this.#place.seq);
    return searchedTo === null
      ? { rows: this.#rows, next: null, searchedTo: null }
      : { rows: this.#rows, next: this.#place, searchedTo };
  }

  /** Returns whether it came to the end; `null`: no index knows the events. */
  async #throughIndex(from: number): Promise<boolean | null> {
    if (this.#text === null || this.#text.by === "content") return null;
    for (let isFirst = true;; isFirst = false) {
      const range = { from, below: this.#below, limit: MAX_CANDIDATES };
      const events = await this.#source.candidates(this.#text, range);
      if (events === null) return isFirst ? null : false;
      const [oldest] = events.slice(-1);
      if (oldest === undefined) return true;
      if (!await this.#through({ from: oldest }, events)) return false;
      if (events.length < MAX_CANDIDATES) return true;
    }
  }

  /** Returns whether it came to the end. */
  async #throughSlices(from: number): Promise<boolean> {
    const most = this.#looksForEvents ? MAX_EVENTS : MAX_SLICE;
    for (let size = FIRST_SLICE;;) {
      const newest = await this.#source.newestBelow(this.#below);
      if (newest === null || newest < from) return true;
      const startedMs = this.#passedMs();
      const range = { from: Math.max(from, newest - size + 1) };
      if (!await (this.#looksForEvents ? this.#throughEvents(range) : this.#through(range))) return false;
      if (this.#isOver()) return false;
      const tookMs = this.#passedMs() - startedMs;
      if (tookMs < SLICE_MS / 2) size = Math.min(size * (tookMs < SLICE_MS / 5 ? 4 : 2), most);
      else if (tookMs > SLICE_MS * 2) size = Math.max(size >> 1, FIRST_SLICE);
    }
  }

  /** Whether the events are looked for first: what they say decides more than the states of deliveries. */
  get #looksForEvents(): boolean {
    return this.#isFilteredHere && !RARE.includes(this.#query.state ?? "");
  }

  /** As {@linkcode #through}. */
  async #throughEvents({ from }: Pick<SearchRange, "from">): Promise<boolean> {
    const { kind, subject } = this.#query;
    for (;;) {
      const events = await this.#source.eventsWith({
        from,
        below: this.#below,
        ...(kind === undefined ? {} : { kind }),
        ...(subject === undefined ? {} : { subject }),
        text: this.#text,
        limit: MAX_ROWS,
      });
      const [oldest] = events.slice(-1);
      if (oldest !== undefined && !await this.#through({ from: oldest }, events)) return false;
      if (events.length < MAX_ROWS) {
        this.#place = { seq: from, plugin: 0 };
        return true;
      }
      if (this.#isOver()) return false;
    }
  }

  /** Goes through a range. Returns whether it was finished: the page may be full, or its time over. */
  async #through({ from }: Pick<SearchRange, "from">, events?: readonly number[]): Promise<boolean> {
    for (;;) {
      const left = this.#limit - this.#rows.length;
      const limit = this.#isFilteredHere ? MAX_ROWS : Math.min(left, MAX_ROWS);
      const rows = await this.#source.rows({
        from,
        before: this.#place,
        filter: this.#query,
        text: this.#text,
        ...(events === undefined ? {} : { events }),
        limit,
      });
      for (const row of rows) {
        this.#take(row);
        this.#place = { seq: row.seq, plugin: row.plugin };
        if (this.#rows.length === this.#limit) return false;
      }
      if (rows.length < limit) {
        this.#place = { seq: from, plugin: 0 };
        return true;
      }
      if (this.#isOver()) return false;
    }
  }

  /** Whether some of the rows that SQL selects are left out. */
  get #isFilteredHere(): boolean {
    const { kind, subject } = this.#query;
    return this.#text !== null || kind !== undefined || subject !== undefined;
  }

  #take(row: SearchRow): void {
    const { kind, subject } = this.#query;
    const searched = searchedEvent(row);
    if (kind !== undefined && kindOf(searched.event) !== kind) return;
    if (subject !== undefined && searched.event.subject !== subject) return;
    if (this.#text !== null && !hasText(this.#text, searched)) return;
    this.#rows.push(foundDelivery(row, searched));
  }

  /** Events below this number are still to be looked at. */
  get #below(): number {
    const { seq, plugin } = this.#place;
    return plugin > 0 ? seq + 1 : seq;
  }

  #isOver(): boolean {
    return this.#passedMs() - this.#startedMs >= PAGE_MS;
  }
}
