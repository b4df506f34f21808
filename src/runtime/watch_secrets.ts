import { secretSources, type WatchOptions } from "../wire/secrets/secret_source.ts";

/**
 * Watches what config.ts has got from files, credentials and Vault, until it is disposed of; without
 * any of them it does nothing.
 */
export function watchSecrets(options: WatchOptions): AsyncDisposable {
  const over = new AbortController();
  const watching = Promise.all(secretSources().map((source) => source.watch(options, over.signal)));
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await watching;
    },
  };
}
