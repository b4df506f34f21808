import type { Clock } from "../model/clock.ts";
import type { Logger } from "../model/plugin.ts";
import type { ServiceInstance } from "./service_instance.ts";
import { aborted } from "../runtime/aborted.ts";

/** A shift that is being loaded. */
export interface Candidate extends Disposable {
  /** @throws {Error} saying what is wrong with the configuration. */
  readonly loaded: Promise<ServiceInstance>;
}

export interface ShiftsOptions {
  readonly first: ServiceInstance;
  /** Begins to load another shift from what is on the disk now. */
  readonly next: () => Candidate;
  /** Aborts to stop cleanly. */
  readonly stop: AbortSignal;
  /** Calls back whenever the configuration shall be loaded anew. */
  readonly onReload: (listener: () => void) => void;
  /** Says something where this shift does. */
  readonly logOf: (shift: ServiceInstance) => Logger;
  /** Called before the old shift stops. */
  readonly onChange: () => void;
  readonly clock: Clock;
}

/** A configuration that takes longer to load waits for something that does not come. */
const LOADING_MS = 60_000;

/** Runs one shift after the other: a new one takes over when its configuration is good, else the old one goes on. */
export class ReloadSupervisor {
  readonly #options: ShiftsOptions;
  /** How often a reload was wished for, and how many of these wishes were taken up. */
  #wishes = 0;
  #heard = 0;
  #wished = Promise.withResolvers<void>();

  constructor(options: ShiftsOptions) {
    this.#options = options;
    options.onReload(() => {
      this.#wishes++;
      this.#wished.resolve();
      this.#wished = Promise.withResolvers();
    });
  }

  /** Resolves once it is stopped and everything is recorded. Rejects when the shift at work cannot go on. */
  async run(): Promise<void> {
    const { first, stop } = this.#options;
    for (let shift: ServiceInstance | null = first; shift !== null && !stop.aborted;) {
      using current: ServiceInstance = shift;
      const stopping = () => current.stop();
      stop.addEventListener("abort", stopping);
      try {
        shift = await this.#work(current);
      } finally {
        stop.removeEventListener("abort", stopping);
      }
      if (stop.aborted) shift?.[Symbol.dispose]();
    }
  }

  /** Lets a shift work until it ends; gives the one that shall follow it. */
  async #work(shift: ServiceInstance): Promise<ServiceInstance | null> {
    const { logOf, onChange } = this.#options;
    const ended = shift.run();
    const over = AbortSignal.any([this.#options.stop, whenSettled(ended)]);
    const next = await this.#nextShift(shift, over);
    if (next === null) {
      await ended;
      return null;
    }
    logOf(shift).info("Reloading: the new configuration is good, the old one stops");
    onChange();
    shift.stop();
    // What it could not do any more is the next one's to meet, or not.
    await ended.catch((error) => logOf(shift).error(`The old configuration ended badly: ${textOf(error)}`));
    return next;
  }

  /** Waits for a wish, and for a configuration that is good; `null` when it is over before. */
  async #nextShift(shift: ServiceInstance, over: AbortSignal): Promise<ServiceInstance | null> {
    const { next, logOf } = this.#options;
    const isOver = aborted(over);
    while (!over.aborted) {
      if (this.#wishes === this.#heard) {
        await Promise.race([this.#wished.promise, isOver]);
        continue;
      }
      this.#heard = this.#wishes;
      logOf(shift).info("Reloading: reading the configuration");
      const candidate = next();
      try {
        // Another wish means that something was changed meanwhile: it is read once more.
        const loaded = await this.#inTime(candidate.loaded, [this.#wished.promise, isOver]);
        if (loaded !== null) return loaded;
      } catch (error) {
        for (const line of textOf(error).split("\n")) logOf(shift).error(line);
        logOf(shift).error("Not reloaded: the service goes on with the configuration that it has");
      }
      candidate[Symbol.dispose]();
    }
    return null;
  }

  /** What is loaded, or `null` when something else comes first. */
  async #inTime(loaded: Promise<ServiceInstance>, others: readonly Promise<void>[]): Promise<ServiceInstance | null> {
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
