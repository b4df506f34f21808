/**
 * The client of a target, whose modules are loaded when it is first used: every config.ts imports
 * all targets, and few use more than one. Modules that cannot be loaded are no failure of the target:
 * their error is thrown as it is, and the next use tries again.
 */
export class LazyClient<Client extends object> implements AsyncDisposable {
  readonly #load: () => Promise<Client>;
  #client: Promise<Client> | undefined;

  /** @param load Imports the client's module and makes it. */
  constructor(load: () => Promise<Client>) {
    this.#load = load;
  }

  /** The client, loaded by the first call. */
  loaded(): Promise<Client> {
    this.#client ??= this.#load().catch((error) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  /** Closes what the client has opened, if it was loaded. */
  async [Symbol.asyncDispose](): Promise<void> {
    const client: Partial<AsyncDisposable> | undefined = await this.#client?.catch(() => undefined);
    await client?.[Symbol.asyncDispose]?.();
  }
}
