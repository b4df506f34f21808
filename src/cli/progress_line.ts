import type { Terminal } from "./terminal.ts";

/** Time between two states of the line. */
const EVERY_MS = 100;

/** A line on standard error that is written over; nothing where that is no terminal. */
export class ProgressLine implements Disposable {
  readonly #terminal: Terminal;
  #shownAtMs = -Infinity;
  #isShown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(text: string): void {
    const nowMs = performance.now();
    if (this.#terminal.status === undefined || nowMs - this.#shownAtMs < EVERY_MS) return;
    this.#shownAtMs = nowMs;
    this.#isShown = true;
    this.#terminal.status(text);
  }

  /** Removes the line, before something else is written. */
  clear(): void {
    if (this.#isShown) this.#terminal.status?.("");
    this.#isShown = false;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}
