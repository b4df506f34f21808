/** Shows whether a loop still turns: it beats with every turn, and rests while it has nothing to do. */
export class LoopHeartbeat {
  #beats = 0;
  #resting = 0;

  /** Grows while the loop works. */
  get beats(): number {
    return this.#beats;
  }

  /** Waiting for something to do, however long, is no sign of trouble. */
  get resting(): boolean {
    return this.#resting > 0;
  }

  beat(): void {
    this.#beats++;
  }

  /** Waits for `nothing` to end. */
  async rest<T>(nothing: Promise<T>): Promise<T> {
    this.#resting++;
    try {
      return await nothing;
    } finally {
      this.#resting--;
      this.#beats++;
    }
  }
}
