import { UserError } from "../model/errors.ts";
import type { JsonObject } from "../model/notification.ts";
import { printable } from "../wire/escaping/printable.ts";
import { HttpTarget } from "../wire/http/http.ts";
import { shownUrl } from "../wire/secrets/redact.ts";
import type { Credentials } from "./credentials.ts";
import { objects, text } from "./read.ts";
import { type CatalogService, SERVICES } from "./services.ts";

/** One endpoint of the service catalog. */
export interface CatalogEndpoint {
  readonly type: string;
  readonly region: string | null;
  readonly interface: string;
  readonly url: string;
}

/** The endpoints of a token's catalog. */
export function readCatalog(token: JsonObject): readonly CatalogEndpoint[] {
  return objects(token["catalog"]).flatMap((service) =>
    objects(service["endpoints"]).flatMap((endpoint) => {
      const [type, url] = [text(service["type"]), text(endpoint["url"])];
      if (type === null || url === null) return [];
      const region = text(endpoint["region_id"]) ?? text(endpoint["region"]);
      return [{ type, region, interface: text(endpoint["interface"]) ?? "public", url: url.replace(/\/+$/, "") }];
    })
  );
}

/**
 * The endpoint of a service in the region and with the interface that the credentials ask for.
 *
 * @param keystoneUrl The Keystone that issued the catalog, for error messages.
 * @throws {UserError} when there is no such endpoint, or several regions have one.
 */
export function endpointIn(
  catalog: readonly CatalogEndpoint[],
  { service, credentials, keystoneUrl }: {
    readonly service: CatalogService;
    readonly credentials: Credentials;
    readonly keystoneUrl: string;
  },
): CatalogEndpoint {
  const { region, source } = credentials;
  const { type } = SERVICES[service];
  const cannot = `Cannot find ${service} (${type}) in the catalog of Keystone at ${shownUrl(keystoneUrl)}:`;
  if (catalog.length === 0) {
    throw new UserError(
      `${cannot} the catalog is empty. Name a project whose account has a role, or a scope, in ${source}; ` +
        "`openstack catalog list` shows what Keystone has",
    );
  }
  const offered = catalog.filter((endpoint) => endpoint.type === type);
  if (offered.length === 0) {
    throw new UserError(
      `${cannot} it has no such service. \`openstack catalog list\` shows what it has; Keystone's administrator adds it`,
    );
  }
  const usable = offered.filter((endpoint) => endpoint.interface === credentials.interface);
  const found = region === null ? usable : usable.filter((endpoint) => endpoint.region === region);
  const regions = [...new Set(found.map((endpoint) => endpoint.region))];
  const [first] = found;
  if (first === undefined) {
    const wanted = `the interface "${credentials.interface}"${
      region === null ? "" : ` and the region "${shown(region)}"`
    }`;
    const has = offered.map((endpoint) => `${endpoint.interface} in ${shown(endpoint.region)}`);
    throw new UserError(
      `${cannot} it has none with ${wanted}, but ${[...new Set(has)].join(", ")}. ` +
        `Correct region and interface in ${source}`,
    );
  }
  if (regions.length > 1) {
    throw new UserError(`${cannot} it is in the regions ${regions.map(shown).join(", ")}. Set the region in ${source}`);
  }
  if (HttpTarget.isUrl(first.url)) return first;
  throw new UserError(`${cannot} its URL there is not valid: ${shownUrl(first.url)}. Correct the catalog`);
}

function shown(region: string | null): string {
  return region === null ? "no region" : printable(region, 60);
}
