import { DeliveryError, type Json, PermanentError } from "../mod.ts";
import { type HttpAnswer, type HttpRequest, HttpTarget, type HttpTargetOptions, printable } from "../src/kit/mod.ts";
import type { NetBoxOptions } from "./netbox_options.ts";

/** The kinds of objects that the plugin reads or writes, by their place in NetBox's API. */
export const MACHINES = "virtualization/virtual-machines";
export const INTERFACES = "virtualization/interfaces";
export const ADDRESSES = "ipam/ip-addresses";
export const MACS = "dcim/mac-addresses";
export const FIELDS = "extras/custom-fields";
export const TAGS = "extras/tags";

/** Keeps NetBox from rendering the configuration context of each; the name depends on its release. */
export const WITHOUT_CONTEXT: Query = { exclude: "config_context", omit: "config_context" };

/** An object as NetBox's API shows it. */
export interface NetBoxRow {
  readonly id: number;
  readonly custom_fields?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

/** What an object is to have. */
export type NetBoxValues = Readonly<Record<string, Json>>;

/** Why NetBox refuses an object, by the names of its fields; `__all__` for what concerns several. */
export type Refusal = Readonly<Record<string, string>>;

/** NetBox has refused objects, and so written none of the request. */
export class RefusedError extends PermanentError {
  /** By the object's place in the request. */
  readonly refusals: ReadonlyMap<number, Refusal>;

  constructor(message: string, refusals: ReadonlyMap<number, Refusal>) {
    super(message);
    this.refusals = refusals;
  }
}

/** NetBox's largest page, unless its `MAX_PAGE_SIZE` is smaller. */
const PAGE = 1000;
/** A page of virtual machines takes some 2 KiB for each. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_QUOTED_LENGTH = 300;
/** Fields that are written with ids which NetBox has told. */
const READ_BEFORE = ["id", "virtual_machine", "assigned_object_id", "nat_inside", "primary_ip4", "primary_ip6"];

/** The values of a query; a list means that one of them is enough. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** NetBox's REST API. */
export class NetBoxApi implements AsyncDisposable {
  readonly #base: string;
  readonly #token: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #target: HttpTarget;

  /** Does no I/O. */
  constructor({ url, token, scheme }: Pick<NetBoxOptions, "url" | "token" | "scheme">, http: HttpTargetOptions) {
    this.#base = `${url.replace(/\/+$/, "")}/api`;
    this.#token = token;
    const way = scheme ?? (token.startsWith("nbt_") ? "Bearer" : "Token");
    this.#headers = { Authorization: `${way} ${token}`, Accept: "application/json" };
    this.#target = new HttpTarget({ ...http, bearer: token, maxAnswerBytes: MAX_ANSWER_BYTES });
  }

  /** Reads all objects that a query finds, page by page, in the order of their ids. */
  async *pages(path: string, query: Query, signal: AbortSignal): AsyncGenerator<readonly NetBoxRow[], void> {
    for (let after = 0;;) {
      // Objects that come or go meanwhile move no other from one page to the next.
      const place = { ordering: "id", limit: PAGE, ...(after > 0 ? { id__gt: after } : {}) };
      const { results, next } = await this.get(`${path}/`, { ...query, ...place }, signal);
      if (!isRows(results)) throw this.#odd(path);
      yield results;
      if (typeof next !== "string" || results.length === 0) return;
      after = Math.max(...results.map(({ id }) => id));
    }
  }

  /** All objects that a query finds. */
  async all(path: string, query: Query, signal: AbortSignal): Promise<readonly NetBoxRow[]> {
    const rows: NetBoxRow[] = [];
    for await (const page of this.pages(path, query, signal)) rows.push(...page);
    return rows;
  }

  /** One answer of the API, an object. */
  async get(path: string, query: Query, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const pairs = Object.entries(query).flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]));
    const search = pairs.length === 0 ? "" : `?${new URLSearchParams(pairs)}`;
    const answer = await this.#request("GET", `${path}${search}`, undefined, signal);
    if (typeof answer !== "object" || answer === null || Array.isArray(answer)) throw this.#odd(path);
    return answer as Readonly<Record<string, unknown>>;
  }

  /**
   * Makes objects: all of them, or none.
   *
   * @throws {RefusedError} when NetBox refuses some.
   */
  async create(path: string, rows: readonly NetBoxValues[], signal: AbortSignal): Promise<readonly NetBoxRow[]> {
    return await this.#write("POST", path, rows, signal);
  }

  /**
   * Changes objects: all of them, or none.
   *
   * @throws {RefusedError} when NetBox refuses some.
   */
  async change(
    path: string,
    rows: readonly (NetBoxValues & { readonly id: number })[],
    signal: AbortSignal,
  ): Promise<readonly NetBoxRow[]> {
    return await this.#write("PATCH", path, rows, signal);
  }

  /** Deletes objects: all of them, or none. */
  async remove(path: string, ids: readonly number[], signal: AbortSignal): Promise<void> {
    if (ids.length === 0) return;
    try {
      await this.#request("DELETE", `${path}/`, ids.map((id) => ({ id })), signal);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      // One of them has gone meanwhile; or a rule of NetBox protects it, which an operator can lift.
      throw new DeliveryError(error.message, { reason: "client_error", cause: error });
    }
  }

  /** Closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  async #write(
    method: string,
    path: string,
    rows: readonly Json[],
    signal: AbortSignal,
  ): Promise<readonly NetBoxRow[]> {
    if (rows.length === 0) return [];
    const answer = await this.#request(method, `${path}/`, rows, signal);
    if (!isRows(answer) || answer.length !== rows.length) throw this.#odd(path);
    return answer;
  }

  async #request(method: string, path: string, body: Json | undefined, signal: AbortSignal): Promise<unknown> {
    const { status, text } = await this.#answered({
      method,
      url: `${this.#base}/${path}`,
      headers: { ...this.#headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // For reading, it would be no answer.
      accepts: (status) => status === 400 && method !== "GET",
      signal,
    });
    if (status !== 400) return text === "" ? null : parsed(text);
    const told = text.replaceAll(this.#token, "***");
    const quoted = printable(told, MAX_QUOTED_LENGTH);
    const message = `Cannot write to NetBox at ${path.replace(/\/$/, "")}: it refuses: ${quoted}`;
    const refusals = refusalsIn(parsed(told), Array.isArray(body) ? body.map((row) => recordOf(row)["id"]) : []);
    if (![...refusals.values()].some(isGone)) throw new RefusedError(message, refusals);
    const why = "an object was deleted meanwhile, or the token's user may not change it";
    throw new DeliveryError(`${message}; ${why}`, { reason: "client_error", status });
  }

  /** NetBox answers 403 to a token that it does not know, and to one that lacks a right. */
  async #answered(request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await this.#target.request(request);
    } catch (error) {
      if (!(error instanceof DeliveryError) || error.status !== 403) throw error;
      const isKnown = /permission/i.test(error.message);
      const text = isKnown ? "give the token's user this right: docs/NETBOX.md lists them" : "check token and scheme";
      const reason = isKnown ? "client_error" : "unauthorized";
      throw new DeliveryError(`${error.message}; ${text}`, { reason, status: 403, cause: error });
    }
  }

  #odd(path: string): DeliveryError {
    const text = `Cannot read ${path} of NetBox: the answer is not that of its API. Check url`;
    return new DeliveryError(text, { reason: "other" });
  }
}

/** Whether an object is missing that was there when it was read. */
function isGone(refusal: Refusal): boolean {
  return READ_BEFORE.some((field) => /does not exist|object not found/.test(refusal[field] ?? ""));
}

function isRows(value: unknown): value is NetBoxRow[] {
  return Array.isArray(value) && value.every((row) => typeof row?.id === "number");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * What each object of a request is refused for. From 4.7 on NetBox lists those that it refuses,
 * with their places or ids; before, it gave one entry for each object, empty for those that it
 * accepts.
 */
function refusalsIn(answer: unknown, ids: readonly unknown[]): ReadonlyMap<number, Refusal> {
  const listed = Array.isArray(answer)
    ? answer.map((errors, index) => ({ index, errors }))
    : recordOf(answer)["errors"] ?? [{ index: 0, errors: answer }];
  const refusals = new Map<number, Refusal>();
  for (const [place, entry] of (Array.isArray(listed) ? listed : []).entries()) {
    const { id, index = id === undefined ? place : ids.indexOf(id), errors } = recordOf(entry);
    const texts = Object.entries(recordOf(errors)).map(([field, value]) => [field, textOf(value)]);
    if (texts.length > 0) refusals.set(Number(index), Object.fromEntries(texts));
  }
  return refusals;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.map(textOf).join(" ") : typeof value === "string" ? value : JSON.stringify(value);
}
