import type { ServerSnapshot, WatcherEvent } from "../model/event.ts";

type EventLists = Pick<WatcherEvent, "server" | "floatingIps">;

/** Items per list and characters per text that a shortened event keeps. */
const FEW = 8;
const SHORT = 255;

/** The characters that an item of a list counts, with its order key. */
const ADDRESS_CHARACTERS = 200;
const FLOATING_IP_CHARACTERS = 120;

/** The keys of the detail that come from metadata, which a shortened event lacks. */
const OF_METADATA = ["Metadata", "Owner", "AdditionalUsers", "ApplicationName", "EnvironmentCI", "Description"];

/** The size of an event's lists, metadata and texts in characters. */
export function listedCharacters({ server, floatingIps }: EventLists): number {
  const lists = server.addresses.length * ADDRESS_CHARACTERS + floatingIps.length * FLOATING_IP_CHARACTERS;
  return lists + (CHARACTERS.get(server) ?? countCharacters(server));
}

/** Sizes by snapshot: the events of one message share a server's snapshot. */
const CHARACTERS = new WeakMap<ServerSnapshot, number>();

function countCharacters(server: ServerSnapshot): number {
  let characters = 0;
  for (const value of Object.values(server)) if (typeof value === "string") characters += value.length;
  const { metadata } = server;
  for (const key in metadata) characters += key.length + (metadata[key] as string).length;
  CHARACTERS.set(server, characters);
  return characters;
}

/**
 * The event without metadata and with shortened lists and texts, and the keys of its detail that
 * are incomplete for that.
 */
export function shortened<Event extends EventLists>(event: Event): Event & { readonly cut: readonly string[] } {
  const { server, floatingIps } = event;
  const texts = Object.entries(server).map(([key, value]) =>
    [key, typeof value === "string" && value.length > SHORT ? null : value] as const
  );
  const short = { ...Object.fromEntries(texts) as unknown as ServerSnapshot, metadata: null };
  return {
    ...event,
    server: { ...short, addresses: server.addresses.slice(0, FEW) },
    floatingIps: floatingIps.slice(0, FEW),
    cut: [
      ...server.metadata === null ? [] : OF_METADATA,
      ...server.addresses.length > FEW ? ["Addresses"] : [],
      ...floatingIps.length > FEW ? ["FloatingIPs"] : [],
    ],
  };
}
