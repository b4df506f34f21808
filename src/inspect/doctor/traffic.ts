import type { Delivered } from "../../rabbitmq/consumer.ts";
import { decodeBody } from "../../intake/envelope.ts";
import { plainBytes } from "../../intake/plain_bytes.ts";

/** The messages of one exchange and routing key. */
export interface Flow {
  readonly exchange: string;
  readonly routingKey: string;
  readonly count: number;
  /** The number of those whose type oss-watcher reads. */
  readonly handled: number;
  /** The number of those that could not be read. */
  readonly unreadable: number;
  /** `messagingv2` has an envelope, `messaging` has none. */
  readonly drivers: readonly string[];
  /** Of Nova's notifications. */
  readonly formats: readonly string[];
  /**
   * The formats of notifications about servers. Others do not show the setting: `service.update`
   * always has one format.
   */
  readonly serverFormats: readonly string[];
  /** The number of those that say how a server has changed, `compute.instance.update` and its twin. */
  readonly serverUpdates: number;
}

interface Counting {
  count: number;
  handled: number;
  unreadable: number;
  serverUpdates: number;
  readonly drivers: Set<string>;
  readonly formats: Set<string>;
  readonly serverFormats: Set<string>;
}

/** Counts notifications by exchange and routing key. */
export class Traffic {
  readonly #flows = new Map<string, Counting>();
  readonly #watched: ReadonlySet<string>;

  /** @param watched The event types that the service records. */
  constructor(watched: ReadonlySet<string>) {
    this.#watched = watched;
  }

  take(message: Delivered): void {
    const { exchange, routingKey, body, compression } = message;
    const key = JSON.stringify([exchange, routingKey]);
    const flow = this.#flows.get(key) ?? {
      ...{ count: 0, handled: 0, unreadable: 0, serverUpdates: 0 },
      ...{ drivers: new Set<string>(), formats: new Set<string>(), serverFormats: new Set<string>() },
    };
    this.#flows.set(key, flow);
    flow.count++;
    const bytes = plainBytes(body, compression);
    const decoded = "refused" in bytes ? bytes : decodeBody(bytes);
    if ("refused" in decoded) {
      flow.unreadable++;
      return;
    }
    const { eventType, payload } = decoded.notification;
    if (this.#watched.has(eventType)) flow.handled++;
    if (eventType === "compute.instance.update" || eventType === "instance.update") flow.serverUpdates++;
    flow.drivers.add(hasEnvelope(bytes as Uint8Array) ? "messagingv2" : "messaging");
    if (exchange === "nova") flow.formats.add("nova_object.name" in payload ? "versioned" : "unversioned");
    if (eventType.startsWith("compute.instance.")) flow.serverFormats.add("unversioned");
    if (eventType.startsWith("instance.")) flow.serverFormats.add("versioned");
  }

  flows(): readonly Flow[] {
    return [...this.#flows].map(([key, { drivers, formats, serverFormats, ...counts }]) => {
      const [exchange, routingKey] = JSON.parse(key);
      const sets = { drivers: sorted(drivers), formats: sorted(formats), serverFormats: sorted(serverFormats) };
      return { exchange, routingKey, ...counts, ...sets };
    }).sort((a, b) => a.exchange.localeCompare(b.exchange) || a.routingKey.localeCompare(b.routingKey));
  }
}

function sorted(set: ReadonlySet<string>): readonly string[] {
  return [...set].sort();
}

function hasEnvelope(bytes: Uint8Array): boolean {
  const outer = JSON.parse(new TextDecoder().decode(bytes));
  return "oslo.version" in outer && "oslo.message" in outer;
}
