/**
 * A small OpenStack on loopback that gives the recorded answers of a real one (release Zed, `tests/data/openstack_api.jsonl.gz`): four
 * services on four ports, each with its own rules for tokens. A test changes single answers.
 *
 * @module
 */

import { gunzipSync } from "node:zlib";
import { TestServer } from "../wire/server.ts";

export type RecordedService = "identity" | "compute" | "network" | "image";

/** One recorded call; bodies are exactly as received. */
interface Recording {
  readonly name: string;
  readonly service: RecordedService;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request as it came. */
export interface TakenRequest {
  readonly service: RecordedService;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Headers;
}

/** A test's own answer; `undefined` leaves it to the recordings. */
export type Interceptor = (request: TakenRequest) => Response | undefined | Promise<Response | undefined>;

/** Ids of the recordings. */
export const RECORDED = {
  /** Has one address, a description and metadata. */
  server: "4818c5b1-ac0b-4458-9eed-faf8936ad379",
  /** Has two ports, one with two addresses. */
  twoNics: "b7d20e4e-ba30-4575-b254-c1bb767a6f0d",
  hostile: "9e33f643-3c95-48c3-a75b-a0d3108f3251",
  withFloatingIp: "a3a6b1fc-b9dd-4848-b4f4-7ee8dae55738",
  image: "a3c22689-b9b7-4ea0-9120-d923188358d7",
  project: "a10c63d70ae34535a236849b63793d29",
  user: "3a6050e4f5ff406798e457d64bd17700",
  adminProject: "a966afeff6ad40f8bf469c6c312df6ef",
  /** The first port of `twoNics`. */
  port: "743fd63c-b87b-46bd-addc-6e3a2546f98c",
  floatingIp: "8d58b4a7-0471-4678-8fc2-7d6f929bab45",
} as const;

const PORTS: Readonly<Record<RecordedService, string>> = {
  identity: "127.0.0.1:5000",
  compute: "127.0.0.1:8774",
  network: "127.0.0.1:9696",
  image: "127.0.0.1:9292",
};
const SERVICES = Object.keys(PORTS) as RecordedService[];

const EXPIRED: Readonly<Record<RecordedService, string>> = {
  identity: "keystone-expired-token-401",
  compute: "nova-expired-token-401",
  network: "neutron-expired-token-401",
  image: "glance-expired-token-401",
};

/** What is there for everybody, by service, method and path without query. */
const PLAIN: Readonly<Record<string, string>> = {
  "identity GET /": "discovery-keystone-root",
  "identity GET /v3": "discovery-keystone-v3",
  "compute GET /": "discovery-nova-root",
  "compute GET /v2.1/": "discovery-nova-v2.1",
  "network GET /": "discovery-neutron-root",
  "image GET /": "discovery-glance-root",
};

/** What a token opens, and what is said where nothing is. */
const OWNED: Readonly<Record<string, string>> = {
  [`identity GET /v3/projects/${RECORDED.project}`]: "project",
  [`identity GET /v3/users/${RECORDED.user}`]: "user",
  [`compute GET /v2.1/servers/${RECORDED.twoNics}`]: "server-two-nics",
  [`compute GET /v2.1/servers/${RECORDED.hostile}`]: "server-hostile-metadata",
  [`compute GET /v2.1/servers/${RECORDED.withFloatingIp}`]: "server-with-floatingip-later",
  [`image GET /v2/images/${RECORDED.image}`]: "image",
  "network GET /v2.0/floatingips": "floatingips",
  [`network GET /v2.0/ports/${RECORDED.port}`]: "port",
  [`network GET /v2.0/floatingips/${RECORDED.floatingIp}`]: "floatingip-associated",
};
const ABSENT: readonly (readonly [RegExp, string])[] = [
  [/^identity GET \/v3\/projects\//, "project-404"],
  [/^identity GET \/v3\/users\//, "user-404"],
  [/^compute GET \/v2\.1\/servers\//, "server-deleted-404"],
  [/^network GET \/v2\.0\/ports\//, "port-404"],
  [/^network GET \/v2\.0\/floatingips\//, "floatingip-deleted-404"],
  [/^image GET \/v2\/images\//, "image-404"],
];

/** Pages of three servers, by marker. */
const PAGES: Readonly<Record<string, string>> = {
  "": "servers-detail-all-tenants-page-1",
  "a83abd8f-7931-4021-bbfa-78faafe4d414": "servers-detail-all-tenants-page-2",
  "501cc37c-488e-4215-bf4b-b99423835372": "servers-detail-all-tenants-page-3",
  "efac951b-02c0-4ccf-809d-f69546d63970": "servers-detail-all-tenants-page-4",
};

const recordings = new Map(
  new TextDecoder().decode(gunzipSync(Deno.readFileSync(new URL("../data/openstack_api.jsonl.gz", import.meta.url))))
    .trim().split("\n").map((line) => JSON.parse(line) as Recording).map((recording) => [recording.name, recording]),
);

export class OpenStackServer implements AsyncDisposable {
  readonly #servers: Readonly<Record<RecordedService, TestServer>>;
  readonly #scheme: "http" | "https";
  readonly requests: TakenRequest[] = [];
  /** Which recording a login gets. */
  login = "auth-password-admin";
  /** Changes what a login gets. */
  editLogin: (body: string) => string = (body) => body;
  /** Asked before the recordings. */
  intercept: Interceptor = () => undefined;
  #tokens = 0;
  #revoked = 0;

  /** @param tls Speaks TLS with this certificate for `localhost`. */
  constructor(tls?: { readonly cert: string; readonly key: string }) {
    this.#scheme = tls === undefined ? "http" : "https";
    const open = (service: RecordedService) =>
      new TestServer((request) => this.#answer(service, request), tls === undefined ? undefined : { ...tls });
    this.#servers = {
      identity: open("identity"),
      compute: open("compute"),
      network: open("network"),
      image: open("image"),
    };
  }

  /** Where a service is: scheme, host and port. */
  origin(service: RecordedService): string {
    const host = this.#scheme === "https" ? "localhost" : "127.0.0.1";
    return `${this.#scheme}://${host}:${this.#servers[service].port}`;
  }

  get authUrl(): string {
    return `${this.origin("identity")}/v3`;
  }

  /** The requests since the last call, as `compute GET /v2.1/`. */
  taken(): string[] {
    return this.requests.splice(0).map(({ service, method, path }) =>
      `${service} ${method} ${path.split("&fields")[0]}`
    );
  }

  /** The bodies of a service's requests. */
  bodies(service: RecordedService): string[] {
    return this.#servers[service].requests.map(({ body }) => body);
  }

  /** No token that was given so far is good any more. */
  revokeTokens(): void {
    this.#revoked = this.#tokens;
  }

  /** A recorded answer with our own addresses in the place of the recorded ones, and perhaps other differences. */
  recorded(name: string, edit: (body: string) => string = (body) => body): Response {
    const recording = recordings.get(name);
    if (recording === undefined) throw new Error(`There is no recording "${name}"`);
    const here = (text: string) =>
      SERVICES.reduce((rest, service) => rest.replaceAll(`http://${PORTS[service]}`, this.origin(service)), text);
    const headers = Object.entries(recording.headers).map(([key, value]) => [key, here(value)] as [string, string]);
    return new Response(edit(here(recording.body)), { status: recording.status, headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(SERVICES.map((service) => this.#servers[service][Symbol.asyncDispose]()));
  }

  async #answer(service: RecordedService, request: Request): Promise<Response> {
    const { pathname, search, searchParams } = new URL(request.url);
    const { method, headers } = request;
    const taken = { service, method, path: pathname + search, headers };
    this.requests.push(taken);
    const own = await this.intercept(taken);
    if (own !== undefined) return own;
    const key = `${service} ${method} ${pathname}`;
    if (key === "identity POST /v3/auth/tokens") return this.#login();
    const plain = PLAIN[key];
    if (plain !== undefined) return this.recorded(plain);
    if (!this.#isGood(headers.get("x-auth-token"))) return this.recorded(EXPIRED[service]);
    if (service === "compute" && /\.(?:9[4-9]|\d{3,})$/.test(headers.get("openstack-api-version") ?? "")) {
      return this.recorded("nova-microversion-too-new-406");
    }
    return this.recorded(nameOf(key, searchParams, headers), (body) => naming(body, pathname));
  }

  #login(): Response {
    const answer = this.recorded(this.login, this.editLogin);
    if (answer.status < 300) answer.headers.set("X-Subject-Token", `token-${++this.#tokens}`);
    return answer;
  }

  #isGood(token: string | null): boolean {
    const number = Number(/^token-(\d+)$/.exec(token ?? "")?.[1] ?? 0);
    return number > this.#revoked && number <= this.#tokens;
  }
}

/** What Nova and Neutron say of an absent resource, with the id that was asked for. */
function naming(body: string, pathname: string): string {
  return body.replace(
    /(?<=(?:Instance|Port|Floating IP) )[\w-]{36}(?= could not be found)/,
    pathname.split("/").at(-1)!,
  );
}

function nameOf(key: string, query: URLSearchParams, headers: Headers): string {
  const microversion = headers.get("openstack-api-version");
  if (key === `compute GET /v2.1/servers/${RECORDED.server}`) {
    return microversion === null ? "server-active-default" : `server-active-${microversion.replace("compute ", "")}`;
  }
  if (key === "compute GET /v2.1/servers/detail") return PAGES[query.get("marker") ?? ""] ?? "server-deleted-404";
  if (key === "network GET /v2.0/ports") {
    const hasPorts = query.get("device_id") === RECORDED.twoNics || query.has("marker");
    if (hasPorts) return "ports-by-device_id-two-nics";
    return query.has("device_id") ? "ports-by-device_id-after-delete" : "ports-page-1";
  }
  return OWNED[key] ?? ABSENT.find(([pattern]) => pattern.test(key))?.[1] ?? "server-deleted-404";
}
