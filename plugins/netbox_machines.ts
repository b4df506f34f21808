import { DeliveryError, type Json } from "../mod.ts";
import { printable } from "../src/kit/mod.ts";
import {
  MACHINES,
  type NetBoxApi,
  type NetBoxRow,
  type NetBoxValues,
  RefusedError,
  WITHOUT_CONTEXT,
} from "./netbox_api.ts";
import { nameWithSuffix, type WantedServer } from "./netbox_content.ts";
import type { Mark } from "./netbox_mark.ts";

/** One event, for those who carry it out. */
export interface Attempt {
  readonly signal: AbortSignal;
  /** Tells operators what was left out, and why. */
  readonly tell: (text: string) => void;
}

/** Fields without which a virtual machine is still worth having. */
const DISPENSABLE = ["tenant", "role", "platform", "vcpus", "memory", "disk", "status", "primary_ip4", "primary_ip6"];
/** Fields of objects that say where it is: it must not be written elsewhere. */
const PLACES = ["cluster", "site"];
/** Where NetBox tells that a name is taken. */
const OF_NAMES = ["name", "__all__", "non_field_errors"];

/** The virtual machines of NetBox that are ours. */
export class Machines {
  readonly #api: NetBoxApi;
  readonly #mark: Mark;

  constructor(api: NetBoxApi, mark: Mark) {
    this.#api = api;
    this.#mark = mark;
  }

  /** The virtual machine of a server, `null` for none. */
  async find(id: string, signal: AbortSignal): Promise<NetBoxRow | null> {
    return (await this.all(id, signal))[0] ?? null;
  }

  /**
   * All virtual machines of a server. One without a cluster may have a twin: NetBox takes a name
   * there twice, and so both of two attempts, of which the first one was given up and came late.
   */
  async all(id: string, signal: AbortSignal): Promise<readonly NetBoxRow[]> {
    const found = await this.#api.all(MACHINES, { ...this.#mark.query(id), ...WITHOUT_CONTEXT }, signal);
    return this.#mark.own(found, id);
  }

  /** Makes it; or finds the one that an earlier attempt has made meanwhile. */
  async create(server: WantedServer, attempt: Attempt): Promise<NetBoxRow> {
    const { id, name, fields, references } = server;
    const values = { name, status: "active", ...fields, ...references, ...this.#mark.of(id) };
    return await this.#untilAccepted(server, values, {
      ...attempt,
      write: async (accepted) => (await this.#api.create(MACHINES, [accepted], attempt.signal))[0],
    });
  }

  /** Writes those of the values that it does not have. */
  async change(
    machine: NetBoxRow,
    values: NetBoxValues,
    { server, ...attempt }: Attempt & { readonly server: WantedServer },
  ): Promise<void> {
    const isHeld = ([field, value]: [string, Json]) =>
      field === "name"
        ? [server.name, nameWithSuffix(server.name, server.id)].includes(String(machine["name"]))
        : isSame(machine[field], value);
    const differing = Object.entries(values).filter((entry) => !isHeld(entry));
    if (differing.length === 0) return;
    await this.#untilAccepted(server, Object.fromEntries(differing), {
      ...attempt,
      write: async (accepted) => {
        if (Object.keys(accepted).length === 0) return machine;
        return (await this.#api.change(MACHINES, [{ ...accepted, id: machine.id }], attempt.signal))[0];
      },
    });
  }

  /** Writes without what NetBox refuses, if that is no great loss, and with a name that is free. */
  async #untilAccepted(
    server: WantedServer,
    values: NetBoxValues,
    { write, ...attempt }: Attempt & { readonly write: (values: NetBoxValues) => Promise<NetBoxRow | undefined> },
  ): Promise<NetBoxRow> {
    for (let accepted = values;;) {
      try {
        const row = await write(accepted);
        if (row !== undefined) return row;
        throw new DeliveryError("Cannot write a virtual machine to NetBox: it did not answer with it", {
          reason: "other",
        });
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        // The name may be that of our own: an earlier attempt, whose answer was lost, may have come
        // through meanwhile.
        const isNew = "custom_fields" in accepted && isTaken(error);
        const there = isNew ? await this.find(server.id, attempt.signal) : null;
        if (there !== null) return there;
        accepted = this.#without(error, accepted, { ...attempt, server });
      }
    }
  }

  #without(
    error: RefusedError,
    values: NetBoxValues,
    { server, tell }: Attempt & { readonly server: WantedServer },
  ): NetBoxValues {
    const refusal = error.refusals.get(0) ?? {};
    const why = (field: string) => printable(refusal[field] ?? "", 200);
    const place = PLACES.find((field) => field in refusal && field in values);
    if (place !== undefined) {
      const text = `Cannot place a virtual machine in NetBox: ${place}: ${why(place)} Make it, or correct ${place}`;
      throw new DeliveryError(text, { reason: "client_error", cause: error });
    }
    if ("custom_fields" in refusal) throw new DeliveryError(error.message, { reason: "client_error", cause: error });
    const left = { ...values };
    for (const field of DISPENSABLE.filter((field) => field in refusal && field in values)) {
      tell(`${field} is not written, since NetBox refuses it: ${why(field)}`);
      delete left[field];
    }
    const suffixed = nameWithSuffix(server.name, server.id);
    if (isTaken(error) && values["name"] === server.name) left["name"] = suffixed;
    if (left["name"] !== values["name"]) tell(`the name is "${printable(suffixed, 80)}": NetBox has the other one`);
    else if (Object.keys(left).length === Object.keys(values).length) throw error;
    return left;
  }
}

/** Whether NetBox refuses a virtual machine for its name, as far as that can be told. */
function isTaken(error: RefusedError): boolean {
  return OF_NAMES.some((field) => field in (error.refusals.get(0) ?? {}));
}

/** Whether a field holds a value. Of a reference NetBox shows the object. */
export function isSame(held: unknown, wanted: Json): boolean {
  if (wanted === null || held === null || held === undefined) return (held ?? null) === wanted;
  if (typeof held !== "object") return typeof wanted === "number" ? Number(held) === wanted : held === wanted;
  // Lists are written only when they differ.
  if (Array.isArray(wanted)) return false;
  const shown = held as Readonly<Record<string, unknown>>;
  if (typeof wanted === "string") return shown["value"] === wanted;
  if (typeof wanted === "number") return shown["id"] === wanted;
  return Object.entries(wanted).every(([attribute, value]) => shown[attribute] === value);
}
