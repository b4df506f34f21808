/** A line of a diff: of both texts, of the first alone, or of the second alone. */
export interface DiffLine {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Compares at most so many pairs of lines; beyond it, all lines in the middle count as changed. */
const MAX_PAIRS = 1_000_000;

/** The diff of two texts: as few lines as possible are told as removed and added. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const start = commonLines(before, after);
  const end = commonLines(before.slice(start).reverse(), after.slice(start).reverse());
  const [old, now] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  const middle = old.length * now.length > MAX_PAIRS ? replaced(old, now) : shortestDiff(old, now);
  return [...marked(" ", before.slice(0, start)), ...middle, ...marked(" ", before.slice(before.length - end))];
}

function commonLines(before: readonly string[], after: readonly string[]): number {
  const length = Math.min(before.length, after.length);
  for (let index = 0; index < length; index++) if (before[index] !== after[index]) return index;
  return length;
}

function replaced(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  return [...marked("-", before), ...marked("+", after)];
}

/** By the longest common subsequence. */
function shortestDiff(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const columns = after.length + 1;
  /** Of each pair of places: the length of the longest common subsequence of what follows. */
  const common = new Uint32Array((before.length + 1) * columns);
  const at = (row: number, column: number) => common[row * columns + column] as number;
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      common[row * columns + column] = before[row] === after[column]
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: DiffLine[] = [];
  let [row, column] = [0, 0];
  while (row < before.length && column < after.length) {
    if (before[row] === after[column]) {
      lines.push({ sign: " ", text: before[row++] as string });
      column++;
    } else if (at(row + 1, column) >= at(row, column + 1)) lines.push({ sign: "-", text: before[row++] as string });
    else lines.push({ sign: "+", text: after[column++] as string });
  }
  return [...lines, ...replaced(before.slice(row), after.slice(column))];
}

function marked(sign: DiffLine["sign"], lines: readonly string[]): readonly DiffLine[] {
  return lines.map((text) => ({ sign, text }));
}
