import { DeliveryError } from "../mod.ts";
import { FIELDS, type NetBoxApi, type NetBoxRow, type NetBoxValues, RefusedError, TAGS } from "./netbox_api.ts";

/** Options of {@linkcode NetBoxSetup}. */
export interface SetupOptions {
  /** The custom field's name. */
  readonly field: string;
  /** The slug of the tag that is needed; `null`: none is. */
  readonly tag: string | null;
  /** Whether what is missing is made. */
  readonly creates: boolean;
}

const OBJECT_TYPES = ["virtualization.virtualmachine", "virtualization.vminterface", "ipam.ipaddress"];

/** What has to be in NetBox before anything is written: the custom field, and the tag. */
export class NetBoxSetup {
  readonly #api: NetBoxApi;
  readonly #options: SetupOptions;
  #isDone = false;

  constructor(api: NetBoxApi, options: SetupOptions) {
    this.#api = api;
    this.#options = options;
  }

  /**
   * Looks once, before the first write, and makes what is missing if it may.
   *
   * @throws {DeliveryError} when something is missing, with what to do.
   */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#isDone) return;
    await this.#look(this.#options.creates, signal);
    this.#isDone = true;
  }

  /**
   * Looks, and makes nothing.
   *
   * @throws {DeliveryError} when something is missing that would not be made.
   */
  async check(signal: AbortSignal): Promise<void> {
    await this.#look(false, signal);
  }

  async #look(makes: boolean, signal: AbortSignal): Promise<void> {
    const { field, tag, creates } = this.#options;
    const fields = await this.#api.all(FIELDS, { name: field }, signal);
    const found = fields.find((row) => row["name"] === field);
    if (found !== undefined) this.#mustFit(found);
    else if (makes) await this.#make(FIELDS, fieldOf(field), signal);
    else if (!creates) throw missing(`the custom field "${field}"`, HOW.replace("NAME", field));
    if (tag === null) return;
    const tags = await this.#api.all(TAGS, { slug: tag }, signal);
    if (tags.some((row) => row["slug"] === tag)) return;
    if (makes) await this.#make(TAGS, { name: tag, slug: tag }, signal);
    else if (!creates) throw missing(`the tag "${tag}"`, "Make it, or set createCustomFields: true");
  }

  #mustFit(row: NetBoxRow): void {
    const types = Array.isArray(row["object_types"]) ? row["object_types"] : [];
    const lacks = OBJECT_TYPES.filter((type) => !types.includes(type));
    const type = row["type"] as { readonly value?: unknown } | undefined;
    if (lacks.length === 0 && type?.value === "text") return;
    const text =
      `Cannot use the custom field "${this.#options.field}" of NetBox: it must be of type Text and belong to `;
    throw new DeliveryError(`${text}${OBJECT_TYPES.join(", ")}. Correct it`, { reason: "client_error" });
  }

  /** Another process may make it at the same moment: then the next attempt finds it. */
  async #make(path: string, values: NetBoxValues, signal: AbortSignal): Promise<void> {
    try {
      await this.#api.create(path, [values], signal);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      throw new DeliveryError(error.message, { reason: "client_error", cause: error });
    }
  }
}

const HOW = "In NetBox: Customization, Custom Fields, Add: name NAME, type Text, filter logic Exact, object types " +
  "Virtual Machine, Interface (of Virtualization) and IP Address. Or set createCustomFields: true";

function missing(what: string, next: string): DeliveryError {
  return new DeliveryError(`Cannot use NetBox: ${what} is missing. ${next}`, { reason: "client_error" });
}

function fieldOf(name: string): NetBoxValues {
  return {
    name,
    label: "OpenStack ID",
    description: "The UUID of the server, written by oss-watcher",
    type: "text",
    object_types: OBJECT_TYPES,
    filter_logic: "exact",
  };
}
