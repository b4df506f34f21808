import type { Clock } from "../model/clock.ts";
import type { Logger } from "../model/plugin.ts";
import type { ServiceInstance } from "./service_instance.ts";
import { aborted } from "../runtime/aborted.ts";

/** A service instance that is being loaded. */
export interface Candidate extends Disposable {
  /** @throws {Error} saying what is wrong with the configuration. */
  readonly loaded: Promise<ServiceInstance>;
}

export interface ReloadSupervisorOptions {
  readonly first: ServiceInstance;
  /** Begins to load another instance from the files as they are on the disk. */
  readonly next: () => Candidate;
  /** Aborts to stop cleanly. */
  readonly stop: AbortSignal;
  /** Calls back whenever the configuration shall be loaded anew. */
  readonly onReload: (listener: () => void) => void;
  /** The log of an instance. */
  readonly logOf: (instance: ServiceInstance) => Logger;
  /** Called before the old instance stops. */
  readonly onChange: () => void;
  readonly clock: Clock;
}

/** A module that takes longer to load is assumed to wait for ever. */
const LOADING_MS = 60_000;

/**
 * Runs one service instance after the other. At a reload a new one takes over if its configuration
 * is good; else the old one goes on.
 */
export class ReloadSupervisor {
  readonly #options: ReloadSupervisorOptions;
  /** The reloads that were requested, and how many of them were handled. */
  #requests = 0;
  #handled = 0;
  #requested = Promise.withResolvers<void>();

  constructor(options: ReloadSupervisorOptions) {
    this.#options = options;
    options.onReload(() => {
      this.#requests++;
      this.#requested.resolve();
      this.#requested = Promise.withResolvers();
    });
  }

  /**
   * Resolves once it is stopped and everything is recorded. Rejects when the running instance
   * cannot go on.
   */
  async run(): Promise<void> {
    const { first, stop } = this.#options;
    for (let instance: ServiceInstance | null = first; instance !== null && !stop.aborted;) {
      using current: ServiceInstance = instance;
      const stopping = () => current.stop();
      stop.addEventListener("abort", stopping);
      try {
        instance = await this.#runUntilReplaced(current);
      } finally {
        stop.removeEventListener("abort", stopping);
      }
      if (stop.aborted) instance?.[Symbol.dispose]();
    }
  }

  /** Runs an instance until it ends. Returns its successor, or `null` for none. */
  async #runUntilReplaced(instance: ServiceInstance): Promise<ServiceInstance | null> {
    const { logOf, onChange } = this.#options;
    const ended = instance.run();
    const over = AbortSignal.any([this.#options.stop, whenSettled(ended)]);
    const next = await this.#nextInstance(instance, over);
    if (next === null) {
      await ended;
      return null;
    }
    logOf(instance).info("Reloading: the new configuration is good, the old one stops");
    onChange();
    instance.stop();
    // The new instance meets the same failure, if it lasts.
    await ended.catch((error) => logOf(instance).error(`The old configuration ended badly: ${textOf(error)}`));
    return next;
  }

  /** Waits for a request, and for a good configuration; `null` when `over` aborts before. */
  async #nextInstance(instance: ServiceInstance, over: AbortSignal): Promise<ServiceInstance | null> {
    const { next, logOf } = this.#options;
    const isOver = aborted(over);
    while (!over.aborted) {
      if (this.#requests === this.#handled) {
        await Promise.race([this.#requested.promise, isOver]);
        continue;
      }
      this.#handled = this.#requests;
      logOf(instance).info("Reloading: reading the configuration");
      const candidate = next();
      try {
        // Another request means that a file has changed meanwhile: the configuration is read once
        // more.
        const loaded = await this.#loadedInTime(candidate.loaded, [this.#requested.promise, isOver]);
        if (loaded !== null) return loaded;
      } catch (error) {
        for (const line of textOf(error).split("\n")) logOf(instance).error(line);
        logOf(instance).error("Not reloaded: the service goes on with the configuration that it has");
      }
      candidate[Symbol.dispose]();
    }
    return null;
  }

  /** The loaded instance, or `null` when one of `others` resolves first. */
  async #loadedInTime(
    loaded: Promise<ServiceInstance>,
    others: readonly Promise<void>[],
  ): Promise<ServiceInstance | null> {
    const done = new AbortController();
    const late = this.#options.clock.sleep(LOADING_MS, done.signal).then(() => {
      if (!done.signal.aborted) throw new Error(`Cannot load the configuration: not done after ${LOADING_MS / 1000} s`);
    });
    try {
      return await Promise.race([loaded, late.then(() => null), ...others.map((other) => other.then(() => null))]);
    } finally {
      done.abort();
      loaded.catch(() => {});
    }
  }
}

function whenSettled(promise: Promise<unknown>): AbortSignal {
  const settled = new AbortController();
  promise.then(() => settled.abort(), () => settled.abort());
  return settled.signal;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
