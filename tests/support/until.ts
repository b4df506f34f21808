/**
 * Waits until a condition holds, and gives what it gave.
 *
 * @throws {Error} when it does not hold within so many milliseconds.
 */
export async function until<T>(condition: () => T | Promise<T>, ms = 30_000): Promise<Truthy<T>> {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value as Truthy<T>;
    if (Date.now() > deadline) throw new Error(`Not true within ${ms} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

type Truthy<T> = Exclude<T, undefined | null | false | 0 | "">;
