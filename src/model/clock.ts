/** Time, passed in so that tests can make it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that have passed since some moment, whatever the clock on the wall is set to. */
  passedMs(): number;
  /** Resolves after `delayMs`, or as soon as the signal aborts. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
}
