import type { DeliveredEvent, Detail, Json, ListedResource, NotifyContext, Plugin, UpdateContext } from "../mod.ts";
import { givenOptions, HttpTarget, optionProblems, refuseProblems } from "../src/kit/targets.ts";
import { otherCredentialProblems } from "./http_credentials.ts";
import { httpOptionsOf, NETBOX_RULES, type NetBoxOptions } from "./netbox_options.ts";
import type { NetBoxDelivery } from "./netbox_delivery.ts";

/**
 * Keeps a virtual machine in NetBox for each server, with an interface for each port, its
 * addresses, and its floating IPs linked to the fixed addresses behind them. Objects are found by
 * the server's UUID in a custom field, whatever their names; objects without it are never changed.
 * Every event may come twice. A floating IP that is associated before the server's creation is
 * written together with the server; one after its deletion is ignored. docs/NETBOX.md says what is
 * written where.
 *
 * @example
 * ```ts
 * import { NetBox, type NetBoxOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: NetBoxOptions = {
 *   url: "https://netbox.example.com",
 *   token: "nbt_4F9DAouzURLb.zjebxBPzICiPbWz0Wtx0fTL7bCKXKGTYhNzkgC2S",
 *   cluster: "openstack-berlin",
 *   tenant: (detail) => detail.ProjectName,
 * };
 *
 * assert.equal(new NetBox(options).name, "NetBox");
 * assert.throws(() => new NetBox({ ...options, url: "netbox.example.com" }), /url: must be a full URL/);
 * ```
 */
export class NetBox implements Plugin {
  readonly name: string;
  readonly #options: NetBoxOptions;
  #delivery: Promise<NetBoxDelivery> | undefined;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: NetBoxOptions) {
    const { name = "NetBox" } = givenOptions("NetBox", options);
    refuseProblems("Cannot make NetBox", [
      ...optionProblems(options, NETBOX_RULES),
      ...otherCredentialProblems(options),
      ...HttpTarget.problems(httpOptionsOf(options)),
    ]);
    this.name = name;
    this.#options = { ...options, name };
  }

  /**
   * Writes or removes the server, or its floating IP.
   *
   * @throws {PermanentError} when NetBox refuses an object, or a function of config.ts fails.
   * @throws {DeliveryError} when NetBox cannot be reached or refuses at present, or the custom
   * field, the cluster, the site or the VRF is missing.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await (await this.#loaded()).notify(detail, created, context);
  }

  /**
   * Writes what has changed of a server, and nothing else. Makes it if it is missing.
   *
   * @throws {PermanentError} as {@linkcode NetBox.notify}.
   * @throws {DeliveryError} likewise.
   */
  async update(detail: Detail, context: UpdateContext): Promise<void> {
    await (await this.#loaded()).update(detail, context);
  }

  /** What {@linkcode NetBox.notify} would write to a NetBox that holds nothing of the server. */
  async preview(detail: Detail, created: boolean, context: NotifyContext): Promise<Json> {
    return (await this.#loaded()).preview(detail, created, context);
  }

  /** What NetBox holds of a server after {@linkcode NetBox.update}. */
  async previewUpdate(detail: Detail, _context: UpdateContext): Promise<Json> {
    return (await this.#loaded()).previewUpdate(detail);
  }

  /** Rejects when NetBox does not answer, refuses the token, or lacks the custom field or tag. */
  async check(signal: AbortSignal): Promise<void> {
    await (await this.#loaded()).setup.check(signal);
  }

  /**
   * Lists the servers in NetBox that are ours, by their UUIDs.
   *
   * @throws {DeliveryError} when NetBox cannot be read whole.
   */
  async *list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
    yield* (await this.#loaded()).listing.list(signal);
  }

  /** What {@linkcode NetBox.list} must report of a server after these deliveries. */
  async expected(delivered: readonly DeliveredEvent[]): Promise<ListedResource[]> {
    return await (await this.#loaded()).listing.expected(delivered);
  }

  /** Closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#delivery?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }

  /** Loaded at first use: every config.ts imports this file, and few name a NetBox. */
  #loaded(): Promise<NetBoxDelivery> {
    this.#delivery ??= import("./netbox_delivery.ts").then(({ NetBoxDelivery }) => new NetBoxDelivery(this.#options));
    return this.#delivery;
  }
}
