import type { AssociatedAddress, ServerSnapshot } from "../model/event.ts";

/**
 * What an event must not overtake another on: its server, its floating address, its hostname and its fixed addresses within their
 * project. A name or an address is given back before it is taken again.
 */
export function orderKeys(
  { server, floatingIp }: { readonly server: ServerSnapshot; readonly floatingIp: AssociatedAddress | null },
): readonly string[] {
  const keys = new Set<string>();
  if (server.id !== null) keys.add(`server/${server.id}`);
  for (const floating of [floatingIp?.address, server.floatingAddress]) {
    if (floating) keys.add(`floating/${floating}`);
  }
  if (server.projectId !== null) {
    if (server.hostname !== null) keys.add(`name/${server.projectId}/${server.hostname.toLowerCase()}`);
    for (const { address } of server.addresses) keys.add(`fixed/${server.projectId}/${address}`);
  }
  return [...keys];
}
