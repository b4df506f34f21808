// @ts-check
// Figures as operators read them. English, whatever the browser's language is: so is the rest.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const DAY_AND_TIME = new Intl.DateTimeFormat("en-GB", {
  year: "numeric",
  month: "short",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MINUTE = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** As `12,345`. @param {number} value */
export const count = (value) => WHOLE.format(value);

/** As `1.2M`, for axes. @param {number} value */
export const shortCount = (value) => SHORT.format(value);

/** As `12,345`, from a million on as `1.23M`: for large type. @param {number} value */
export const figure = (value) => value < 1e6 ? count(value) : shortCount(value);

/** As `1 event` or `2 events`. @param {number} value @param {string} one @param {string} [many] */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** As `340 ms` or `2.5 s`. @param {number | null} value */
export function seconds(value) {
  if (value === null) return "–";
  if (value === 0) return "0";
  if (value < 1) return `${Math.max(1, Math.round(value * 1000))} ms`;
  return value < 10 ? `${value.toFixed(1)} s` : duration(value * 1000);
}

const UNITS = /** @type {const} */ ([["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1000]]);

/** Its two largest units, as `2 h 5 min`. @param {number} ms */
export function duration(ms) {
  const whole = Math.max(0, ms);
  if (whole < 1000) return `${Math.round(whole)} ms`;
  const first = UNITS.findIndex(([, size]) => whole >= size);
  const [unit, size] = UNITS[first] ?? ["s", 1000];
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((whole % size) / next[1]);
  const head = `${Math.floor(whole / size)} ${unit}`;
  return rest === 0 || next === undefined ? head : `${head} ${rest} ${next[0]}`;
}

/** How long ago, or until when, as `5 min ago` or `in 5 min`. @param {number} at @param {number} now */
export function relative(at, now) {
  const ms = now - at;
  if (Math.abs(ms) < 1000) return "just now";
  const [unit, size] = UNITS.find(([, each]) => Math.abs(ms) >= each) ?? ["s", 1000];
  const figure = `${Math.floor(Math.abs(ms) / size)} ${unit}`;
  return ms < 0 ? `in ${figure}` : `${figure} ago`;
}

/** In the browser's time zone, as `30 Nov 2026, 12:00:00`. @param {number} at */
export const absolute = (at) => DAY_AND_TIME.format(at);

/** As `12:00:00`. @param {number} at */
export const timeOfDay = (at) => TIME.format(at);

/** As `12:00`. @param {number} at */
export const minuteOfDay = (at) => MINUTE.format(at);

/** As `182 MiB`. @param {number} bytes */
export function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}
