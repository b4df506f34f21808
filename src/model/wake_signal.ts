/** Wakes one waiting loop. A ring that nobody waits for is kept for the next wait. */
export class WakeSignal {
  #rung = false;
  #wake: (() => void) | undefined;

  notify(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves at the next ring, or at once if there was one since the last wait. */
  async wait(): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
    this.#rung = false;
  }
}
