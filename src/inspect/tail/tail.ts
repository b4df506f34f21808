import { watchedEventTypes } from "../../facts/decide.ts";
import { admit } from "../../intake/admit.ts";
import type { Delivered } from "../../rabbitmq/consumer.ts";
import { decodeBody, type Decoded } from "../../intake/envelope.ts";
import { plainBytes } from "../../intake/plain_bytes.ts";
import type { Json, Notification } from "../../model/notification.ts";
import { DryRun, type DryRunResult } from "../../runtime/dry_run.ts";
import { rulesOf } from "../../runtime/rules.ts";
import { tap, type TapOptions } from "../shared/tap.ts";

/** A notification of any type. */
export interface SeenNotification {
  readonly exchange: string;
  readonly routingKey: string;
  readonly notification: Notification;
  /** The name, address or id of the resource, if the payload has one. */
  readonly resource: string | null;
}

export interface TailOptions extends Omit<TapOptions, "onMessage" | "purpose"> {
  /** Called for each event, as the service would announce it. */
  readonly onEvents: (result: DryRunResult) => void;
  /** With `all`, called once for each notification, whatever the number of its copies. */
  readonly onNotification: (seen: SeenNotification) => void;
}

/** How often updates are looked for that have become due. */
const SETTLE_EVERY_MS = 500;

/** The number of ids that are remembered to recognise copies, which come soon after each other. */
const REMEMBERED_IDS = 5_000;

/**
 * Shows events as they happen, until `stop` aborts: the stages of a dry run over messages from
 * temporary queues. Its memory begins empty.
 *
 * @throws {UserError} when a broker refuses us.
 */
export async function tail(options: TailOptions, stop: AbortSignal): Promise<void> {
  const { config, log, all } = options;
  const reader = all ? new NotificationReader(options) : new EventReader(options);
  const failed = new AbortController();
  let work = Promise.resolve();
  const onMessage = (message: Delivered) => {
    // The body's buffer is reused before this message is read.
    const kept = { ...message, body: message.body.slice() };
    work = work.then(() => reader.take(kept)).catch((error) => failed.abort(error));
  };
  const settling = setInterval(() => {
    work = work.then(() => reader.settle()).catch((error) => failed.abort(error));
  }, SETTLE_EVERY_MS);
  try {
    await tap({ ...options, config, log, purpose: "tail", onMessage }, AbortSignal.any([stop, failed.signal]));
  } finally {
    clearInterval(settling);
  }
  await work;
  if (failed.signal.aborted) throw failed.signal.reason;
}

/** Reports every event that the configuration's groups claim. */
class EventReader {
  readonly #options: TailOptions;
  readonly #run: DryRun;
  readonly #wanted: ReadonlySet<string>;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#run = new DryRun({ config: options.config, plugins: new Map(), log: options.log });
    this.#wanted = watchedEventTypes(rulesOf(options.config));
  }

  /** Reports the updates that are due. */
  async settle(): Promise<void> {
    for (const result of await this.#run.settle(Date.now())) this.#options.onEvents(result);
  }

  async take(message: Delivered): Promise<void> {
    const admission = admit(message, this.#wanted);
    if ("ignored" in admission) return;
    if ("refused" in admission) return refuse(message, { ...admission, options: this.#options });
    const result = await this.#run.take(admission.notification);
    if (result.events.length > 0) this.#options.onEvents(result);
  }
}

/** Reports every notification. */
class NotificationReader {
  readonly #options: TailOptions;
  readonly #ids = new Set<string>();

  constructor(options: TailOptions) {
    this.#options = options;
  }

  settle(): void {}

  take(message: Delivered): void {
    const { exchange, routingKey } = message;
    const decoded = decode(message);
    if ("refused" in decoded) return refuse(message, { ...decoded, options: this.#options });
    const { notification } = decoded;
    if (this.#isCopy(notification.messageId)) return;
    const resource = resourceOf(notification.payload);
    this.#options.onNotification({ exchange, routingKey, notification, resource });
  }

  #isCopy(id: string): boolean {
    if (this.#ids.has(id)) return true;
    this.#ids.add(id);
    const [oldest = id] = this.#ids;
    if (this.#ids.size > REMEMBERED_IDS) this.#ids.delete(oldest);
    return false;
  }
}

function decode({ body, compression }: Delivered): Decoded {
  const bytes = plainBytes(body, compression);
  return "refused" in bytes ? bytes : decodeBody(bytes);
}

function refuse(
  { exchange, routingKey }: Delivered,
  { refused, options: { log } }: { readonly refused: string; readonly options: TailOptions },
): void {
  log("tail").warn(`Cannot read a message of ${routingKey} from exchange ${exchange}: ${refused}`);
}

/**
 * The paths of a resource's name, address or id in the kinds of payloads, in order of preference.
 */
const RESOURCE_PATHS = [
  "display_name",
  "nova_object.data/display_name",
  "nova_object.data/name",
  "floatingip/floating_ip_address",
  "floatingip/id",
  "port/name",
  "port/id",
  "port_id",
  "floatingip_id",
  "name",
  "resource_info",
  "instance_id",
  "nova_object.data/uuid",
  "id",
];

function resourceOf(payload: Json): string | null {
  const values = RESOURCE_PATHS.map((path) =>
    path.split("/").reduce<Json | undefined>(
      (value, key) =>
        typeof value === "object" && value !== null && !Array.isArray(value)
          ? (value as Readonly<Record<string, Json>>)[key]
          : undefined,
      payload,
    )
  );
  return values.find((value): value is string => typeof value === "string" && value !== "") ?? null;
}
