// A realistic load: what Nova and Neutron publish while an invented cloud is used, made of recorded notifications.
import type { Published } from "../../tools/publisher.ts";
import { type CaptureLine, readCapture, readSamples } from "../support/captures.ts";
import { SeededRandom } from "../support/random.ts";
import {
  firstState,
  type FloatingIp,
  inventOperations,
  type Operation,
  type Server,
  type ServerState,
} from "./cloud.ts";

export interface LoadOptions {
  /** How many events it leads to. */
  readonly events: number;
  /** How many servers there are at one time. */
  readonly servers: number;
  /** The same seed gives the same operations. */
  readonly seed: number;
  /** Notifications per operation that nobody wants, on average; a real cloud sends nine. @default 1.5 */
  readonly ignored?: number;
  /** The share of operations that change a server. With it, the service follows changes. @default 0 */
  readonly changes?: number;
}

/** One operation and what is published of it, in order. */
export interface Step {
  readonly operation: Operation;
  readonly messages: readonly Message[];
}

export interface Message extends Published {
  /** The exchange without the prefix of the trial: `nova` or `neutron`. */
  readonly exchange: string;
  readonly messageId: string;
  /**
   * Whether the watcher must record it, as opposed to ignore it. `false` for a change: one that says nothing new is not written.
   */
  readonly recorded: boolean;
}

/** Makes operations and their messages. */
export function makeLoad({ events, servers, seed, ignored = 1.5, changes = 0 }: LoadOptions): Step[] {
  const random = new SeededRandom(seed);
  const writer = new Writer(random, ignored);
  return inventOperations({ events, servers, changes, random }).map((operation) => ({
    operation,
    messages: writer.messagesOf(operation),
  }));
}

type Capture = Pick<CaptureLine, "exchange" | "routing_key"> & { readonly text: string };

/** A second copy of a notification (another topic, a redelivery), and the second format, come up to so many operations later. */
const LATEST_ECHO = 8;

/** The words of the recording that a message replaces with its own. */
const RECORDED = {
  server: "4818c5b1-ac0b-4458-9eed-faf8936ad379",
  port: "cf9a4459-4e3f-4d7e-92c6-6f914c0f10c6",
  mac: "fa:16:3e:81:26:0e",
  fixedAddress: "10.11.0.21",
  name: "beam-ctl-01",
  project: "a10c63d70ae34535a236849b63793d29",
  ips: ["8d58b4a7-0471-4678-8fc2-7d6f929bab45", "d9839822-857b-485d-8bc1-636b3c13e652"],
  addresses: ["203.0.113.237", "203.0.113.35"],
} as const;

class Writer {
  readonly #random: SeededRandom;
  readonly #ignoredPerOperation: number;
  readonly #samples: ReadonlyMap<string, Capture>;
  readonly #ignored: readonly Capture[];
  readonly #revisions = new Map<string, number>();
  readonly #states = new Map<string, ServerState>();
  /** The time of the last message: no two have the same. */
  #timeMs = Date.now();
  #echoes: { readonly dueIn: number; readonly message: Message }[] = [];

  constructor(random: SeededRandom, ignoredPerOperation: number) {
    this.#random = random;
    this.#ignoredPerOperation = ignoredPerOperation;
    const samples = readSamples().map(({ name, sample }) => {
      const { exchange, routing_key, decoded_inner_message } = sample;
      return [name, { exchange, routing_key, text: JSON.stringify(decoded_inner_message) }] as const;
    });
    this.#samples = new Map(samples);
    this.#ignored = readIgnored();
  }

  messagesOf(operation: Operation): Message[] {
    const messages = this.#tell(operation);
    const due = this.#echoes.filter(({ dueIn }) => dueIn <= 0).map(({ message }) => message);
    this.#echoes = this.#echoes.filter(({ dueIn }) => dueIn > 0)
      .map(({ dueIn, message }) => ({ dueIn: dueIn - 1, message }));
    for (const message of messages) {
      if ((message.recorded || operation.op === "change server") && this.#random.chance(0.03)) this.#echoLater(message);
    }
    return this.#amidNoise([...due, ...messages]);
  }

  #tell(operation: Operation): Message[] {
    switch (operation.op) {
      case "create server":
        return [this.#port("port.update.end", operation.server), ...this.#life("create.end", operation.server)];
      case "delete server": {
        const port = this.#port("port.delete.end", operation.server);
        const start = this.#life("delete.start", operation.server);
        const life = this.#life("delete.end", operation.server);
        return [...start, ...operation.portFirst ? [port, ...life] : [...life, port]];
      }
      case "change server":
        this.#states.set(operation.server.id, operation.state);
        return this.#life("update", operation.server);
      case "create address":
        return [this.#ip(`create.end.${operation.server === null ? "free" : "associated"}`, operation)];
      case "associate":
        return [this.#ip("update.end.associate", operation)];
      case "disassociate":
        return [this.#ip("update.end.disassociate", { ip: operation.ip, server: null })];
      case "edit address":
        return [
          this.#ip(`update.end.description-while-${operation.server === null ? "free" : "associated"}`, operation),
        ];
      case "delete address":
        return [this.#ip(`delete.end.${operation.server === null ? "free" : "associated"}`, operation)];
    }
  }

  /** Nova's message of a server's coming or going, in the format that it is set to; in `both` the second one may come late. */
  #life(end: string, server: Server): Message[] {
    const unversioned = () => this.#ofServer(`compute.instance.${end}`, server);
    const versioned = () => this.#ofServer(`instance.${end}`, server);
    if (server.format === "unversioned") return [unversioned()];
    if (server.format === "versioned") return [versioned()];
    const [first, second] = this.#random.shuffled([unversioned(), versioned()]) as [Message, Message];
    if (this.#random.chance(0.5)) return [first, second];
    this.#echoLater(second);
    return [first];
  }

  #ofServer(eventType: string, server: Server): Message {
    const state = this.#states.get(server.id) ?? firstState(server);
    // A change states what a creation does, without the legacy one's addresses.
    const isChange = eventType.endsWith(".update");
    const isStart = eventType.endsWith(".start");
    const sample = eventType.replace(/update$/, "create.end").replace(/start$/, "end");
    const message = this.#message(sample, wordsOf({ ...server, name: state.name }), (payload, inner) => {
      const said = (payload["nova_object.data"] ?? payload) as Record<string, unknown>;
      said["metadata"] = { ...said["metadata"] as Record<string, string>, owner: state.owner };
      inner["event_type"] = eventType;
      if (isStart) Object.assign(said, { state: "active", state_description: "deleting", task_state: "deleting" });
      if (isChange) delete said["fixed_ips"];
    });
    return isChange || isStart ? { ...message, recorded: false } : message;
  }

  #port(name: string, server: Server): Message {
    return this.#message(name, wordsOf(server), (payload) => {
      (payload["port"] as Record<string, unknown>)["revision_number"] = this.#revision(server.portId);
    });
  }

  #ip(name: string, { ip, server }: { readonly ip: FloatingIp; readonly server: Server | null }): Message {
    const words = [
      ...RECORDED.ips.map((id) => [id, ip.id] as const),
      ...RECORDED.addresses.map((address) => [address, ip.address] as const),
      ...server === null ? [[RECORDED.project, ip.projectId] as const] : wordsOf(server),
    ];
    return this.#message(`floatingip.${name}`, words, (payload) => {
      (payload["floatingip"] as Record<string, unknown>)["revision_number"] = this.#revision(ip.id);
    });
  }

  #message(
    name: string,
    words: Words,
    adjust: (payload: Record<string, unknown>, inner: Record<string, unknown>) => void = () => {},
  ): Message {
    const { exchange, routing_key, text } = this.#samples.get(name)!;
    const inner = JSON.parse(words.reduce((sum, [recorded, own]) => sum.replaceAll(recorded, own), text));
    adjust(inner["payload"], inner);
    return this.#envelope({ exchange, routingKey: routing_key, inner, recorded: true });
  }

  #noise(): Message {
    const { exchange, routing_key, text } = this.#random.pick(this.#ignored);
    return this.#envelope({ exchange, routingKey: routing_key, inner: JSON.parse(text), recorded: false });
  }

  /** Mostly the driver `messagingv2`, sometimes `messaging`. */
  #envelope({ exchange, routingKey, inner, recorded }: {
    readonly exchange: string;
    readonly routingKey: string;
    readonly inner: Record<string, unknown>;
    readonly recorded: boolean;
  }): Message {
    const messageId = crypto.randomUUID();
    const timestamp = new Date(++this.#timeMs).toISOString().replace("T", " ").replace("Z", "000");
    const text = JSON.stringify({ ...inner, message_id: messageId, _unique_id: unique(), timestamp });
    const body = this.#random.chance(0.1) ? text : JSON.stringify({ "oslo.version": "2.0", "oslo.message": text });
    return { exchange, routingKey, body, messageId, recorded };
  }

  #echoLater(message: Message): void {
    this.#echoes.push({ dueIn: this.#random.below(LATEST_ECHO), message });
  }

  #revision(id: string): number {
    const revision = (this.#revisions.get(id) ?? 0) + 1 + this.#random.below(2);
    this.#revisions.set(id, revision);
    return revision;
  }

  #amidNoise(messages: readonly Message[]): Message[] {
    const length = this.#random.below(2 * this.#ignoredPerOperation + 1);
    const noise = Array.from({ length }, () => this.#noise());
    return noise.reduce((sum, one) => sum.toSpliced(this.#random.below(sum.length + 1), 0, one), [...messages]);
  }
}

type Words = readonly (readonly [recorded: string, own: string])[];

function wordsOf({ id, name, projectId, portId, mac, fixedAddress }: Server): Words {
  return [
    [RECORDED.server, id],
    [RECORDED.port, portId],
    [RECORDED.mac, mac],
    [RECORDED.fixedAddress, fixedAddress],
    [RECORDED.name, name],
    [RECORDED.project, projectId],
  ];
}

/** What nobody listens for, in the shares of the recording. */
function readIgnored(): Capture[] {
  const watched = /^(compute\.)?instance\.(?!.*\.(start|error)$)|^floatingip\.|^port\.(create|update|delete)\.end$/;
  return [...readCapture("unversioned.jsonl"), ...readCapture("versioned.jsonl")]
    .filter(({ exchange, routing_key }) => /^(nova|neutron)$/.test(exchange) && routing_key.endsWith(".info"))
    .map(({ exchange, routing_key, body }) => ({ exchange, routing_key, text: JSON.parse(body)["oslo.message"] }))
    .filter(({ text }) => !watched.test(JSON.parse(text)["event_type"]));
}

function unique(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
