import { stampOf } from "./file_stamp.ts";

/** Options of {@linkcode FromFiles}. */
export interface FromFilesOptions<Value> {
  /** Paths; `undefined` stands for no file. */
  readonly files: readonly (string | undefined)[];
  readonly open: () => Promise<Value>;
  readonly close: (value: Value) => void;
}

/**
 * A value that is made from files, as an HTTP client from its certificate, and made again when one
 * of them has changed: certificates are renewed while the service runs. Unchanged files are not
 * read again. While changed files cannot be used, for example because the key is not written yet,
 * the former value stays in use. Calls that use a replaced value may finish.
 */
export class FromFiles<Value> implements AsyncDisposable {
  readonly #files: readonly string[];
  readonly #open: () => Promise<Value>;
  readonly #close: (value: Value) => void;
  #made: Made<Value> | undefined;
  #making: Promise<Made<Value>> | undefined;
  /** The files that could not be used, and what was wrong with them. */
  #refused: { readonly stamp: string; readonly error: unknown } | undefined;

  constructor({ files, open, close }: FromFilesOptions<Value>) {
    this.#files = files.filter((file) => file !== undefined);
    this.#open = open;
    this.#close = close;
  }

  /** The reason why the present files are not used; `undefined` when they are. */
  get refusal(): unknown {
    return this.#refused?.error;
  }

  /** Calls the function with the value. Rejects when there is none and none can be made. */
  async use<Result>(work: (value: Value) => Promise<Result>): Promise<Result> {
    const made = this.#lasting ?? await this.#current();
    made.users++;
    try {
      return await work(made.value);
    } finally {
      made.users--;
      this.#closeUnused(made);
    }
  }

  /** Closes the value without waiting for calls that use it; a later use makes another one. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#making?.catch(() => undefined);
    const made = this.#made;
    this.#made = undefined;
    if (made !== undefined) this.#closeNow(made);
  }

  /** Without files the value never changes, and nothing has to be checked. */
  get #lasting(): Made<Value> | undefined {
    return this.#files.length === 0 ? this.#made : undefined;
  }

  /** Concurrent calls share one check of the files. */
  #current(): Promise<Made<Value>> {
    return this.#making ??= this.#look().finally(() => this.#making = undefined);
  }

  async #look(): Promise<Made<Value>> {
    const stamp = await stampOf(this.#files);
    const old = this.#made;
    if (old !== undefined && (old.stamp === stamp || this.#refused?.stamp === stamp)) return old;
    try {
      this.#made = { stamp, value: await this.#open(), users: 0, closed: false };
      this.#refused = undefined;
    } catch (error) {
      this.#refused = { stamp, error };
      if (old === undefined) throw error;
      return old;
    }
    if (old !== undefined) this.#closeUnused(old);
    return this.#made;
  }

  #closeUnused(made: Made<Value>): void {
    if (made !== this.#made && made.users === 0) this.#closeNow(made);
  }

  #closeNow(made: Made<Value>): void {
    if (made.closed) return;
    made.closed = true;
    this.#close(made.value);
  }
}

interface Made<Value> {
  readonly stamp: string;
  readonly value: Value;
  users: number;
  closed: boolean;
}
