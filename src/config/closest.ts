/**
 * The candidate that a mistyped word was most likely meant to be; `undefined` when none is near.
 */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase().slice(0, 100);
  const near = candidates
    .map((candidate) => ({ candidate, edits: editsBetween(lower, candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(2, candidate.length / 5) && edits < candidate.length / 1.5)
    .sort((a, b) => a.edits - b.edits);
  return near[0]?.candidate;
}

/** `; did you mean "…"?`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = closest(word, candidates);
  return meant === undefined ? "" : `; did you mean "${meant}"?`;
}

/** Levenshtein's distance, row by row. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, charOfA] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, charOfB] of [...b].entries()) {
      const replaced = at(row, j) + (charOfA === charOfB ? 0 : 1);
      next.push(Math.min(replaced, at(row, j + 1) + 1, at(next, j) + 1));
    }
    row = next;
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
