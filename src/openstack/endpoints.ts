import type { Credentials } from "./credentials.ts";
import { endpointIn } from "./catalog.ts";
import { askVersions, versionUrl } from "./discovery.ts";
import { SingleFlight } from "./single_flight.ts";
import type { Session } from "./keystone.ts";
import { bestMicroversion, lowerMicroversion } from "./microversion.ts";
import { type CatalogService, SERVICES } from "./services.ts";
import type { Transport } from "./transport.ts";

/** The URL of a service's API, and the microversion to use. */
export interface Endpoint {
  /** Includes the API version; no trailing slash. */
  readonly url: string;
  readonly microversion: string | null;
}

/** A path that ends in an API version, optionally followed by a project id as in old catalogs. */
const VERSIONED = /^(.*\/)(v\d+(?:\.\d+)?)((?:\/[\w-]+)?)$/;

/**
 * Finds the endpoints of services, from the catalog and version discovery. Results are kept until
 * the catalog's URL of the service changes.
 */
export class Endpoints {
  readonly #known = new Map<CatalogService, { readonly catalogUrl: string; readonly endpoint: Endpoint }>();
  readonly #inFlight = new SingleFlight<Endpoint>();
  readonly #transport: Transport;
  readonly #credentials: Credentials;

  constructor({ transport, credentials }: { readonly transport: Transport; readonly credentials: Credentials }) {
    this.#transport = transport;
    this.#credentials = credentials;
  }

  /** @throws {UserError} when the catalog has no usable endpoint of the service. */
  async of(service: CatalogService, { catalog, keystoneUrl }: Session): Promise<Endpoint> {
    const credentials = this.#credentials;
    const { url: catalogUrl } = endpointIn(catalog, { service, credentials, keystoneUrl });
    const known = this.#known.get(service);
    if (known?.catalogUrl === catalogUrl) return known.endpoint;
    return await this.#inFlight.run(`${service} ${catalogUrl}`, async () => {
      const endpoint = service === "Nova" ? await this.#nova(catalogUrl) : await this.#plain(service, catalogUrl);
      this.#known.set(service, { catalogUrl, endpoint });
      return endpoint;
    });
  }

  /** Switches to a lower microversion after the service refused one that it had offered. */
  lower(service: CatalogService, refused: string, errorMessage: string): void {
    const known = this.#known.get(service);
    if (known === undefined || known.endpoint.microversion !== refused) return;
    const microversion = lowerMicroversion(refused, errorMessage);
    this.#known.set(service, { ...known, endpoint: { ...known.endpoint, microversion } });
  }

  async #plain(service: CatalogService, url: string): Promise<Endpoint> {
    const isVersioned = VERSIONED.test(new URL(url).pathname);
    return { url: isVersioned ? url : await this.#unversioned(service, url), microversion: null };
  }

  /** A service that does not list its versions is assumed to support the required one. */
  async #unversioned(service: CatalogService, url: string): Promise<string> {
    const { version, major } = SERVICES[service];
    const { versions } = await askVersions(this.#transport, { service, url: `${url}/` });
    const found = versions.find(({ id }) => major.test(id));
    return found === undefined ? `${url}/${version}` : versionUrl(`${url}/`, { ...found, segment: version });
  }

  /**
   * Nova's version document lists its microversions. The catalog may still point to v2, which has
   * none.
   */
  async #nova(catalogUrl: string): Promise<Endpoint> {
    const { origin, pathname } = new URL(catalogUrl);
    const [, prefix, version, project = ""] = VERSIONED.exec(pathname) ?? [];
    const base = version === undefined ? await this.#unversioned("Nova", catalogUrl) : `${origin}${prefix}v2.1`;
    const { versions } = await askVersions(this.#transport, { service: "Nova", url: `${base}/` });
    const found = versions.find(({ id }) => id === "v2.1");
    if (found !== undefined) return { url: `${base}${project}`, microversion: bestMicroversion(found.newest) };
    // Nova lists no microversions: the newest supported one is tried, and lowered after a 406.
    if (version === undefined || version === "v2.1") return { url: `${base}${project}`, microversion: "2.93" };
    return { url: catalogUrl, microversion: null };
  }
}
