/** The OpenStack services that oss-watcher uses. */
export type ServiceName = "Keystone" | "Nova" | "Neutron" | "Glance" | "Designate";

/** The services that are found through the catalog. */
export type CatalogService = Exclude<ServiceName, "Keystone">;

/** The type in the catalog, and the required version in a path and in version discovery. */
export const SERVICES: Readonly<
  Record<CatalogService, { readonly type: string; readonly version: string; readonly major: RegExp }>
> = {
  Nova: { type: "compute", version: "v2.1", major: /^v2\.1$/ },
  Neutron: { type: "network", version: "v2.0", major: /^v2\.0$/ },
  Designate: { type: "dns", version: "v2", major: /^v2$/ },
  Glance: { type: "image", version: "v2", major: /^v2(?:\.\d+)?$/ },
};
