import type { DeliveredEvent, Detail, Json, ListedResource, NotifyContext, Plugin, UpdateContext } from "../mod.ts";
import type { DnsDelivery } from "./dns_delivery.ts";
import type { DnsRecordsOptions } from "./dns_options.ts";
import type { DnsZones } from "./dns_zones.ts";

/**
 * What all plugins for the DNS have in common: which A, AAAA and PTR records a server gets, a TXT
 * record beside each name that says whose it is, conflicts, and `list` for `audit`. A subclass has
 * the way to the server, as {@linkcode DnsZones}. Names that others own are never changed, and a
 * deletion removes what was written. Every event may come twice.
 */
export abstract class DnsPlugin implements Plugin {
  readonly name: string;
  readonly #options: DnsRecordsOptions & { readonly name: string };
  readonly #open: () => Promise<DnsZones>;
  #delivery: Promise<DnsDelivery> | undefined;

  /**
   * Does no I/O.
   *
   * @param options Checked ones.
   * @param open Called once, when the zones are needed.
   */
  constructor(options: DnsRecordsOptions & { readonly name: string }, open: () => Promise<DnsZones>) {
    this.name = options.name;
    this.#options = options;
    this.#open = open;
  }

  /**
   * Writes, changes or removes the records of the event's server.
   *
   * @throws {PermanentError} when the server's name is no host name or in no zone, others own it, or
   * a function of config.ts fails.
   * @throws {DeliveryError} when no server can be reached, or it refuses at present.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await (await this.#loaded()).notify(detail, created, context);
  }

  /**
   * Writes the records of a server that has changed, under its new name, and removes those of its
   * former name and addresses. Keeps its floating IPs.
   *
   * @throws {PermanentError} as {@linkcode DnsPlugin.notify}, also when the new name is taken.
   * @throws {DeliveryError} likewise.
   */
  async update(detail: Detail, context: UpdateContext): Promise<void> {
    await (await this.#loaded()).update(detail, context);
  }

  /** What {@linkcode DnsPlugin.notify} would send to zones that are as the last delivery left them. */
  async preview(detail: Detail, created: boolean, context: NotifyContext): Promise<Json> {
    return (await this.#loaded()).preview(detail, created, context);
  }

  /** What {@linkcode DnsPlugin.update} would send, likewise. */
  async previewUpdate(detail: Detail, context: UpdateContext): Promise<Json> {
    return (await this.#loaded()).previewUpdate(detail, context);
  }

  /** Rejects when no server can be reached, or one refuses us or has not the zones. */
  async check(signal: AbortSignal): Promise<void> {
    await (await this.#loaded()).check(signal);
  }

  /**
   * Lists the servers of which the zones hold records, by the server's UUID.
   *
   * @throws {PermanentError} when the options name no zones.
   * @throws {DeliveryError} when a zone cannot be read whole.
   */
  async *list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
    yield* (await this.#loaded()).list(signal);
  }

  /** What {@linkcode DnsPlugin.list} must report of a server after these deliveries. */
  async expected(delivered: readonly DeliveredEvent[]): Promise<ListedResource[]> {
    return await (await this.#loaded()).expected(delivered);
  }

  /** Closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#delivery?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }

  /** Loaded at first use: every config.ts imports this file, and few name one of these plugins. */
  #loaded(): Promise<DnsDelivery> {
    this.#delivery ??= Promise.all([import("./dns_delivery.ts"), this.#open()])
      .then(([{ DnsDelivery }, zones]) => new DnsDelivery(zones, this.#options));
    return this.#delivery;
  }
}
