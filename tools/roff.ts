// Writes texts in roff, for man(7).

/** Source lines of text are broken before this many columns, as `mandoc -T lint` wants. */
const WIDTH = 76;

/** Characters that roff reads otherwise, or shows as typographic ones, which no shell understands. */
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\(rs",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  '"': "\\(dq",
};

/** A text within a line. Characters beyond ASCII are named, so that every roff reads them. */
export function escapeRoff(text: string): string {
  return text.replace(/[\\\-'`^~"]/g, (char) => ESCAPES[char] ?? char)
    .replace(/[^\x20-\x7e]/gu, (char) => `\\[u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`);
}

/** A line of its own. A dot at its beginning would begin a request. */
export function roffLine(text: string): string {
  const escaped = escapeRoff(text);
  return /^\./.test(escaped) ? `\\&${escaped}` : escaped;
}

/** A paragraph that roff fills: each sentence begins a source line. */
export function roffText(text: string): readonly string[] {
  return text.trim().replace(/\s+/g, " ").split(/(?<=[.!?]) (?=[A-Z])/).flatMap(wrapped).map(roffLine);
}

/** Lines that roff leaves as they are. */
export function roffLiteral(lines: readonly string[]): readonly string[] {
  return [".RS 4", ".nf", ...lines.map(roffLine), ".fi", ".RE"];
}

export function bold(text: string): string {
  return `\\fB${escapeRoff(text)}\\fR`;
}

export function italic(text: string): string {
  return `\\fI${escapeRoff(text)}\\fR`;
}

/** An argument of a macro. */
export function quoted(text: string): string {
  return `"${escapeRoff(text)}"`;
}

function wrapped(sentence: string): readonly string[] {
  const lines: string[] = [];
  for (const word of sentence.split(" ")) {
    const last = lines.at(-1);
    // Escapes make the line longer.
    if (last === undefined || escapeRoff(`${last} ${word}`).length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
