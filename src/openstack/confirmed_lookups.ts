import type { Caller } from "./caller.ts";
import { ConfirmedLookup } from "./confirmed_lookup.ts";
import { object, text } from "./read.ts";
import {
  type FloatingIpRecord,
  PORT_FIELDS,
  type PortRecord,
  readFloatingIp,
  readPort,
  readServer,
  type ServerRecord,
} from "./records.ts";
import type { JsonObject } from "../model/notification.ts";
import type { Transport } from "./transport.ts";

/** Lookups by id, for conclusions from the answer. */
export interface ConfirmedLookups {
  readonly servers: ConfirmedLookup<ServerRecord>;
  readonly ports: ConfirmedLookup<PortRecord>;
  readonly floatingIps: ConfirmedLookup<FloatingIpRecord>;
}

export function confirmedLookups(
  shared: { readonly caller: Caller; readonly transport: Transport },
): ConfirmedLookups {
  return {
    servers: new ConfirmedLookup({
      ...shared,
      service: "Nova",
      path: (id) => `/servers/${id}`,
      read: (body) => readServer(object(body["server"])),
      isAbsence: isServerAbsence,
    }),
    ports: new ConfirmedLookup({
      ...shared,
      service: "Neutron",
      path: (id) => `/ports/${id}?${PORT_FIELDS}`,
      read: (body) => readPort(object(body["port"])),
      isAbsence: isNeutronAbsence("PortNotFound"),
    }),
    floatingIps: new ConfirmedLookup({
      ...shared,
      service: "Neutron",
      path: (id) => `/floatingips/${id}`,
      read: (body) => readFloatingIp(object(body["floatingip"])),
      isAbsence: isNeutronAbsence("FloatingIPNotFound"),
    }),
  };
}

/** Nova: `{"itemNotFound": {"code": 404, "message": "Instance ID could not be found."}}`. */
function isServerAbsence(body: JsonObject, id: string): boolean {
  const fault = object(body["itemNotFound"]);
  return fault["code"] === 404 && names(fault, id);
}

/**
 * Neutron: `{"NeutronError": {"type": "PortNotFound", "message": "Port ID could not be found."}}`.
 * A path that does not exist, and a resource that a policy hides, have another type
 * (`HTTPNotFound`) and no id.
 */
function isNeutronAbsence(type: "PortNotFound" | "FloatingIPNotFound") {
  return (body: JsonObject, id: string): boolean => {
    const error = object(body["NeutronError"]);
    return error["type"] === type && names(error, id);
  };
}

function names(error: JsonObject, id: string): boolean {
  return text(error["message"])?.includes(id) ?? false;
}
