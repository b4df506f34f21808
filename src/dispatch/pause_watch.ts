import type { Clock } from "../model/clock.ts";
import type { Ledger } from "../model/ledger.ts";
import { NEVER_PAUSED, type PauseState } from "../model/pause.ts";
import type { Logger } from "../model/plugin.ts";

export interface PauseWatchOptions {
  /** The plugin's name. */
  readonly name: string;
  readonly ledger: Pick<Ledger, "pauseOf">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often it is read whether an operator has paused the plugin: a busy lane asks for each attempt. */
const READ_MS = 500;

/** Whether a plugin is paused, read from the ledger now and then; tells in the log when that changes. */
export class PauseWatch {
  readonly #options: PauseWatchOptions;
  #state: PauseState = NEVER_PAUSED;
  #readMs = -Infinity;

  constructor(options: PauseWatchOptions) {
    this.#options = options;
  }

  /** Whether it was paused when that was read last. */
  get isPaused(): boolean {
    return this.#state.paused !== null;
  }

  /** When the last pause ended, milliseconds since the epoch; `null`: there was none. */
  get resumedAt(): number | null {
    return this.#state.resumedAt;
  }

  /** Whether {@linkcode read} is due. */
  get isDue(): boolean {
    return this.#options.clock.passedMs() - this.#readMs >= READ_MS;
  }

  /** Makes the next {@linkcode read} due: it may have changed. */
  notice(): void {
    this.#readMs = -Infinity;
  }

  async read(): Promise<void> {
    const { ledger, clock, name } = this.#options;
    const before = this.#state.paused;
    this.#readMs = clock.passedMs();
    this.#state = await ledger.pauseOf(name);
    if (this.#state.paused?.at !== before?.at) this.#tell();
  }

  #tell(): void {
    const { name, log } = this.#options;
    const { paused } = this.#state;
    if (paused === null) return log.info("Resumed: what has waited is delivered, in order");
    const since = new Date(paused.at).toISOString().slice(0, 19).replace("T", " ");
    const how = `oss-watcher plugins resume ${name}`;
    log.warn(`Paused since ${since} UTC by ${paused.by}: deliveries wait, in order. To go on: ${how}`);
  }
}
