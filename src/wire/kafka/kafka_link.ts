import type { Socket } from "node:net";
import type { Admin, Kafka, Producer, SASLOptions } from "kafkajs";
import type { RabbitTls } from "../../model/config.ts";
import { unlessAborted } from "../deadline.ts";
import { readTlsFiles } from "../files/tls_files.ts";
import { type Link, LinkGivenUp } from "../kept_link.ts";
import type { KafkaTargetOptions } from "./kafka_options.ts";

/** A message, and where it goes. */
export interface KafkaMessage {
  /** A name as `isKafkaTopic` allows it. */
  readonly topic: string;
  /** Messages of one key are in one partition, in order. */
  readonly key: string;
  /** Visible ASCII. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as UTF-8. */
  readonly body: string;
}

/** Where a cluster is, and how to log in. */
export interface KafkaEndpoint extends Pick<KafkaTargetOptions, "user" | "password" | "mechanism"> {
  /** `host:port` of the broker that is asked first. */
  readonly label: string;
  readonly tls: RabbitTls | undefined;
}

/** More would only hold an attempt up: what fails is tried again by whoever asked. */
const RETRIES = 2;

/**
 * A producer of one Kafka cluster. The only file that names the library, which is loaded at first
 * use. The library waits for all answers before it closes a connection, so the sockets are ours.
 */
export class KafkaLink implements Link {
  readonly label: string;
  readonly #producer: Producer;
  readonly #admin: () => Admin;
  readonly #sockets: ReadonlySet<Socket>;
  readonly #end = new AbortController();
  /** Resolves when the message before is stored. */
  #before: Promise<void> = Promise.resolve();

  private constructor(label: string, kafka: Kafka, sockets: ReadonlySet<Socket>) {
    this.label = label;
    this.#sockets = sockets;
    // One request at a time: what is sent again then cannot pass what follows it.
    this.#producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    this.#admin = () => kafka.admin();
  }

  static async open(
    { label, tls, ...login }: KafkaEndpoint,
    { timeoutMs, stop }: { readonly timeoutMs: number; readonly stop: AbortSignal },
  ): Promise<KafkaLink> {
    const [{ default: { Kafka, logLevel } }, { openSocket }, files] = await Promise.all([
      import("kafkajs"),
      import("./kafka_socket.ts"),
      tls && readTlsFiles(tls),
      calmTimers(),
    ]);
    stop.throwIfAborted();
    const sockets = new Set<Socket>();
    const kafka = new Kafka({
      clientId: "oss-watcher",
      brokers: [nameForLibrary(label)],
      logLevel: logLevel.NOTHING,
      connectionTimeout: timeoutMs,
      authenticationTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      retry: { retries: RETRIES, initialRetryTime: 100 },
      ssl: files !== undefined,
      ...(login.user !== undefined && { sasl: saslOf(login) }),
      socketFactory: ({ host: name, port, onConnect }) => {
        const host = hostOf(name);
        const servername = tls?.serverName ?? host;
        const socket = openSocket({ host, port, ...(files && { tls: { ...files, servername } }) }, onConnect);
        sockets.add(socket.once("close", () => sockets.delete(socket)));
        // The library sends again what it holds, on new connections.
        if (link.over.aborted) socket.destroy(new Error("the connections were closed"));
        return socket;
      },
    });
    const link = new KafkaLink(label, kafka, sockets);
    const onStop = () => link.end(stop.reason);
    stop.addEventListener("abort", onStop, { once: true });
    try {
      await unlessAborted(link.over, link.#producer.connect());
      return link;
    } catch (error) {
      link.end(error);
      throw error;
    } finally {
      stop.removeEventListener("abort", onStop);
    }
  }

  /** Aborted when the connections have ended, with the cause as its reason. */
  get over(): AbortSignal {
    return this.#end.signal;
  }

  end(reason: unknown): void {
    this.#end.abort(reason);
    for (const socket of this.#sockets) socket.destroy();
    this.#producer.disconnect().catch(() => undefined);
  }

  async close(): Promise<void> {
    await unlessAborted(this.over, this.#producer.disconnect()).catch(() => undefined);
    this.end(new Error("the connection was closed"));
  }

  /**
   * Resolves when all replicas in sync have the message. One at a time: when an answer is lost, the
   * library gives the message's sequence number to whichever it sends next, and the broker takes
   * another message of that number for a repetition and does not store it. For the same reason a
   * failure ends the producer.
   */
  async publish({ topic, key, headers, body }: KafkaMessage): Promise<void> {
    const before = this.#before;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#before = promise;
    await unlessAborted(this.over, before);
    const message = { key, value: body, headers: { ...headers } };
    try {
      await unlessAborted(this.over, this.#producer.send({ topic, acks: -1, messages: [message] }));
      resolve();
    } catch (error) {
      // Those that wait are sent by another producer.
      this.end(new LinkGivenUp());
      throw error;
    }
  }

  /** Rejects when there is no such topic. */
  async find(topic: string): Promise<void> {
    const admin = this.#admin();
    await unlessAborted(this.over, admin.connect());
    try {
      await unlessAborted(this.over, admin.fetchTopicMetadata({ topics: [topic] }));
    } finally {
      await unlessAborted(this.over, admin.disconnect()).catch(() => undefined);
    }
  }
}

/** The library cuts `host:port` at its first colon: those of an IPv6 address are written as `_`. */
function nameForLibrary(broker: string): string {
  return broker.replace(/^\[.*\]/, (address) => address.replaceAll(":", "_"));
}

/** The host of a name that {@linkcode nameForLibrary} has made, or that a broker has told. */
function hostOf(name: string): string {
  return name.startsWith("[") ? name.slice(1, -1).replaceAll("_", ":") : name;
}

function saslOf({ user = "", password = "", mechanism = "scram-sha-512" }: Partial<KafkaEndpoint>): SASLOptions {
  return { mechanism, username: user, password } as SASLOptions;
}

/**
 * Version 2.2.4 has a timer that sets itself again and again where nothing waits, for a negative
 * time, of which the runtime warns on standard error.
 */
async function calmTimers(): Promise<void> {
  const { default: RequestQueue } = await import("kafkajs/request_queue");
  const { prototype } = RequestQueue as { readonly prototype: PendingQueue };
  const schedule = prototype.scheduleCheckPendingRequests;
  if (schedule.name !== "scheduleCheckPendingRequests") return;
  prototype.scheduleCheckPendingRequests = function calmly() {
    if (this.pending.length > 0) schedule.call(this);
  };
}

/** What {@linkcode calmTimers} knows of the library's queue. */
interface PendingQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}
