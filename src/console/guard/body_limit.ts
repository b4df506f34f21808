/** Requests with bodies at once, of one session and of all. */
const PER_SESSION = 4;
const TOGETHER = 16;

/** Bounds the bodies that are held at once: each may have megabytes, and more once it is parsed. */
export class BodyLimit {
  readonly #counts = new Map<string, number>();
  #together = 0;

  /** A place that is free again when it is disposed of; `null`: there is none. */
  enter(session: string): Disposable | null {
    const count = this.#counts.get(session) ?? 0;
    if (count >= PER_SESSION || this.#together >= TOGETHER) return null;
    this.#counts.set(session, count + 1);
    this.#together++;
    return { [Symbol.dispose]: () => this.#leave(session) };
  }

  #leave(session: string): void {
    this.#together--;
    const count = (this.#counts.get(session) ?? 0) - 1;
    if (count > 0) this.#counts.set(session, count);
    else this.#counts.delete(session);
  }
}
