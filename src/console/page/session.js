// @ts-check
// What all screens share: who is signed in, the newest overview, and the state of the connection.
import { computed, signal } from "./ui.js";

/** @import { OverviewAnswer, SessionAnswer } from "../api.ts" */

/** `null`: not read yet. */
export const session = signal(/** @type {SessionAnswer | null} */ (null));

/** Why the page may not read; `null`: it may. */
export const signedOut = signal(/** @type {string | null} */ (null));

/** As the stream said last. */
export const overview = signal(/** @type {OverviewAnswer | null} */ (null));

/** `lost` and `refused`: the page tries again by itself. */
export const connection = signal(/** @type {"connecting" | "live" | "lost" | "refused"} */ ("connecting"));

/** Why the service does not tell what is new, while the connection is `refused`. */
export const refusal = signal("");

/** Counts new connections after a lost one: what a screen shows may be old. */
export const reconnections = signal(0);

/** Counts messages about new events. */
export const arrivals = signal(0);

export const isOperator = computed(() => session.value?.role === "operator");

/** Names of all plugins, for filters. */
export const pluginNames = computed(() => overview.value?.plugins.map(({ name }) => name) ?? []);

/** What a screen reader is told. */
export const announcement = signal("");

/** How far the browser's clock is behind the service's, ms. */
const clockOffset = signal(0);

/** The service's time, renewed every second. */
export const now = signal(Date.now());
/** The same, renewed every 15 s and every 5 min: old times need not be written anew each second. */
const nowByQuarterMinutes = computed(() => Math.floor(now.value / 15_000) * 15_000);
const nowByMinutes = computed(() => Math.floor(now.value / 300_000) * 300_000);

setInterval(() => {
  if (!document.hidden) now.value = Date.now() + clockOffset.value;
}, 1000);

/** The service's time, as exact as a text about `at` needs it. @param {number} at */
export function nowFor(at) {
  const age = Math.abs(now.peek() - at);
  if (age < 60_000) return now.value;
  return Math.max(at, age < 3_600_000 ? nowByQuarterMinutes.value : nowByMinutes.value);
}

/** @param {OverviewAnswer} answer */
export function takeOverview(answer) {
  clockOffset.value = answer.now - Date.now();
  now.value = answer.now;
  overview.value = answer;
}
