/** Liveness of a loop, for the watchdog. It beats per iteration; it is idle without work. */
export class LoopHeartbeat {
  #beats = 0;
  #idle = 0;

  /** The number of beats: grows while the loop works. */
  get beats(): number {
    return this.#beats;
  }

  /** Whether the loop waits for work. However long that takes, the loop is healthy. */
  get isIdle(): boolean {
    return this.#idle > 0;
  }

  /** To be called in every iteration of the loop. */
  beat(): void {
    this.#beats++;
  }

  /** Awaits `work`, the promise of something to do, and is idle meanwhile. */
  async whileIdle<T>(work: Promise<T>): Promise<T> {
    this.#idle++;
    try {
      return await work;
    } finally {
      this.#idle--;
      this.#beats++;
    }
  }
}
