/** How a {@linkcode FromFiles} makes its value. */
export interface FromFilesOptions<Value> {
  /** Those that are not given are none. */
  readonly files: readonly (string | undefined)[];
  readonly open: () => Promise<Value>;
  readonly close: (value: Value) => void;
}

/**
 * What is made from files, as a client from its certificate, and made anew when one of them has changed: certificates are renewed while the
 * service runs. Files that did not change are not read again. While those that did cannot be used, as when the key is not written yet, what
 * was made before goes on; whoever uses it may finish.
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

  /** Why the files are not used as they are now; `undefined` when they are. */
  get refusal(): unknown {
    return this.#refused?.error;
  }

  /** Works with the value; rejects when there is none and none can be made. */
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

  /** Gives the value up; a later use makes another one. Nobody is waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#making?.catch(() => undefined);
    const made = this.#made;
    this.#made = undefined;
    if (made !== undefined) this.#closeNow(made);
  }

  /** What was made of no files never changes: nobody has to look. */
  get #lasting(): Made<Value> | undefined {
    return this.#files.length === 0 ? this.#made : undefined;
  }

  /** One at a time: of many that come at once, the first looks. */
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

/** What is different once a file was written, replaced, or, as Kubernetes does it, the directory that a link leads to. */
async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = await Promise.all(files.map(async (file) => {
    const found = await Deno.stat(file).catch(() => undefined);
    return found && [found.dev, found.ino, found.size, found.mtime?.getTime(), found.ctime?.getTime()];
  }));
  return JSON.stringify(stamps);
}
