import type { Terminal } from "./terminal.ts";

/** Time between two states of the line. */
const EVERY_MS = 100;

/** A line on standard error that is written over; nothing where that is no terminal. */
export class ProgressLine implements Disposable {
  readonly #terminal: Terminal;
  #shownAtMs = -Infinity;
  #isShown = false;
  /** The newest state, if it came too soon after another one. */
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Shows a state, at the latest after 100 ms unless another one follows. */
  show(text: string): void {
    if (this.#terminal.status === undefined) return;
    this.#text = text;
    const sinceMs = performance.now() - this.#shownAtMs;
    if (sinceMs >= EVERY_MS) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), EVERY_MS - sinceMs);
  }

  /** Removes the line, before something else is written. */
  clear(): void {
    this.#stopTimer();
    if (this.#isShown) this.#terminal.status?.("");
    this.#isShown = false;
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #write(): void {
    this.#stopTimer();
    this.#shownAtMs = performance.now();
    this.#isShown = true;
    this.#terminal.status?.(this.#text);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
