/** Columns that texts for people are wrapped to. */
export const WIDTH = 80;

/** Wraps a line; further lines are indented. A word that is longer than a line stays whole. */
export function wrapped(line: string, { indent }: { readonly indent: number }): string[] {
  if (line.length <= WIDTH) return [line];
  const space = line.lastIndexOf(" ", WIDTH);
  const end = space > indent ? space : line.indexOf(" ", indent + 1);
  if (end === -1) return [line];
  return [line.slice(0, end).trimEnd(), ...wrapped(" ".repeat(indent) + line.slice(end).trimStart(), { indent })];
}
