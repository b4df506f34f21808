import type { Detail, Json, NotifyContext, UpdateContext } from "../mod.ts";
import { printable } from "../src/kit/mod.ts";
import { NetBoxApi } from "./netbox_api.ts";
import { ServerContent, serverId } from "./netbox_content.ts";
import { ServersListing } from "./netbox_listing.ts";
import type { Attempt } from "./netbox_machines.ts";
import { Mark } from "./netbox_mark.ts";
import { httpOptionsOf, type NetBoxOptions } from "./netbox_options.ts";
import { previewOfAssociation, previewOfRemoval, previewOfServer } from "./netbox_preview.ts";
import { NetBoxServers } from "./netbox_servers.ts";
import { NetBoxSetup } from "./netbox_setup.ts";

/** Carries out the events that `NetBox` is told. */
export class NetBoxDelivery implements AsyncDisposable {
  readonly listing: ServersListing;
  readonly setup: NetBoxSetup;
  readonly #name: string;
  readonly #onDeletion: string;
  readonly #mark: Mark;
  readonly #content: ServerContent;
  readonly #api: NetBoxApi;
  readonly #servers: NetBoxServers;

  /** @param options Checked ones. */
  constructor(options: NetBoxOptions) {
    const { name = "NetBox", customField: field = "openstack_id", createCustomFields: creates = false } = options;
    const { adopt: adopts = false, onDeletion = "delete", deletionTag = "openstack-deleted" } = options;
    this.#name = name;
    this.#onDeletion = onDeletion;
    const mark = this.#mark = new Mark(field);
    const content = this.#content = new ServerContent(name, options);
    this.#api = new NetBoxApi(options, httpOptionsOf(options));
    this.setup = new NetBoxSetup(this.#api, { field, tag: onDeletion === "tag" ? deletionTag : null, creates });
    const servers = this.#servers = new NetBoxServers(this.#api, { mark, adopts, onDeletion, deletionTag });
    this.listing = new ServersListing(this.#api, { mark, servers, content });
  }

  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    const id = serverId(detail);
    const attempt = this.#attempt(id, context);
    if (context.subject === "server") {
      const server = created ? this.#content.of(detail) : null;
      await this.setup.ready(context.signal);
      if (server === null) await this.#servers.remove(id, attempt);
      else await this.#servers.put(server, { ...attempt, repair: context.repair ?? false });
      return;
    }
    const floating = this.#content.floatingOf(detail);
    if (floating === null) return;
    await this.setup.ready(context.signal);
    // The creation of the server, yet to come, brings its floating IPs; its deletion has removed
    // them, and nothing may return.
    const isDone = created
      ? await this.#servers.associate(id, floating, attempt)
      : await this.#servers.disassociate(id, floating, attempt);
    if (!isDone) context.log.debug(`${this.#name}: ${printable(id, 80)} has no such floating IP, or is not there`);
  }

  async update(detail: Detail, context: UpdateContext): Promise<void> {
    const attempt = this.#attempt(serverId(detail), context);
    const server = this.#content.of(detail);
    const { signal, repair = false } = context;
    const before = repair ? {} : { before: this.#content.of(context.before) };
    await this.setup.ready(signal);
    await this.#servers.put(server, { ...attempt, ...before, repair });
  }

  preview(detail: Detail, created: boolean, { subject }: NotifyContext): Json {
    const id = serverId(detail);
    if (subject === "server" && created) return previewOfServer(this.#content.of(detail), this.#mark);
    if (subject === "server") return previewOfRemoval(id, this.#mark, this.#onDeletion);
    return previewOfAssociation(id, this.#mark, { floating: this.#content.floatingOf(detail), created });
  }

  previewUpdate(detail: Detail): Json {
    return previewOfServer(this.#content.of(detail), this.#mark);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api[Symbol.asyncDispose]();
  }

  #attempt(id: string, { signal, log, note }: NotifyContext | UpdateContext): Attempt {
    const tell = (text: string) => {
      note(text);
      log.warn(`${this.#name}: ${printable(id, 80)}: ${text}`);
    };
    return { signal, tell };
  }
}
