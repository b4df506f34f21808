import { creationBefore } from "../../model/event_key.ts";
import type { CreationFate, Settlement } from "../../model/ledger.ts";

/** What plugins have heard of the creations of resources that are there, for the ledger in RAM. */
export class RamFates {
  /** By plugin and the creation's key. */
  readonly #fates = new Map<string, CreationFate>();

  of(plugin: string, key: string): CreationFate {
    const place = creationBefore(key);
    return place === null ? "unknown" : this.#fates.get(`${plugin} ${place.key}`) ?? "unknown";
  }

  /** A delivery has ended, or begun. */
  settled(plugin: string, key: string, outcome: Settlement["outcome"]): void {
    if (key.endsWith("/creation")) {
      const isBegun = this.#fates.get(`${plugin} ${key}`) === "told";
      const untold = outcome === "unneeded" ? "skipped" : outcome === "undecided" ? "undecided" : "told";
      this.#fates.set(`${plugin} ${key}`, isBegun ? "told" : untold);
    } else if (key.endsWith("/deletion")) {
      this.#fates.delete(`${plugin} ${creationBefore(key)?.key}`);
    }
  }
}
