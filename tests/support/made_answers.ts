/**
 * Answers of Nova and Neutron that are no resources, in the recorded shape; those that were not
 * recorded are as the services' sources have them.
 *
 * @module
 */

import type { Kind } from "./made_records.ts";

/** The answer about a resource that is not there, or that the account may not see. */
export function absent(kind: Kind, id: string): Response {
  if (kind === "servers") return novaFault(404, "itemNotFound", `Instance ${id} could not be found.`);
  if (kind === "ports") return neutronError(404, "PortNotFound", `Port ${id} could not be found.`);
  return neutronError(404, "FloatingIPNotFound", `Floating IP ${id} could not be found`);
}

/** The answer to a marker that is not there. */
export function markerGone(kind: Kind, marker: string): Response {
  if (kind === "servers") return novaFault(400, "badRequest", `marker [${marker}] not found`);
  return absent(kind, marker);
}

/** The answer of Neutron where there is no such path. */
export function noPath(): Response {
  return neutronError(404, "HTTPNotFound", "The resource could not be found.");
}

/**
 * The answer of Neutron about a resource that a policy hides:
 * neutron/pecan_wsgi/hooks/policy_enforcement.py.
 */
export function hiddenByPolicy(): Response {
  return Response.json({ type: "HTTPNotFound", message: "The resource could not be found.", detail: "" }, {
    status: 404,
  });
}

/** The answer to a request that a policy forbids. */
export function forbidden(kind: Kind): Response {
  if (kind === "servers") {
    return novaFault(403, "forbidden", "Policy doesn't allow os_compute_api:servers:detail to be performed.");
  }
  return neutronError(403, "PolicyNotAuthorized", `(rule:get_${kind.slice(0, -1)}) is disallowed by policy`);
}

/** The answer of a Neutron that validates filters and lacks `changed_since`. */
export function filterRefused(): Response {
  return neutronError(400, "HTTPBadRequest", "['changed_since'] is invalid attribute for filtering");
}

/** The answer about a server in a cell that does not answer, below microversion 2.69. */
export function cellDown(): Response {
  return novaFault(500, "computeFault", "Unexpected API Error. Please report this at https://bugs.launchpad.net/nova/");
}

function novaFault(status: number, name: string, message: string): Response {
  return Response.json({ [name]: { code: status, message } }, { status });
}

function neutronError(status: number, type: string, message: string): Response {
  return Response.json({ NeutronError: { type, message, detail: "" } }, { status });
}
