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

/** Where the creation is that came before an update or a deletion. */
export interface CreationPlace {
  /** Its key, as far as the event's own key tells. */
  readonly key: string;
  /**
   * The keys of all events of the same floating IP are greater than `from` and less than `to`: after
   * a restore the numbers have a gap. `null`: of a server.
   */
  readonly range: { readonly from: string; readonly to: string } | null;
}

/** Where to look for the creation before an event; `null`: its key says nothing of that. */
export function creationBefore(key: string): CreationPlace | null {
  const [, serverId] = /^server\/(.*)\/(?:deletion|update\/\d+)$/s.exec(key) ?? [];
  if (serverId !== undefined) return { key: creationKey(serverId), range: null };
  const [, path, number] = /^(floatingip\/.*)\/(\d+)\/deletion$/s.exec(key) ?? [];
  if (path === undefined) return null;
  return { key: `${path}/${Number(number) - 1}/creation`, range: { from: `${path}/`, to: `${path}0` } };
}
