import type { PluginComparison } from "../inspect/compare/compare_events.ts";

/** Counts previews that failed, by plugin: what these would send is not known. */
export class UnknownPreviews {
  readonly #found = new Map<string, { readonly count: number; readonly error: string }>();

  /** Counts those of one event. */
  add(plugins: readonly PluginComparison[]): void {
    for (const { name, before, after } of plugins) {
      const error = after?.error ?? before?.error;
      if (error === undefined) continue;
      const found = this.#found.get(name);
      this.#found.set(name, { count: (found?.count ?? 0) + 1, error: found?.error ?? error });
    }
  }

  get texts(): readonly string[] {
    return [...this.#found].map(([name, { count, error }]) => {
      const events = count === 1 ? "1 event" : `${count} events`;
      return `Cannot say what ${name} would send for ${events}: its preview failed: ${error}`;
    });
  }
}
