/** The services that are asked. */
export type ServiceName = "Keystone" | "Nova" | "Neutron" | "Glance";

/** The services that the catalog leads to. */
export type CatalogService = Exclude<ServiceName, "Keystone">;

/** What the catalog and discovery call them. */
export const SERVICES: Readonly<
  Record<CatalogService, { readonly type: string; readonly version: string; readonly major: RegExp }>
> = {
  Nova: { type: "compute", version: "v2.1", major: /^v2\.1$/ },
  Neutron: { type: "network", version: "v2.0", major: /^v2\.0$/ },
  Glance: { type: "image", version: "v2", major: /^v2(?:\.\d+)?$/ },
};
