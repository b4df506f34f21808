const SHORT_MS = 10;

/** The shortest timers take some real milliseconds, and a simulated week has thousands of them: while this lives they take none. */
export class SwiftTimers implements Disposable {
  readonly #setTimeout = globalThis.setTimeout;

  constructor() {
    const { setTimeout } = globalThis;
    const swift = (action: () => void, delayMs?: number) =>
      (delayMs ?? 0) <= SHORT_MS ? (setImmediate(action), 0) : setTimeout(action, delayMs);
    globalThis.setTimeout = swift as typeof setTimeout;
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#setTimeout;
  }
}
