import type { AmqpEndpoint } from "../../wire/amqp/amqp_options.ts";
import { watchedEventTypes } from "../../facts/decide.ts";
import { amqpRefusal } from "../../wire/amqp/amqp_refusal.ts";
import type { BrokerVisit, QueueState } from "../../rabbitmq/visit.ts";
import type { RabbitSource } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import type { Logger } from "../../model/plugin.ts";
import { type ManagedBinding, type ManagedQueue, Management, managementRefusal } from "../../rabbitmq/management.ts";
import { orRefusal } from "../shared/or_refusal.ts";
import { tap } from "../shared/tap.ts";
import { type Flow, Traffic } from "./traffic.ts";
import { visitAny } from "../../rabbitmq/visit_any.ts";
import { QUEUE_DEFAULTS } from "../../model/config_defaults.ts";

/**
 * The state of a queue before and after the listening; `null` where it does not exist, or our user
 * may not look.
 */
export interface QueueLook {
  readonly name: string;
  readonly before: QueueState | null;
  readonly after: QueueState | null;
  /** Why our user may not look; `null` when it may. */
  readonly refused: string | null;
}

/** The state of the broker of one source, and the traffic while `doctor` listened. */
export interface Examination {
  readonly address: string;
  /** The broker's release, as `4.0.5`; empty when it does not say. */
  readonly version: string;
  readonly user: string;
  readonly vhost: string;
  /** The time of listening. */
  readonly seconds: number;
  /** Whether config.ts follows changes of servers. */
  readonly follows: boolean;
  /** The queue that oss-watcher reads. */
  readonly queue: QueueLook & {
    readonly isOwn: boolean;
    readonly exchanges: readonly string[];
    readonly routingKeys: readonly string[];
    /**
     * Why our own queue cannot be declared as it should be; `null` when it can, or is not there.
     */
    readonly mismatch: string | null;
  };
  /** Exchanges by name, and whether they exist. */
  readonly exchanges: ReadonlyMap<string, boolean>;
  /**
   * Queues that publishers declare, perhaps without a reader: those that exist, and those that our
   * user may not look at.
   */
  readonly defaultQueues: readonly QueueLook[];
  readonly flows: readonly Flow[];
  /** Why `doctor` could not listen, and whether rights are missing; `null` when it could. */
  readonly deaf: { readonly text: string; readonly lacksRights: boolean } | null;
  /** Facts of the management API, or the reason why it gave none. */
  readonly managed: Managed | { readonly refused: string };
}

export interface Managed {
  readonly queues: readonly ManagedQueue[];
  readonly bindings: readonly ManagedBinding[];
  /** Whether exchanges are durable. */
  readonly exchanges: ReadonlyMap<string, boolean>;
}

export interface ExamineOptions {
  readonly source: RabbitSource;
  /** Whether config.ts follows changes of servers. */
  readonly follows: boolean;
  readonly seconds: number;
  readonly management?: string;
  readonly random: () => number;
  readonly log: (part: string) => Logger;
  readonly onListening: (address: string) => void;
  readonly now: () => number;
  /** Ends the connecting or the listening. Messages that came before count. */
  readonly signal: AbortSignal;
}

/** Topics that oslo.messaging's services and the first generation use. */
const KNOWN_TOPICS = ["notifications", "versioned_notifications", "monitoring"];

/**
 * Looks at a broker, listens on a temporary queue for some seconds, and looks again. Takes no
 * message from a consumer and changes nothing.
 *
 * @throws {UserError} when no broker of the source lets us in.
 */
export async function examine(options: ExamineOptions): Promise<Examination> {
  const { source, signal } = options;
  await using visit = await visitAny(source, signal);
  const own = source.queue;
  const name = source.queue === undefined ? source.watchQueue : source.queue.name;
  const routingKeys = own === undefined ? [name] : own.routingKeys ?? QUEUE_DEFAULTS.routingKeys;
  const exchanges = own?.exchanges ?? QUEUE_DEFAULTS.exchanges;
  const topics = [...KNOWN_TOPICS, ...routingKeys.map((key) => key.replace(/\.[^.]+$/, ""))];
  const names = [...new Set(topics)].flatMap((topic) => [`${topic}.info`, `${topic}.error`])
    .filter((one) => one !== name && !/[*#]/.test(one));
  const before = await lookAt(visit, [name, ...names]);
  const heard = await listen(options, visit);
  const after = await lookAt(visit, [name, ...names]);
  const looks = [name, ...names].map((one) => lookOf(one, before.get(one) ?? null, after.get(one) ?? null));
  const [mine, ...others] = looks;
  return {
    address: visit.address,
    version: visit.version,
    user: visit.endpoint.user,
    vhost: visit.endpoint.vhost,
    follows: options.follows,
    queue: {
      ...mine as QueueLook,
      isOwn: own !== undefined,
      exchanges,
      routingKeys,
      mismatch: own === undefined || mine?.before === null ? null : await mismatchOf(() => visit.redeclare(own)),
    },
    exchanges: await exchangesOf(visit, [...exchanges, ...heard.flows.map(({ exchange }) => exchange)]),
    defaultQueues: others.filter(({ before, after, refused }) => (before ?? after ?? refused) !== null),
    ...heard,
    managed: await askManagement(visit.endpoint, options),
  };
}

/**
 * A queue's state, `null` when it does not exist, or a text that says why our user may not look.
 */
type Look = QueueState | string | null;

async function lookAt(visit: BrokerVisit, names: readonly string[]): Promise<ReadonlyMap<string, Look>> {
  const states = new Map<string, Look>();
  for (const name of names) states.set(name, await orRefusal(visit.queue(name)));
  return states;
}

function lookOf(name: string, before: Look, after: Look): QueueLook {
  const state = (look: Look) => typeof look === "string" ? null : look;
  const refused = [before, after].find((look) => typeof look === "string") ?? null;
  return { name, before: state(before), after: state(after), refused };
}

/** Exchanges that our user may not look at are left out. */
async function exchangesOf(visit: BrokerVisit, names: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
  const found = new Map<string, boolean>();
  for (const name of new Set(names)) {
    const there = await orRefusal(visit.hasExchange(name));
    if (typeof there === "boolean") found.set(name, there);
  }
  return found;
}

/** Counts every notification of every service, on a temporary queue. */
async function listen(
  { source, follows, seconds, random, now, log, onListening, signal }: ExamineOptions,
  { address }: BrokerVisit,
): Promise<Pick<Examination, "flows" | "deaf" | "seconds">> {
  const traffic = new Traffic(watchedEventTypes({ follows }));
  const over = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let startedAt = now();
  try {
    await tap({
      config: { events: { creation: [], deletion: [] }, plugins: [], rabbit: source },
      purpose: "doctor",
      all: true,
      random,
      log,
      onMessage: (message) => traffic.take(message),
      onListening() {
        onListening(address);
        startedAt = now();
        timer = setTimeout(() => over.abort(), seconds * 1000);
      },
    }, AbortSignal.any([signal, over.signal]));
    return { flows: traffic.flows(), deaf: null, seconds: Math.round((now() - startedAt) / 100) / 10 };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const lacksRights = amqpRefusal(error.cause) === "rights";
    return { flows: [], deaf: { text: error.message, lacksRights }, seconds: 0 };
  } finally {
    clearTimeout(timer);
  }
}

async function mismatchOf(redeclare: () => Promise<void>): Promise<string | null> {
  try {
    await redeclare();
    return null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

async function askManagement(
  endpoint: AmqpEndpoint,
  { source, management }: ExamineOptions,
): Promise<Examination["managed"]> {
  const tls = typeof source.tls === "object" ? source.tls : {};
  const { signal } = new AbortController();
  await using api = new Management(endpoint, { ...management !== undefined && { url: management }, tls, signal });
  try {
    const [queues, bindings, exchanges] = await Promise.all([api.queues(), api.bindings(), api.exchanges()]);
    return { queues, bindings, exchanges };
  } catch (error) {
    return { refused: managementRefusal(error) };
  }
}
