/** What ids of Nova and Neutron consist of: UUIDs, with or without hyphens. */
export const RESOURCE_ID = /^[\w-]{1,255}$/;
