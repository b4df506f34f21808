/**
 * Whether a topic exchange routes this routing key to a binding: `*` is a word, `#` any number of
 * words.
 */
export function topicMatches(pattern: string, routingKey: string): boolean {
  return matches(pattern.split("."), routingKey.split("."));
}

function matches([first, ...others]: readonly string[], words: readonly string[]): boolean {
  if (first === undefined) return words.length === 0;
  if (first === "#") return words.some((_, index) => matches(others, words.slice(index))) || matches(others, []);
  const [word, ...rest] = words;
  return word !== undefined && (first === "*" || first === word) && matches(others, rest);
}
