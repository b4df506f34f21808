// @ts-check
// The address of what is shown: `#/events?plugin=RestNotify`. It has all filters, so that a link
// shows the same to somebody else, and that back and forward work.
import { signal } from "./ui.js";

/** @typedef {{ screen: string, name: string | null, params: Readonly<Record<string, string>>, hash: string }} Route */

/** @typedef {Readonly<Record<string, string | number | null | undefined>>} Params */

/** @param {string} hash @returns {Route} */
function parseHash(hash) {
  const [path = "", query = ""] = split(hash.replace(/^#\/?/, ""), "?");
  const [screen = "", name = ""] = split(path, "/");
  return {
    screen: screen === "" ? "overview" : screen,
    name: name === "" ? null : decoded(name),
    params: Object.fromEntries(new URLSearchParams(query)),
    hash: hash === "" ? "#/" : hash,
  };
}

/** @param {string} text @param {string} at @returns {[string, string]} */
function split(text, at) {
  const index = text.indexOf(at);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + 1)];
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The address of a screen. Empty parameters are left out.
 *
 * @param {string | readonly [string, string]} path `events`, or `["plugins", "RestNotify"]`
 * @param {Params} [params]
 */
export function href(path, params = {}) {
  const [screen, name] = typeof path === "string" ? [path, null] : path;
  const place = name === null ? screen : `${screen}/${encodeURIComponent(name)}`;
  return `#/${place === "overview" ? "" : place}${queryText(params)}`;
}

/** As `?plugin=RestNotify`; empty parameters are left out. @param {Params} params */
export function queryText(params) {
  const given = Object.entries(params).flatMap(([key, value]) =>
    value === null || value === undefined || value === "" ? [] : [[key, String(value)]]
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

/** What is shown. */
export const route = signal(parseHash(location.hash));

/** Shows something else, as a link does. @param {string} hash */
export function go(hash) {
  location.hash = hash;
}

/** Changes the address without an entry in the history. @param {string} hash */
export function replace(hash) {
  history.replaceState(history.state, "", hash);
  route.value = parseHash(hash);
}

/** Where each entry of the history was scrolled to. @type {Map<string, number>} */
const scrolled = new Map();

/** The history's entry that is shown. @returns {string} */
function entryId() {
  if (typeof history.state?.id !== "string") {
    history.replaceState({ ...history.state, id: crypto.randomUUID() }, "");
  }
  return history.state.id;
}

/**
 * Follows the address. Begins a new screen at its top, and an old one where it was left.
 *
 * @param {() => void} moved
 */
export function followAddress(moved) {
  history.scrollRestoration = "manual";
  let entry = entryId();
  addEventListener("scroll", () => void scrolled.set(entry, scrollY), { passive: true });
  addEventListener("hashchange", () => {
    const before = route.value;
    entry = entryId();
    const top = scrolled.get(entry) ?? 0;
    route.value = parseHash(location.hash);
    if (before.screen === route.value.screen && before.name === route.value.name && top === 0) return;
    moved();
    requestAnimationFrame(() => requestAnimationFrame(() => scrollTo({ top, behavior: "instant" })));
  });
}
