// A client of the cloud's APIs for tests that act as tenant or administrator. Unlike the watcher's
// own clients it writes.
import { REGION } from "./settings.ts";

export interface Account {
  readonly user: string;
  readonly password: string;
  readonly project: string;
}

export type ServiceType = "identity" | "image" | "compute" | "network" | "dns";

/** An object of an answer. Its values are compared or printed, so a missing key is noticed. */
// deno-lint-ignore no-explicit-any -- answers of four APIs, each field of which would need a type to be used once
export type Answer = any;

export interface Call {
  readonly body?: unknown;
  /** Of Nova. */
  readonly microversion?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses from 400 on that do not count as a failure. */
  readonly allowed?: readonly number[];
}

/** Someone who is logged in. */
export class CloudClient {
  readonly account: Account;
  readonly projectId: string;
  readonly userId: string;
  readonly #token: string;
  readonly #endpoints: Readonly<Record<string, string>>;

  private constructor(account: Account, { token, answer }: { readonly token: string; readonly answer: Answer }) {
    this.account = account;
    this.projectId = answer.project.id;
    this.userId = answer.user.id;
    this.#token = token;
    this.#endpoints = Object.fromEntries(
      answer.catalog.flatMap(({ type, endpoints }: Answer) =>
        endpoints.filter((one: Answer) => one.interface === "public" && one.region_id === REGION)
          .map(({ url }: Answer) => [type, url])
      ),
    );
  }

  static async login(authUrl: string, account: Account): Promise<CloudClient> {
    const { user, password, project } = account;
    const domain = { id: "default" };
    const auth = {
      identity: { methods: ["password"], password: { user: { name: user, domain, password } } },
      scope: { project: { name: project, domain } },
    };
    const response = await fetch(`${authUrl}/auth/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ auth }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`Cannot log in as ${user}: ${response.status} ${JSON.stringify(answer)}`);
    return new CloudClient(account, { token: response.headers.get("x-subject-token")!, answer: answer.token });
  }

  nova(method: string, path: string, call: Call = {}): Promise<Answer> {
    return this.call("compute", `${method} ${path}`, call);
  }

  neutron(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.call("network", `${method} /v2.0${path}`, { body });
  }

  glance(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.call("image", `${method} /v2${path}`, { body });
  }

  keystone(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.call("identity", `${method} ${path}`, { body });
  }

  /** Returns the JSON of the answer; `null` without one, or with a status that is `allowed`. */
  async call(
    service: ServiceType,
    what: string,
    { body, microversion, headers = {}, allowed = [] }: Call = {},
  ): Promise<Answer> {
    const [method, path] = what.split(" ") as [string, string];
    const isBytes = body instanceof Uint8Array;
    const response = await fetch(`${this.#endpoints[service]}${path}`, {
      method,
      headers: {
        ...headers,
        "x-auth-token": this.#token,
        "content-type": isBytes ? "application/octet-stream" : "application/json",
        ...microversion !== undefined && { "openstack-api-version": `compute ${microversion}` },
      },
      ...body !== undefined && { body: isBytes ? body as Uint8Array<ArrayBuffer> : JSON.stringify(body) },
    });
    const text = await response.text();
    if (allowed.includes(response.status)) return null;
    if (!response.ok) throw new Error(`${service} ${what}: ${response.status} ${text.slice(0, 500)}`);
    return text === "" ? null : JSON.parse(text);
  }
}
