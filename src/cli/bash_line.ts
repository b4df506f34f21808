/** A command line up to the cursor, as bash has it. */
export interface BashLine {
  /** The words between the program's name and the word at the cursor, without their quotes. */
  readonly words: readonly string[];
  /** The word at the cursor, without its quotes. */
  readonly current: string;
  /** How much of the current word bash keeps; a completion replaces the rest. */
  readonly kept: number;
  /** Whether the cursor is within quotes. */
  readonly isQuoted: boolean;
}

/**
 * Splits a line into words. Nothing is expanded: variables and substitutions stay as they are
 * written.
 *
 * @param breaks bash's COMP_WORDBREAKS: behind these characters bash begins a new word to complete.
 */
export function readBashLine(line: string, breaks: string): BashLine {
  const words: string[] = [];
  let word: string | null = null;
  let kept = 0;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    const next = line.charAt(at + 1);
    if (char === "\\" && quote !== "'" && (quote === "" || '"$`\\'.includes(next))) {
      word = (word ?? "") + next;
      at++;
    } else if (quote === "" ? char === "'" || char === '"' : char === quote) {
      quote = quote === "" ? char : "";
      word ??= "";
      kept = word.length;
    } else if (quote === "" && /\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
      kept = 0;
    } else {
      word = (word ?? "") + char;
      if (quote === "" && breaks.includes(char)) kept = word.length;
    }
  }
  return { words: words.slice(1), current: word ?? "", kept, isQuoted: quote !== "" };
}

/** Characters that mean nothing to bash, in quotes or without. */
const PLAIN = /[\p{L}\p{N}_./:=@%+,-]/u;

/**
 * What bash puts in the place of the word at the cursor; `null` for a text that the open quotes
 * cannot carry.
 */
export function bashReplacement(text: string, { kept, isQuoted }: BashLine): string | null {
  const chars = [...text.slice(kept)];
  if (isQuoted) return chars.every((char) => PLAIN.test(char)) ? chars.join("") : null;
  return chars.map((char) => PLAIN.test(char) ? char : `\\${char}`).join("");
}
