import type { SearchedEvent } from "./search_row.ts";

/** How events are found by a text. */
export type TextQuery =
  /** By the beginning of their keys: all that begin with one of these. */
  | { readonly by: "key"; readonly prefixes: readonly string[] }
  /** By the id of a server or a floating IP. */
  | { readonly by: "id"; readonly id: string }
  /** By what they say: no index has that. */
  | { readonly by: "content"; readonly text: string; readonly pattern: string };

const KEY = /^(?:server|floatingip)\//i;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @returns `null` for an empty text, which all events have. */
export function textQuery(text: string): TextQuery | null {
  if (text === "") return null;
  if (KEY.test(text)) return { by: "key", prefixes: [...new Set([text, lowerCase(text)])] };
  // Ids of projects have no dashes.
  if (UUID.test(text)) return { by: "id", id: lowerCase(text) };
  return { by: "content", text, pattern: patternOf(text) };
}

/** Whether an event has a text: the last word, after what SQL has selected. */
export function hasText(query: TextQuery, searched: SearchedEvent): boolean {
  const { key, event } = searched;
  switch (query.by) {
    case "key":
      return query.prefixes.some((prefix) => key.startsWith(prefix));
    case "id":
      return event.serverId === query.id || key.split("/")[1] === query.id;
    case "content": {
      const wanted = lowerCase(query.text);
      return textsOf(searched).some((text) => text !== null && text !== undefined && lowerCase(text) === wanted);
    }
  }
}

/** Ids, names with and without their domains, addresses and projects of an event. */
function textsOf({ event, whole: known, detail }: SearchedEvent): readonly (string | null | undefined)[] {
  // What SQL looks at: the detail, if it is made.
  const whole = detail === null ? known : null;
  const server = whole?.server;
  const names = [detail?.FQDN, detail?.Name, server?.hostname, server?.dnsName];
  const floating = [
    ...detail?.FloatingIPs ?? [],
    ...whole?.floatingIps ?? [],
    ...whole?.floatingIp ? [whole.floatingIp] : [],
  ];
  return [
    event.serverId,
    ...names,
    ...names.map(labelOf),
    detail?.IP,
    ...[...detail?.Addresses ?? [], ...server?.addresses ?? []].map(({ address }) => address),
    ...floating.flatMap(({ id, address, fixedAddress }) => [id, address, fixedAddress]),
    server?.floatingAddress,
    detail?.ProjectID,
    detail?.ProjectName,
    server?.projectId,
    server?.projectName,
  ];
}

/** The first label of a name with a domain. */
function labelOf(name: string | null | undefined): string | null {
  return typeof name === "string" ? /^([^.]+)\./.exec(name)?.[1] ?? null : null;
}

/** What the JSON of an event has, in small letters, if one of its texts is this one, or begins with it. */
function patternOf(text: string): string {
  return lowerCase(JSON.stringify(text).slice(0, -1));
}

/** Small letters for ASCII's alone, as both engines have it. */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
