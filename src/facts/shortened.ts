import type { ServerSnapshot, WatcherEvent } from "../model/event.ts";

type EventLists = Pick<WatcherEvent, "server" | "floatingIps">;

/** Items of a list, and characters of a text, that every event carries. */
const FEW = 8;
const SHORT = 255;

/** What an item of a list takes, with its order key. */
const ADDRESS_CHARACTERS = 200;
const FLOATING_IP_CHARACTERS = 120;

/** The keys of the detail that come from metadata. */
const OF_METADATA = ["Metadata", "Owner", "AdditionalUsers", "ApplicationName", "EnvironmentCI", "Description"];

/** The characters that lists, metadata and long texts of an event take. */
export function listedCharacters({ server, floatingIps }: EventLists): number {
  const lists = server.addresses.length * ADDRESS_CHARACTERS + floatingIps.length * FLOATING_IP_CHARACTERS;
  return lists + (CHARACTERS.get(server) ?? countCharacters(server));
}

/** Events of one message share what is known of a server. */
const CHARACTERS = new WeakMap<ServerSnapshot, number>();

function countCharacters(server: ServerSnapshot): number {
  let characters = 0;
  for (const value of Object.values(server)) if (typeof value === "string") characters += value.length;
  const { metadata } = server;
  for (const key in metadata) characters += key.length + (metadata[key] as string).length;
  CHARACTERS.set(server, characters);
  return characters;
}

/** The same event with as much as all events of any message can carry, and which keys of its detail that concerns. */
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
