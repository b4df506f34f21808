import type { AssociatedAddress, ServerSnapshot } from "../model/event.ts";

/**
 * The order keys of an event: its server, its floating address, and its hostname and fixed
 * addresses within their project. Events that share a key are delivered in order, so that a name or
 * address is released before it is reused.
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
