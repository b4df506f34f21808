/**
 * Auto-reset event: wakes one waiting loop. A `notify` without a waiter ends the next wait at once.
 */
export class WakeSignal {
  #isNotified = false;
  #wake: (() => void) | undefined;

  notify(): void {
    this.#isNotified = true;
    this.#wake?.();
  }

  /** Resolves at the next {@linkcode notify}, or at once if there was one since the last wait. */
  async wait(): Promise<void> {
    if (!this.#isNotified) {
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
    this.#isNotified = false;
  }
}
