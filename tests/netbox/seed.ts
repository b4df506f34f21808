import type { NetBoxClient } from "./netbox_client.ts";

/** The objects that people made before oss-watcher came. */
export async function seed(client: NetBoxClient): Promise<void> {
  if ((await client.all("virtualization/clusters")).length > 0) return;
  await client.make("virtualization/cluster-types", [{ name: "OpenStack", slug: "openstack" }]);
  await client.make("virtualization/clusters", [{ name: "openstack", type: { slug: "openstack" } }]);
  await client.make("dcim/sites", [{ name: "Berlin", slug: "berlin" }]);
  await client.make("tenancy/tenants", ["physics", "webshop"].map((name) => ({ name, slug: name })));
  await client.make("dcim/device-roles", [{ name: "Server", slug: "server", vm_role: true }]);
  await client.make("dcim/platforms", [{ name: "Debian", slug: "debian" }]);
  await client.make("ipam/vrfs", [{ name: "tenants", rd: "65000:1" }]);
  await client.make("extras/tags", [{ name: "openstack-deleted", slug: "openstack-deleted" }]);
}
