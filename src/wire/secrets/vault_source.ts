import type { Clock } from "../../model/clock.ts";
import { UserError } from "../../model/errors.ts";
import { printable } from "../escaping/printable.ts";
import { remember } from "./given_values.ts";
import { addSecretSource, type SecretSource, type WatchOptions } from "./secret_source.ts";
import { type VaultSecret, VaultSession } from "./vault_session.ts";
import { type VaultSettings, vaultSettings } from "./vault_settings.ts";

/** Time between two looks for other values; less with a token of a shorter life. */
const EVERY_MS = 60_000;

/** A secret that config.ts has got. */
interface Loaded {
  readonly path: string;
  readonly key: string;
  readonly value: string;
}

/** All of `vault()`: reads while config.ts is loaded, watches while the service runs. */
class Vault implements SecretSource {
  readonly #loaded: Loaded[] = [];
  #settings: VaultSettings | undefined;
  /** While config.ts is loaded; a path is read once, so that user and password belong together. */
  #session: VaultSession | undefined;
  readonly #secrets = new Map<string, Promise<VaultSecret>>();

  async read(reference: string, fallback: string | undefined): Promise<string> {
    const what = `the secret "${reference}" of Vault`;
    const [, path = "", key = ""] = /^\/*([^#]*[^#/])\/*#([^#]+)$/.exec(reference) ?? [];
    if (key === "") {
      throw new UserError(`Cannot read ${what}: it names no key. Write path#key, as vault("secret/cmdb#token")`);
    }
    const settings = vaultSettings();
    if (settings === null) {
      if (fallback !== undefined) return fallback;
      throw new UserError(`Cannot read ${what}: VAULT_ADDR is not set. Set it to https://vault.example.com:8200`);
    }
    this.#settings = settings;
    addSecretSource(this);
    try {
      const session = this.#session ??= new VaultSession(settings, { clock: LOADING, signal: NEVER });
      const secret = this.#secrets.get(path) ?? session.read(path);
      this.#secrets.set(path, secret);
      const value = valueOf(await secret, key);
      remember({ name: key, value, origin: `vault ${path}#${key}` });
      this.#loaded.push({ path, key, value });
      return value;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`Cannot read ${what}: ${error.message}`);
    }
  }

  async loaded(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#secrets.clear();
    await session?.[Symbol.asyncDispose]();
  }

  async watch({ clock, log, onChange }: WatchOptions, signal: AbortSignal): Promise<void> {
    const settings = this.#settings;
    if (settings === undefined) return;
    await using session = new VaultSession(settings, { clock, signal });
    let [failure, warning] = [null, null] as [string | null, string | null];
    while (!signal.aborted) {
      try {
        const told = await session.keepAlive();
        if (told !== null && told !== warning) log.warn(told);
        warning = told;
        const changed = await this.#changed(session);
        if (failure !== null) log.info("Vault answers again");
        failure = null;
        if (changed.length > 0 && !signal.aborted) onChange(`the secret ${changed.join(", ")} of Vault`);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        if (text !== failure && !signal.aborted) {
          log.warn(`Cannot look for new secrets in Vault: ${text}. The service keeps those it has`);
        }
        failure = text;
      }
      await clock.sleep(Math.min(EVERY_MS, session.lifeMs / 3), signal);
    }
  }

  async #changed(session: VaultSession): Promise<readonly string[]> {
    const now = new Map<string, VaultSecret>();
    for (const { path } of this.#loaded) if (!now.has(path)) now.set(path, await session.read(path));
    return this.#loaded.filter(({ path, key, value }) => valueOf(now.get(path) ?? {}, key) !== value)
      .map(({ path, key }) => `"${path}#${key}"`);
  }
}

function valueOf(secret: VaultSecret, key: string): string {
  const value = secret[key];
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value !== undefined) throw new UserError(`its key "${key}" holds no text. Write a text there`);
  const keys = Object.keys(secret).slice(0, 10).map((one) => printable(one, 40)).join(", ");
  throw new UserError(`it has no key "${key}", but ${keys || "none"}`);
}

/** Loading a configuration has no clock of its own. */
const LOADING: Clock = {
  now: () => Date.now(),
  passedMs: () => performance.now(),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};

const NEVER = new AbortController().signal;

/** Per process, as the environment that it is configured by. */
export const VAULT = new Vault();
