import type { Json } from "../mod.ts";
import type { WantedAddress, WantedServer } from "./netbox_content.ts";
import type { Mark } from "./netbox_mark.ts";

/** What is written for a server. */
export function previewOfServer(server: WantedServer, mark: Mark): Json {
  const { id, name, fields, references, ports, fixed, floating } = server;
  return jsonOf({
    "virtual machine": { name, status: "active", ...fields, ...references, ...mark.of(id) },
    interfaces: ports.map((mac) => ({ mac_address: mac, ...mark.of(id) })),
    "IP addresses": [
      ...fixed.map(({ withLength, vrf, mac }) => ({ address: withLength, vrf, interface: mac, ...mark.of(id) })),
      ...floating.map((one) => floatingOf(one, id, mark)),
    ],
  });
}

/** What is done when a server is deleted. */
export function previewOfRemoval(id: string, mark: Mark, onDeletion: string): Json {
  return {
    [onDeletion]: `the virtual machine with ${mark.field} ${id}`,
    delete: `IP addresses with ${mark.field} ${id}`,
  };
}

/** What is done when a floating IP is associated, or an association ends. */
export function previewOfAssociation(
  id: string,
  mark: Mark,
  { floating, created }: { readonly floating: WantedAddress | null; readonly created: boolean },
): Json {
  if (floating === null) return "nothing: the event names no address that NetBox can hold";
  if (created) return jsonOf({ "IP addresses": [floatingOf(floating, id, mark)] });
  return { delete: `the IP address ${floating.address} with ${mark.field} ${id}` };
}

function floatingOf({ withLength, vrf, inside }: WantedAddress, id: string, mark: Mark) {
  return { address: withLength, vrf, nat_inside: inside, ...mark.of(id) };
}

function jsonOf(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}
