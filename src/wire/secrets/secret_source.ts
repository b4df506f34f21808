import type { Clock } from "../../model/clock.ts";
import type { Logger } from "../../model/plugin.ts";

/** What a source of secrets is watched with. */
export interface WatchOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Called with what has another value than config.ts got, as `the file "…"`: again after a minute,
   * as long as that is so.
   */
  readonly onChange: (what: string) => void;
}

/** Where secrets of config.ts are from that may change while the service runs. */
export interface SecretSource {
  /** Called once config.ts has been loaded, or could not be: nothing else will be asked for. */
  loaded?(): Promise<void>;
  /** Watches until the signal aborts. Does not reject. */
  watch(options: WatchOptions, signal: AbortSignal): Promise<void>;
}

/** Per process, as what was read from them. Empty for a configuration that uses none. */
const sources = new Set<SecretSource>();

/** Makes a source known. A source that is known already stays one. */
export function addSecretSource(source: SecretSource): void {
  sources.add(source);
}

/** The sources that config.ts has used. */
export function secretSources(): readonly SecretSource[] {
  return [...sources];
}
