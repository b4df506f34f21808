import type { DeliveredEvent, Detail, Json, ListedResource, NotifyContext, Plugin, UpdateContext } from "../mod.ts";
import { givenOptions, HttpTarget, optionProblems, printable, refuseProblems } from "../src/kit/mod.ts";
import { NetBoxApi } from "./netbox_api.ts";
import { ServerContent, serverId } from "./netbox_content.ts";
import { ServersListing } from "./netbox_listing.ts";
import type { Attempt } from "./netbox_machines.ts";
import { Mark } from "./netbox_mark.ts";
import { httpOptionsOf, NETBOX_RULES, type NetBoxOptions } from "./netbox_options.ts";
import { previewOfAssociation, previewOfRemoval, previewOfServer } from "./netbox_preview.ts";
import { NetBoxServers } from "./netbox_servers.ts";
import { NetBoxSetup } from "./netbox_setup.ts";

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
  readonly #mark: Mark;
  readonly #content: ServerContent;
  readonly #api: NetBoxApi;
  readonly #setup: NetBoxSetup;
  readonly #servers: NetBoxServers;
  readonly #listing: ServersListing;
  readonly #onDeletion: "delete" | "decommission" | "tag";

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: NetBoxOptions) {
    const { name = "NetBox", customField = "openstack_id", ...given } = givenOptions("NetBox", options);
    const { createCustomFields: creates = false, adopt: adopts = false } = given;
    const { onDeletion = "delete", deletionTag = "openstack-deleted" } = given;
    const http = httpOptionsOf(options);
    refuseProblems("Cannot make NetBox", [...optionProblems(options, NETBOX_RULES), ...HttpTarget.problems(http)]);
    this.name = name;
    this.#onDeletion = onDeletion;
    this.#mark = new Mark(customField);
    this.#content = new ServerContent(name, options);
    this.#api = new NetBoxApi(options, http);
    this.#setup = new NetBoxSetup(this.#api, {
      field: customField,
      tag: onDeletion === "tag" ? deletionTag : null,
      creates,
    });
    this.#servers = new NetBoxServers(this.#api, { mark: this.#mark, adopts, onDeletion, deletionTag });
    this.#listing = new ServersListing(this.#api, {
      mark: this.#mark,
      servers: this.#servers,
      content: this.#content,
    });
  }

  /**
   * Writes or removes the server, or its floating IP.
   *
   * @throws {PermanentError} when NetBox refuses an object, or a function of config.ts fails.
   * @throws {DeliveryError} when NetBox cannot be reached or refuses at present, or the custom
   * field, the cluster, the site or the VRF is missing.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    const id = serverId(detail);
    const attempt = this.#attempt(id, context);
    if (context.subject === "server") {
      const server = created ? this.#content.of(detail) : null;
      await this.#setup.ready(context.signal);
      if (server === null) await this.#servers.remove(id, attempt);
      else await this.#servers.put(server, { ...attempt, repair: context.repair ?? false });
      return;
    }
    const floating = this.#content.floatingOf(detail);
    if (floating === null) return;
    await this.#setup.ready(context.signal);
    // The creation of the server, yet to come, brings its floating IPs; its deletion has removed
    // them, and nothing may return.
    const isDone = created
      ? await this.#servers.associate(id, floating, attempt)
      : await this.#servers.disassociate(id, floating, attempt);
    if (!isDone) context.log.debug(`${this.name}: ${printable(id, 80)} has no such floating IP, or is not there`);
  }

  /**
   * Writes what has changed of a server, and nothing else. Makes it if it is missing.
   *
   * @throws {PermanentError} as {@linkcode NetBox.notify}.
   * @throws {DeliveryError} likewise.
   */
  async update(detail: Detail, context: UpdateContext): Promise<void> {
    const attempt = this.#attempt(serverId(detail), context);
    const server = this.#content.of(detail);
    const { signal, repair = false } = context;
    const before = repair ? {} : { before: this.#content.of(context.before) };
    await this.#setup.ready(signal);
    await this.#servers.put(server, { ...attempt, ...before, repair });
  }

  /** What {@linkcode NetBox.notify} would write to a NetBox that holds nothing of the server. */
  preview(detail: Detail, created: boolean, { subject }: NotifyContext): Json {
    const id = serverId(detail);
    if (subject === "server" && created) return previewOfServer(this.#content.of(detail), this.#mark);
    if (subject === "server") return previewOfRemoval(id, this.#mark, this.#onDeletion);
    return previewOfAssociation(id, this.#mark, { floating: this.#content.floatingOf(detail), created });
  }

  /** What the virtual machine of a changed server shall hold. */
  previewUpdate(detail: Detail, _context: UpdateContext): Json {
    return previewOfServer(this.#content.of(detail), this.#mark);
  }

  /** Rejects when NetBox does not answer, refuses the token, or lacks the custom field or tag. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#setup.check(signal);
  }

  /**
   * Lists the servers in NetBox that are ours, by their UUIDs.
   *
   * @throws {DeliveryError} when NetBox cannot be read whole.
   */
  list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
    return this.#listing.list(signal);
  }

  /** What {@linkcode NetBox.list} must report of a server after these deliveries. */
  async expected(delivered: readonly DeliveredEvent[]): Promise<ListedResource[]> {
    return await this.#listing.expected(delivered);
  }

  /** Closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api[Symbol.asyncDispose]();
  }

  #attempt(id: string, { signal, log, note }: NotifyContext | UpdateContext): Attempt {
    const tell = (text: string) => {
      note(text);
      log.warn(`${this.name}: ${printable(id, 80)}: ${text}`);
    };
    return { signal, tell };
  }
}
