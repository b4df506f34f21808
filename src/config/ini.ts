import { UserError } from "../model/errors.ts";

/** One assignment of the file. */
export interface IniEntry {
  readonly section: string;
  readonly key: string;
  /** Without the quotes around it; lines of a continued value are joined by line feeds. */
  readonly value: string;
  readonly file: string;
  /** The line of the key, from 1. */
  readonly line: number;
}

/** The characters that Python's `str.strip()` removes. */
const BLANK = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const LEADING = new RegExp(`^[${BLANK}]+`);
const TRAILING = new RegExp(`[${BLANK}]+$`);

/**
 * The assignments of an INI file in oslo.config's dialect: `key = value` or `key: value` below a
 * `[section]`; an indented line goes on with the value before it; `#` and `;` begin a comment at
 * the beginning of a line only, elsewhere they belong to the value; one pair of quotes around a
 * value is taken off. A key may be repeated: all assignments are returned, in their order.
 *
 * @param file What errors call it.
 * @throws {UserError} naming file and line.
 */
export function readIni(text: string, file: string): readonly IniEntry[] {
  const entries: IniEntry[] = [];
  let section: string | undefined;
  /** Whether an indented line would continue the last value. */
  let isOpen = false;
  for (const [index, raw] of text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/).entries()) {
    const line = index + 1;
    const place = `${file}:${line}`;
    const content = raw.replace(TRAILING, "");
    if (/^[ \t]/.test(content)) {
      const last = isOpen ? entries.pop() : undefined;
      if (last === undefined) {
        throw refusal(place, "an indented line goes on with the value before it, and there is none here. Unindent it");
      }
      entries.push({ ...last, value: `${last.value}\n${content.replace(LEADING, "")}` });
      continue;
    }
    isOpen = false;
    if (content === "" || /^[#;]/.test(content)) continue;
    if (content.startsWith("[")) {
      section = sectionOf(content, place);
      continue;
    }
    if (section === undefined) throw refusal(place, "there is no section yet. Write [DEFAULT] above it");
    entries.push({ section, ...assignmentOf(content, place), file, line });
    isOpen = true;
  }
  return entries;
}

/** The text without blanks around it, as Python's `str.strip()` leaves it. */
export function stripped(text: string): string {
  return text.replace(LEADING, "").replace(TRAILING, "");
}

function sectionOf(content: string, place: string): string {
  if (!content.endsWith("]")) {
    throw refusal(
      place,
      "a section ends with ], and nothing follows it. Write [name], and comments on lines of their own",
    );
  }
  if (content === "[]") throw refusal(place, "the section has no name. Write [DEFAULT]");
  return content.slice(1, -1);
}

function assignmentOf(content: string, place: string): Pick<IniEntry, "key" | "value"> {
  const sign = content.search(/[=:]/);
  // The line is not shown: it may be a password that has lost its key.
  if (sign === -1) throw refusal(place, "there is neither = nor :. Write key = value, or # in front of a comment");
  const key = stripped(content.slice(0, sign));
  if (key === "") throw refusal(place, "there is no key. Write key = value");
  return { key, value: unquoted(content.slice(sign + 1).replace(LEADING, "")) };
}

/**
 * Only a pair of equal quotes is removed; oslo.config also treats a single quote character as a
 * pair.
 */
function unquoted(value: string): string {
  return /^["']/.test(value) && value.at(-1) === value[0] ? value.slice(1, -1) : value;
}

function refusal(place: string, why: string): UserError {
  return new UserError(`Cannot read ${place}: ${why}`);
}
