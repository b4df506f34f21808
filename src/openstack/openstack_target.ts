import type { OpenStackOptions } from "../model/config.ts";
import type { Json, JsonObject } from "../model/notification.ts";
import { LazyClient } from "../wire/lazy_client.ts";
import { allOptionProblems, optional, type OptionRules, refuseProblems } from "../wire/options/option_rules.ts";
import { BOOLEAN, isOneOf, TEXT, TIMEOUT } from "../wire/options/option_values.ts";
import type { ServiceClient } from "./service_client.ts";

/** A login at OpenStack, and limits. */
export interface OpenStackTargetOptions {
  /**
   * The login, as the section `openstack` of config.ts has it. `{}`: the variables `OS_*`, or
   * clouds.yaml.
   */
  readonly openstack: OpenStackOptions;
  /** For one request. More than 0, at most 3600. @default 30 */
  readonly timeoutSeconds?: number;
}

/** A request to a service of OpenStack. */
export interface OpenStackRequest {
  /** As `PUT`. @default "GET" */
  readonly method?: string;
  /** Below the API's version, as `/zones?name=example.com.`. */
  readonly path: string;
  /** Beside the token. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: Json;
  /** Further statuses that are an answer, beside 200 to 299, 400, 403, 404 and 410. @default none */
  readonly handles?: readonly number[];
  /** Ends the request. */
  readonly signal: AbortSignal;
}

/** The answer to a request. */
export interface OpenStackAnswer {
  /** From 200 to 299, or one that the request handles. */
  readonly status: number;
  /** `null` without a JSON object. */
  readonly body: JsonObject | null;
  /** The service's error message, on one line and without secrets; may be empty. */
  readonly errorMessage: string;
  /** Where it was asked. */
  readonly url: string;
}

const ANYTHING = optional<unknown>(() => true, "");

/** As the section `openstack` is checked, but for what relates keys to each other. */
const LOGIN_RULES: OptionRules<OpenStackOptions> = {
  cloud: TEXT,
  authUrl: TEXT,
  user: TEXT,
  userId: TEXT,
  userDomain: TEXT,
  userDomainId: TEXT,
  password: optional((value) => typeof value === "string", "must be a text"),
  project: TEXT,
  projectId: TEXT,
  projectDomain: TEXT,
  projectDomainId: TEXT,
  domain: TEXT,
  domainId: TEXT,
  systemScope: BOOLEAN,
  applicationCredentialId: TEXT,
  applicationCredentialName: TEXT,
  applicationCredentialSecret: TEXT,
  region: TEXT,
  interface: optional(isOneOf("public", "internal", "admin"), `must be "public", "internal" or "admin"`),
  caFile: TEXT,
  certFile: TEXT,
  keyFile: TEXT,
  maxWaitSeconds: ANYTHING,
  reconcile: ANYTHING,
};

/**
 * A client for one service of OpenStack: logs in at Keystone, finds the service in the catalog, and
 * renews the token. Failures are thrown as a `DeliveryError` that holds no secret.
 *
 * @example
 * ```ts
 * import { OpenStackTarget } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * const openstack = { authUrl: "http://127.0.0.1:1/v3", user: "watcher", password: "s3cret", project: "dns" };
 * await using designate = new OpenStackTarget("Designate", { openstack });
 *
 * const request = { path: "/zones", signal: AbortSignal.timeout(5000) };
 * await assert.rejects(designate.request(request), { reason: "connection" });
 * ```
 */
export class OpenStackTarget implements AsyncDisposable {
  readonly #service: "Designate";
  readonly #client: LazyClient<ServiceClient>;

  /**
   * The problems for which the constructor would refuse these options: `option: what is allowed`
   * each, never with a value.
   */
  static problems({ openstack, ...others }: OpenStackTargetOptions): string[] {
    const problems = allOptionProblems<Omit<OpenStackTargetOptions, "openstack">>(others, { timeoutSeconds: TIMEOUT });
    if (typeof openstack !== "object" || openstack === null || Array.isArray(openstack)) {
      return ["openstack: must be a login, as the section openstack of config.ts has it", ...problems];
    }
    return [...allOptionProblems(openstack, LOGIN_RULES).map((problem) => `openstack.${problem}`), ...problems];
  }

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(service: "Designate", options: OpenStackTargetOptions) {
    refuseProblems("Cannot make OpenStackTarget", OpenStackTarget.problems(options));
    const { openstack, timeoutSeconds = 30 } = options;
    this.#service = service;
    this.#client = new LazyClient(async () => {
      const { ServiceClient } = await import("./service_client.ts");
      return await ServiceClient.open(openstack, { timeoutSeconds });
    });
  }

  /**
   * Sends a request and reads its answer.
   *
   * @throws {DeliveryError} when the login is refused, there is no answer in time, or one that is
   * neither a success nor handled by the request.
   */
  async request(request: OpenStackRequest): Promise<OpenStackAnswer> {
    const client = await this.#client.loaded();
    return await client.ask({ ...request, service: this.#service });
  }

  /** Aborts running requests. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
