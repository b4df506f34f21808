/** A pause of a plugin: its deliveries wait, in order, until an operator resumes it. */
export interface PluginPause {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Who paused it: `root@controller-1 (command)`. */
  readonly by: string;
}

/** Whether a plugin is paused, and when a pause ended last. */
export interface PauseState {
  /** `null`: it is not paused. */
  readonly paused: PluginPause | null;
  /** When the last pause ended, milliseconds since the epoch; `null`: there was none. */
  readonly resumedAt: number | null;
}

/** The state of a plugin that was never paused. */
export const NEVER_PAUSED: PauseState = { paused: null, resumedAt: null };
