// @ts-check
// The list of events: pages back in time, and what is new. It outlives its screen, so that "back"
// shows it as it was.
import { get, textOf } from "./api.js";
import { queryOf } from "./parts/filters.js";
import { now } from "./session.js";
import { batch, signal } from "./ui.js";

/** @import { EventsAnswer, StatesAnswer } from "../api.ts" */
/** @import { FoundDelivery } from "../../model/event_search.ts" */
/** @typedef {Readonly<Record<string, string>>} Params */

const PAGE = 100;
/** What comes at most at once while live; more: the list is read again. */
const NEW = 200;
/** Rows that are kept while new ones come in. */
const KEPT = 600;

export class EventList {
  rows = signal(/** @type {readonly FoundDelivery[]} */ ([]));
  /** What came meanwhile and is not shown. */
  fresh = signal(/** @type {readonly FoundDelivery[]} */ ([]));
  /** Where to go on; `null`: there is no more. */
  next = signal(/** @type {Readonly<Record<string, string | number>> | null} */ (null));
  searchedTo = signal(/** @type {number | null} */ (null));
  error = signal(/** @type {string | null} */ (null));
  isLoading = signal(false);
  isRead = signal(false);
  #newest = 0;
  #params;
  #isCatchingUp = false;
  #isBehind = false;
  #hasGap = false;

  /** @param {Params} params */
  constructor(params) {
    this.#params = params;
  }

  /** Reads the newest page. */
  async reset() {
    await this.#read({}, (answer) => {
      this.rows.value = answer.rows;
      this.fresh.value = [];
      this.#hasGap = false;
      this.#newest = answer.newest;
      this.#turnPage(answer);
    });
  }

  /** Reads on, back in time. */
  async more() {
    const next = this.next.value;
    if (next === null || this.isLoading.value) return;
    await this.#read(next, (answer) => {
      this.rows.value = united(this.rows.value, answer.rows);
      this.#turnPage(answer);
    });
  }

  /** Whether the list, or what is new, could not be read. */
  get isBehind() {
    return !this.isRead.value || this.#isBehind && !this.#isCatchingUp;
  }

  /**
   * Reads what is new.
   *
   * @param {{ show: boolean }} options `show: false`: it is kept until somebody asks, so that the list does not move
   */
  async catchUp({ show }) {
    if (!this.isRead.value) return void (this.isLoading.value || await this.reset());
    // What comes while an answer is on its way may not be in it: it is asked for once more.
    this.#isBehind = true;
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    try {
      while (this.#isBehind) {
        this.#isBehind = false;
        await this.#readNew();
      }
      if (show) this.showFresh();
    } catch {
      // Asked again in two seconds; the page says when the connection is lost.
      this.#isBehind = true;
    } finally {
      this.#isCatchingUp = false;
    }
  }

  async #readNew() {
    const place = { after: this.#newest, limit: NEW };
    const answer = /** @type {EventsAnswer} */ (await get("events", { ...this.#query(), ...place }));
    // More came than is read at once: there is a gap behind them, so that the list begins anew.
    this.#hasGap ||= answer.next !== null && answer.rows.length >= NEW;
    this.#newest = Math.max(this.#newest, answer.newest);
    this.fresh.value = united(answer.rows, this.fresh.value);
  }

  showFresh() {
    if (this.fresh.value.length === 0) return;
    if (this.#hasGap) return void this.reset();
    batch(() => {
      const rows = united(this.fresh.value, this.rows.value);
      this.fresh.value = [];
      this.rows.value = rows.slice(0, KEPT);
      const last = this.rows.value.at(-1);
      if (rows.length > KEPT && last !== undefined) this.next.value = { until: last.at + 1 };
    });
  }

  /** Asks how these events stand. @param {readonly number[]} seqs */
  async refresh(seqs) {
    if (seqs.length === 0) return;
    try {
      const { rows } = /** @type {StatesAnswer} */ (await get("events/states", { seqs: seqs.slice(0, 500).join(",") }));
      const found = new Map(rows.map((row) => [idOf(row), row]));
      this.rows.value = this.rows.value.map((row) => {
        const newer = found.get(idOf(row));
        return newer === undefined || isSame(row, newer) ? row : newer;
      });
    } catch {
      // Asked again in two seconds.
    }
  }

  #query() {
    return queryOf(this.#params, now.peek());
  }

  /** @param {Readonly<Record<string, string | number>>} place @param {(answer: EventsAnswer) => void} take */
  async #read(place, take) {
    this.isLoading.value = true;
    try {
      const answer = /** @type {EventsAnswer} */ (await get("events", { ...this.#query(), limit: PAGE, ...place }));
      batch(() => {
        take(answer);
        this.error.value = null;
        this.isRead.value = true;
      });
    } catch (error) {
      this.error.value = textOf(error);
    } finally {
      this.isLoading.value = false;
    }
  }

  /** @param {EventsAnswer} answer */
  #turnPage({ next, searchedTo }) {
    this.next.value = next === null ? null : { before: next };
    this.searchedTo.value = searchedTo;
  }
}

/** @param {FoundDelivery} row */
const idOf = ({ seq, plugin }) => `${seq} ${plugin}`;

/** @param {FoundDelivery} a @param {FoundDelivery} b */
const isSame = (a, b) =>
  a.state === b.state && a.attempts === b.attempts && a.dueAt === b.dueAt && a.reason === b.reason;

/** Newer rows, then older ones, each once. @param {readonly FoundDelivery[]} newer @param {readonly FoundDelivery[]} older */
function united(newer, older) {
  const known = new Set(newer.map(idOf));
  return [...newer, ...older.filter((row) => !known.has(idOf(row)))];
}

/** Events whose deliveries are not over, of those that are in sight. @returns {readonly number[]} */
export function unfinishedInSight() {
  return [...document.querySelectorAll("[data-open]")].filter((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  }).map((element) => Number(element.getAttribute("data-open")));
}

/** Lists by their filters, the last few. @type {Map<string, EventList>} */
const lists = new Map();

/** The list of these filters, as it was left or new. @param {Params} params */
export function listOf(params) {
  const id = JSON.stringify(Object.entries(params).sort());
  const list = lists.get(id) ?? new EventList(params);
  lists.delete(id);
  lists.set(id, list);
  if (lists.size > 4) lists.delete([...lists.keys()][0] ?? "");
  return list;
}
