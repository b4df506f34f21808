// What a NetBox holds, as plain values that a test can write down by hand.

/** An object as NetBox's API shows it. */
export interface Row {
  readonly id: number;
  // deno-lint-ignore no-explicit-any
  readonly [key: string]: any;
}

/** A virtual machine with all that belongs to it. */
export interface Machine {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly cluster: string | null;
  readonly tenant: string | null;
  readonly role: string | null;
  readonly platform: string | null;
  readonly sizes: readonly (number | null)[];
  readonly primary4: string | null;
  readonly primary6: string | null;
  readonly tags: readonly string[];
  readonly comments: string;
  /** `MAC: address/length in VRF`, one for each address of an interface; one without addresses, too. */
  readonly interfaces: readonly string[];
  /** `address > fixed address in VRF`. */
  readonly floating: readonly string[];
}

/** The objects of all kinds that a plugin writes. */
export interface Rows {
  readonly machines: readonly Row[];
  readonly interfaces: readonly Row[];
  readonly addresses: readonly Row[];
}

/** Our servers in NetBox, by the custom field. */
export function machinesIn({ machines, interfaces, addresses }: Rows, field = "openstack_id"): Machine[] {
  const markOf = (row: Row) => row["custom_fields"]?.[field] ?? null;
  return machines.filter((row) => markOf(row) !== null).map((machine): Machine => {
    const id = markOf(machine);
    const vrf = (row: Row) => row["vrf"] === null ? "" : ` in ${row["vrf"].name}`;
    const ports = interfaces.filter((row) => row["virtual_machine"].id === machine.id);
    return {
      id,
      name: machine["name"],
      status: machine["status"].value,
      cluster: machine["cluster"]?.name ?? null,
      tenant: machine["tenant"]?.name ?? null,
      role: machine["role"]?.slug ?? null,
      platform: machine["platform"]?.name ?? null,
      sizes: [machine["vcpus"], machine["memory"], machine["disk"]],
      primary4: machine["primary_ip4"]?.address ?? null,
      primary6: machine["primary_ip6"]?.address ?? null,
      tags: machine["tags"].map(({ slug }: { slug: string }) => slug),
      comments: machine["comments"],
      interfaces: ports.flatMap((port) => {
        const mac = port["mac_address"] ?? "no MAC";
        const on = addresses.filter((row) =>
          row["assigned_object_type"] === "virtualization.vminterface" && row["assigned_object_id"] === port.id
        );
        return on.length === 0 ? [mac] : on.map((row) => `${mac}: ${row["address"]}${vrf(row)}`);
      }).sort(),
      floating: addresses.filter((row) => markOf(row)?.split(" ")[0] === id && row["assigned_object_id"] === null)
        .map((row) => `${row["address"]} > ${row["nat_inside"]?.address ?? "?"}${vrf(row)}`).sort(),
    };
  }).sort((one, other) => one.id < other.id ? -1 : 1);
}

/** All that is not ours: it must stay as it is. */
export function foreignIn({ machines, interfaces, addresses }: Rows, field = "openstack_id"): readonly Row[] {
  return [machines, interfaces, addresses].flat().flatMap(({ custom_fields, ...row }) => {
    const { [field]: mark = null, ...fields } = custom_fields;
    return mark === null ? [{ ...row, custom_fields: fields }] : [];
  });
}
