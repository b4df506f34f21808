// @ts-check
// Texts that tenants and targets chose. They are only ever text nodes; what would hide in them is
// made visible, and what is long is shown in parts.
import { markup, useState } from "../ui.js";

// Control characters, those that turn the direction of text, invisible ones, lone surrogates, and
// what towers of marks have beyond four.
const HIDDEN =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|[\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|\p{Surrogate}|(?<=\p{M}{4})\p{M}+/gu;

/** Characters shown at first, and at each "more". */
const FIRST = 300;
const STEP = 20_000;

/**
 * Text of a tenant or a target.
 *
 * @param {{ value: string, limit?: number, lines?: boolean }} props `lines`: breaks of lines are kept
 */
export function Text({ value, limit = FIRST, lines = false }) {
  const [length, setLength] = useState(limit);
  const shown = value.length <= length ? value : cut(value, length);
  const rest = value.length - shown.length;
  return markup`<bdi class=${lines ? "text lines" : "text"}>${visible(shown, lines)}${
    rest > 0 && markup`
      <span
        class="more">… <button type="button" class="link" onClick=${(/** @type {Event} */ event) => {
      event.preventDefault();
      event.stopPropagation();
      setLength(length + STEP);
    }}>show ${rest > STEP ? "more" : "all"}<span class="hidden"> of this text</span> (${
      value.length.toLocaleString("en")
    } characters)</button></span>
    `
  }</bdi>`;
}

/** Short text in one line: no button, for links and narrow places. @param {{ value: string, limit?: number }} props */
export function Label({ value, limit = 120 }) {
  return markup`<bdi class="text">${visible(value.length > limit ? `${cut(value, limit - 1)}…` : value, false)}</bdi>`;
}

/** Without half of a character at its end. @param {string} value @param {number} length */
function cut(value, length) {
  const code = value.charCodeAt(length - 1);
  return value.slice(0, code >= 0xd800 && code < 0xdc00 ? length - 1 : length);
}

/** @param {string} text @param {boolean} lines */
function visible(text, lines) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    parts.push(text.slice(from, match.index), hidden(match[0]));
    from = match.index + match[0].length;
    // A text of nothing else would become a million elements.
    if (parts.length > 2000) break;
  }
  parts.push(parts.length > 2000 ? text.slice(from).replace(HIDDEN, "\ufffd") : text.slice(from));
  return lines ? parts : parts.flatMap((part) => typeof part === "string" ? inOneLine(part) : [part]);
}

/** @param {string} part */
function inOneLine(part) {
  return part.split("\n").flatMap((line, index) => index === 0 ? [line] : [hidden("\n"), line]);
}

/** @param {string} chars one, or the marks of a tower */
function hidden(chars) {
  if (chars.length > 2) return markup`<span class="control" title="accents and other marks">+${chars.length}</span>`;
  const code = (chars.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const shown = chars === "\n" ? "↵" : chars === "\t" ? "⇥" : code;
  return markup`<span class="control" title=${`the character U+${code}`}>${shown}</span>`;
}
