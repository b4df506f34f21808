import type { Clock } from "../model/clock.ts";
import { UserError } from "../model/errors.ts";
import type { Logger } from "../model/plugin.ts";
import type { OpenStackApi } from "../openstack/api.ts";
import { OpenStackUnavailable } from "../openstack/errors.ts";
import { retryDelayMs } from "../openstack/retry_delay.ts";
import type { Asked, DetailSource } from "./enrich.ts";

export interface PatientSourceOptions {
  readonly api: Pick<OpenStackApi, Asked>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** After so long a silence, questions are given up. */
  readonly maxWaitMs: number;
}

/** A service that does not answer. */
interface Outage {
  /** When OpenStack fell silent, on the scale of time that passes. */
  readonly sinceMs: number;
  /** Who does not answer, or what stands in the way: told once, however many services it keeps from answering. */
  cause: string;
  /** Who is said to answer again. */
  who: string;
  failures: number;
  /** When it is asked next. */
  retryAtMs: number;
  /** While a question tries again: settles when that is answered or given up. */
  trying: Promise<void> | null;
  givenUp: boolean;
}

type Service = "Nova" | "Neutron" | "Glance" | "Keystone";

/**
 * OpenStack with patience: while a service does not answer, one question tries again and again, and all others wait for it. Who has waited
 * until OpenStack was silent for too long gets `silent`; from then on a single question now and then finds out whether it is back.
 */
export class PatientSource implements DetailSource {
  readonly #options: PatientSourceOptions;
  readonly #outages = new Map<Service, Outage>();

  constructor(options: PatientSourceOptions) {
    this.#options = options;
  }

  readonly server: DetailSource["server"] = (id, signal) =>
    this.#ask("Nova", () => this.#options.api.server(id, signal), signal);

  readonly portsOfServer: DetailSource["portsOfServer"] = (id, signal) =>
    this.#ask("Neutron", () => this.#options.api.portsOfServer(id, signal), signal);

  readonly image: DetailSource["image"] = (id, signal) =>
    this.#ask("Glance", () => this.#options.api.image(id, signal), signal);

  readonly project: DetailSource["project"] = (id, signal) =>
    this.#ask("Keystone", () => this.#options.api.project(id, signal), signal);

  readonly user: DetailSource["user"] = (id, signal) =>
    this.#ask("Keystone", () => this.#options.api.user(id, signal), signal);

  async #ask<T>(service: Service, question: () => Promise<T>, signal = NEVER): Promise<T | "silent"> {
    for (;;) {
      signal.throwIfAborted();
      const outage = this.#outages.get(service);
      if (outage === undefined) {
        const answer = await this.#attempt(service, question);
        if (answer !== FAILED) return answer;
      } else if (outage.trying !== null) {
        if (this.#isTooLong(outage)) return "silent";
        await outage.trying;
      } else if (this.#isTooLong(outage) && this.#options.clock.passedMs() < outage.retryAtMs) {
        return "silent";
      } else {
        return await this.#tryAgain(outage, { service, question, signal });
      }
    }
  }

  /** Tries until there is an answer, or OpenStack has been silent for too long; for all that wait for the same service. */
  async #tryAgain<T>(
    outage: Outage,
    { service, question, signal }: {
      readonly service: Service;
      readonly question: () => Promise<T>;
      readonly signal: AbortSignal;
    },
  ): Promise<T | "silent"> {
    const { clock, maxWaitMs } = this.#options;
    const done = Promise.withResolvers<void>();
    outage.trying = done.promise;
    try {
      for (;;) {
        const untilMs = this.#isTooLong(outage)
          ? outage.retryAtMs
          : Math.min(outage.retryAtMs, outage.sinceMs + maxWaitMs);
        const leftMs = untilMs - clock.passedMs();
        if (leftMs > 0) await clock.sleep(leftMs, signal);
        signal.throwIfAborted();
        if (clock.passedMs() >= outage.retryAtMs) {
          const answer = await this.#attempt(service, question, outage);
          if (answer !== FAILED) return answer;
        }
        if (this.#isTooLong(outage)) return "silent";
      }
    } finally {
      outage.trying = null;
      done.resolve();
    }
  }

  /** @param outage The one that ends with an answer. */
  async #attempt<T>(service: Service, question: () => Promise<T>, outage?: Outage): Promise<T | typeof FAILED> {
    try {
      const answer = await question();
      if (outage !== undefined) this.#ended(service, outage);
      return answer;
    } catch (error) {
      if (!(error instanceof OpenStackUnavailable) && !(error instanceof UserError)) throw error;
      if (outage !== undefined) this.#goesOn(outage, error);
      else if (!this.#outages.has(service)) this.#began(service, error);
      return FAILED;
    }
  }

  #began(service: Service, error: OpenStackUnavailable | UserError): void {
    const nowMs = this.#options.clock.passedMs();
    // Who has waited for Nova until it was too long does not wait for Neutron as long again.
    const sinceMs = Math.min(nowMs, ...[...this.#outages.values()].map((outage) => outage.sinceMs));
    const outage = { sinceMs, cause: "", who: "", failures: 0, retryAtMs: nowMs, trying: null, givenUp: false };
    this.#goesOn(outage, error);
    this.#outages.set(service, outage);
  }

  #goesOn(outage: Outage, error: OpenStackUnavailable | UserError): void {
    const { clock, random, log, maxWaitMs } = this.#options;
    const isRefusal = error instanceof UserError;
    const cause = isRefusal ? error.message : error.service;
    const isTold = outage.cause === cause || this.#isCause(cause);
    const text = `${error.message}. Details that need it wait for up to ${Math.round(maxWaitMs / 1000)} s`;
    if (isTold) log.debug(error.message);
    else if (isRefusal) log.error(text);
    else log.warn(text);
    outage.cause = cause;
    outage.who = isRefusal ? "OpenStack" : error.service;
    outage.failures++;
    outage.retryAtMs = clock.passedMs() + retryDelayMs(error, { failures: outage.failures, random });
  }

  #ended(service: Service, outage: Outage): void {
    const { clock, log } = this.#options;
    this.#outages.delete(service);
    if (this.#isCause(outage.cause)) return;
    const seconds = Math.round((clock.passedMs() - outage.sinceMs) / 1000);
    log.info(`${outage.who} answers again, after ${seconds} s`);
  }

  #isCause(cause: string): boolean {
    return [...this.#outages.values()].some((outage) => outage.cause === cause);
  }

  #isTooLong(outage: Outage): boolean {
    const { clock, log, maxWaitMs } = this.#options;
    const isTooLong = clock.passedMs() - outage.sinceMs >= maxWaitMs;
    if (isTooLong && !outage.givenUp) {
      const isTold = maxWaitMs === 0 || [...this.#outages.values()].some(({ givenUp }) => givenUp);
      outage.givenUp = true;
      if (isTold) return true;
      log.warn(
        `OpenStack has been silent for ${Math.round(maxWaitMs / 1000)} s: details are made without it until it answers`,
      );
    }
    return isTooLong;
  }
}

const FAILED = Symbol("failed");
const NEVER = new AbortController().signal;
