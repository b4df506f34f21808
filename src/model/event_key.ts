/** The key of a server's creation. */
export function creationKey(serverId: string): string {
  return `server/${serverId}/creation`;
}

/** The key of a server's deletion. */
export function deletionKey(serverId: string): string {
  return `server/${serverId}/deletion`;
}

/** The key of a server's update with this number. */
export function updateKey(serverId: string, number: number): string {
  return `${updateKeys(serverId).from}${number}`;
}

/** The keys of all updates of a server are greater than `from` and less than `to`. */
export function updateKeys(serverId: string): { readonly from: string; readonly to: string } {
  // "0" follows "/".
  return { from: `server/${serverId}/update/`, to: `server/${serverId}/update0` };
}
