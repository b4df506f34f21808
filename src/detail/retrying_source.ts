import type { Clock } from "../model/clock.ts";
import { UserError } from "../model/errors.ts";
import type { Logger } from "../model/plugin.ts";
import type { OpenStackApi } from "../openstack/api.ts";
import { OpenStackUnavailable } from "../openstack/errors.ts";
import { retryDelayMs } from "../openstack/retry_delay.ts";
import type { Asked, DetailSource } from "./enrich.ts";

export interface RetryingSourceOptions {
  readonly api: Pick<OpenStackApi, Asked>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Requests are given up when OpenStack has not answered for this long. */
  readonly maxWaitMs: number;
}

/** The state of a service that does not answer. */
interface Outage {
  /** When the outage began, on the monotonic clock. */
  readonly sinceMs: number;
  /**
   * The service that does not answer, or the refusal's text. It is logged once, even if it affects
   * several services.
   */
  cause: string;
  /** The name for the log line about the end of the outage. */
  recoveredName: string;
  failures: number;
  /** Time of the next attempt, on the monotonic clock. */
  retryAtMs: number;
  /**
   * Settles when the request that currently probes the service is answered or given up; `null`
   * without a probe.
   */
  probing: Promise<void> | null;
  givenUp: boolean;
}

type Service = "Nova" | "Neutron" | "Glance" | "Keystone";

/** A request that waits for its answer. */
interface Question<T> {
  readonly service: Service;
  readonly ask: () => Promise<T>;
  readonly signal: AbortSignal;
  /** Its failures so far; `null` before the first. */
  failure: QuestionFailure | null;
}

interface QuestionFailure {
  /** When it failed first, on the monotonic clock. */
  readonly sinceMs: number;
  /** Number of requests that its service had answered at the first failure. */
  readonly answersBefore: number;
  readonly error: OpenStackUnavailable | UserError;
  readonly mayConcernItAlone: boolean;
  readonly isAlone: boolean;
}

/**
 * Wraps the OpenStack API with retries. While a service does not answer, one request probes it with
 * back-off and all others wait for the probe. When the outage lasts longer than the maximum wait,
 * waiting requests get `silent`; from then on only probes are sent. A request that fails while the
 * service answers others is retried separately and delays no other.
 */
export class RetryingSource implements DetailSource {
  readonly #options: RetryingSourceOptions;
  readonly #outages = new Map<Service, Outage>();
  readonly #answers = new Map<Service, number>();

  constructor(options: RetryingSourceOptions) {
    this.#options = options;
  }

  readonly server: DetailSource["server"] = (id, signal) =>
    this.#ask({ service: "Nova", ask: () => this.#options.api.server(id, signal), signal });

  readonly portsOfServer: DetailSource["portsOfServer"] = (id, signal) =>
    this.#ask({ service: "Neutron", ask: () => this.#options.api.portsOfServer(id, signal), signal });

  readonly image: DetailSource["image"] = (id, signal) =>
    this.#ask({ service: "Glance", ask: () => this.#options.api.image(id, signal), signal });

  readonly project: DetailSource["project"] = (id, signal) =>
    this.#ask({ service: "Keystone", ask: () => this.#options.api.project(id, signal), signal });

  readonly user: DetailSource["user"] = (id, signal) =>
    this.#ask({ service: "Keystone", ask: () => this.#options.api.user(id, signal), signal });

  async #ask<T>(
    given: Pick<Question<T>, "service" | "ask"> & { readonly signal: AbortSignal | undefined },
  ): Promise<T | "silent"> {
    const question: Question<T> = { ...given, signal: given.signal ?? NEVER_ABORTED, failure: null };
    const { service, signal } = question;
    for (;;) {
      signal.throwIfAborted();
      if (question.failure?.isAlone) return await this.#retryAlone(question, question.failure);
      const outage = this.#outages.get(service);
      if (outage === undefined) {
        const answer = await this.#attempt(question);
        if (answer !== FAILED) return answer;
      } else if (outage.probing !== null) {
        if (this.#exceedsMaxWait(outage)) return "silent";
        await outage.probing;
      } else if (this.#exceedsMaxWait(outage) && this.#options.clock.passedMs() < outage.retryAtMs) {
        return "silent";
      } else {
        const answer = await this.#probe(outage, question);
        if (answer !== FAILED) return answer;
      }
    }
  }

  /**
   * Retries one request as the probe of its service, until it is answered or the outage exceeds the
   * maximum wait. If the failure may concern this request only, another request probes after each
   * attempt.
   */
  async #probe<T>(outage: Outage, question: Question<T>): Promise<T | "silent" | typeof FAILED> {
    const { clock, maxWaitMs } = this.#options;
    const { signal } = question;
    const done = Promise.withResolvers<void>();
    outage.probing = done.promise;
    try {
      for (;;) {
        const untilMs = this.#exceedsMaxWait(outage)
          ? outage.retryAtMs
          : Math.min(outage.retryAtMs, outage.sinceMs + maxWaitMs);
        const leftMs = untilMs - clock.passedMs();
        if (leftMs > 0) await clock.sleep(leftMs, signal);
        signal.throwIfAborted();
        if (clock.passedMs() >= outage.retryAtMs) {
          const answer = await this.#attempt(question, outage);
          if (answer !== FAILED) return answer;
        }
        if (this.#exceedsMaxWait(outage)) return "silent";
        if (question.failure?.mayConcernItAlone) return FAILED;
      }
    } finally {
      outage.probing = null;
      done.resolve();
    }
  }

  /**
   * Retries a request that fails while the service answers others. Only its own event waits, at
   * most for the maximum wait.
   */
  async #retryAlone<T>({ ask, signal }: Question<T>, { sinceMs, error }: QuestionFailure): Promise<T | "silent"> {
    const { clock, random, log, maxWaitMs } = this.#options;
    log.warn(
      `${error.message}. It answers other requests; events that need this one wait for up to ${
        Math.round(maxWaitMs / 1000)
      } s`,
    );
    let last: unknown = error;
    for (let failures = 1;; failures++) {
      const leftMs = sinceMs + maxWaitMs - clock.passedMs();
      if (leftMs <= 0) return "silent";
      await clock.sleep(Math.min(leftMs, retryDelayMs(last, { failures, random })), signal);
      signal.throwIfAborted();
      try {
        return await ask();
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        last = error;
      }
    }
  }

  /**
   * @param outage The current outage: it ends with an answer, or when the failure turns out to
   * concern this request only.
   */
  async #attempt<T>(question: Question<T>, outage?: Outage): Promise<T | typeof FAILED> {
    const { service } = question;
    try {
      const answer = await question.ask();
      this.#answers.set(service, this.#answersOf(service) + 1);
      if (outage !== undefined) this.#endOutage(service, outage);
      return answer;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      this.#recordFailure(question, error);
      const isAlone = question.failure?.isAlone ?? false;
      if (isAlone && outage !== undefined) this.#endOutage(service, outage);
      else if (isAlone) return FAILED;
      else if (outage !== undefined) this.#continueOutage(outage, error);
      else if (!this.#outages.has(service)) this.#beginOutage(service, error);
      return FAILED;
    }
  }

  /**
   * Notes a failure. The failure concerns the request alone if the service has answered others
   * since the first failure.
   */
  #recordFailure<T>(question: Question<T>, error: OpenStackUnavailable | UserError): void {
    const answers = this.#answersOf(question.service);
    const { sinceMs, answersBefore } = question.failure ?? {
      sinceMs: this.#options.clock.passedMs(),
      answersBefore: answers,
    };
    const mayConcernItAlone = error instanceof OpenStackUnavailable && error.mayConcernOneRequest;
    question.failure = {
      sinceMs,
      answersBefore,
      error,
      mayConcernItAlone,
      isAlone: mayConcernItAlone && answers > answersBefore,
    };
  }

  #answersOf(service: Service): number {
    return this.#answers.get(service) ?? 0;
  }

  #beginOutage(service: Service, error: OpenStackUnavailable | UserError): void {
    const nowMs = this.#options.clock.passedMs();
    // One maximum wait for all services: an event that has waited for Nova does not wait as long
    // again for Neutron.
    const sinceMs = Math.min(nowMs, ...[...this.#outages.values()].map((outage) => outage.sinceMs));
    const outage = {
      sinceMs,
      cause: "",
      recoveredName: "",
      failures: 0,
      retryAtMs: nowMs,
      probing: null,
      givenUp: false,
    };
    this.#continueOutage(outage, error);
    this.#outages.set(service, outage);
  }

  #continueOutage(outage: Outage, error: OpenStackUnavailable | UserError): void {
    const { clock, random, log, maxWaitMs } = this.#options;
    const isRefusal = error instanceof UserError;
    const cause = isRefusal ? error.message : error.service;
    const isReported = outage.cause === cause || this.#isKnownCause(cause);
    const wait = maxWaitMs === 0
      ? "are made without it"
      : `that need it wait for up to ${Math.round(maxWaitMs / 1000)} s`;
    const text = `${error.message}. Details ${wait}`;
    if (isReported) log.debug(error.message);
    else if (isRefusal) log.error(text);
    else log.warn(text);
    outage.cause = cause;
    outage.recoveredName = isRefusal ? "OpenStack" : error.service;
    outage.failures++;
    outage.retryAtMs = clock.passedMs() + retryDelayMs(error, { failures: outage.failures, random });
  }

  #endOutage(service: Service, outage: Outage): void {
    const { clock, log } = this.#options;
    this.#outages.delete(service);
    if (this.#isKnownCause(outage.cause)) return;
    const seconds = Math.round((clock.passedMs() - outage.sinceMs) / 1000);
    log.info(`${outage.recoveredName} answers again, after ${seconds} s`);
  }

  #isKnownCause(cause: string): boolean {
    return [...this.#outages.values()].some((outage) => outage.cause === cause);
  }

  #exceedsMaxWait(outage: Outage): boolean {
    const { clock, log, maxWaitMs } = this.#options;
    const exceedsMaxWait = clock.passedMs() - outage.sinceMs >= maxWaitMs;
    if (exceedsMaxWait && !outage.givenUp) {
      const isReported = maxWaitMs === 0 || [...this.#outages.values()].some(({ givenUp }) => givenUp);
      outage.givenUp = true;
      if (isReported) return true;
      log.warn(
        `OpenStack has been silent for ${Math.round(maxWaitMs / 1000)} s: details are made without it until it answers`,
      );
    }
    return exceedsMaxWait;
  }
}

function isUnavailable(error: unknown): error is OpenStackUnavailable | UserError {
  return error instanceof OpenStackUnavailable || error instanceof UserError;
}

const FAILED = Symbol("failed");
const NEVER_ABORTED = new AbortController().signal;
