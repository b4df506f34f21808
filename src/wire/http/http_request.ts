import { printable } from "../escaping/printable.ts";
import type { HttpTargetOptions } from "./http_options.ts";
import { HIDDEN, isSecretName, shownUrl } from "../secrets/redact.ts";

/** One HTTP request. */
export interface HttpRequest {
  /** As `POST`. */
  readonly method: string;
  /** `http://…` or `https://…`, without user and password. */
  readonly url: string;
  /** They win over the target's own. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The path of the URL is a secret, as that of a webhook: no text shows it. @default false */
  readonly isPathSecret?: boolean;
  /** Sent as UTF-8. @default none */
  readonly body?: string;
  /** Which statuses are an answer, beside 200 to 299; all others are thrown. @default none */
  readonly accepts?: (status: number) => boolean;
  /** Ends the request before the target's own time-out does. */
  readonly signal?: AbortSignal;
}

/**
 * The answer to a request that succeeded: a status from 200 to 299, or one that the request
 * accepts.
 */
export interface HttpAnswer {
  /** From 200 to 299, or one that the request accepts. */
  readonly status: number;
  /** The answer's headers. */
  readonly headers: Headers;
  /** The body up to `maxAnswerBytes`, read as UTF-8. */
  readonly text: string;
  /** `false`: the body was cut at `maxAnswerBytes`. */
  readonly complete: boolean;
}

/**
 * A request as it would be sent, with `***` for secrets. The runtime adds Host, Content-Length,
 * Accept… and User-Agent.
 */
export interface HttpPreview {
  /** As `POST`. */
  readonly method: string;
  /** Without the values of its query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** `null` if the request has no body. */
  readonly body: string | null;
}

/** Headers that hold no secret, though a configuration sets them. */
const HARMLESS = new Set(["accept", "accept-language", "content-type", "from", "prefer", "user-agent"]);

/** Whether a status says that what a request names is not there: for a removal, that is success. */
export function isAbsent(status: number): boolean {
  return status === 404 || status === 410;
}

/** The URL of a request as it may be shown. */
export function shownUrlOf({ url, isPathSecret = false }: Pick<HttpRequest, "url" | "isPathSecret">): string {
  return isPathSecret && URL.canParse(url) ? `${new URL(url).origin}/${HIDDEN}` : shownUrl(url);
}

/** @throws {TypeError} when requests may not be sent to the URL. */
export function checkUrl(request: HttpRequest): void {
  const { method, url } = request;
  const parsed = URL.parse(url);
  if (parsed === null) throw new TypeError(`Cannot ${method}: the address is not a URL`);
  const { protocol, username, password } = parsed;
  const refuse = (state: string) => new TypeError(`Cannot ${method} ${shownUrlOf(request)}: ${state}`);
  if (protocol !== "http:" && protocol !== "https:") throw refuse("not http or https");
  if (username + password !== "") throw refuse("user and password do not belong into a URL");
}

/** The headers of every request, by their names in lower case: configured ones, and credentials. */
export function standingHeaders(options: HttpTargetOptions): Record<string, string> {
  const headers = new Headers(options.headers);
  const authorization = authorizationOf(options);
  if (authorization !== undefined) headers.set("authorization", authorization);
  return Object.fromEntries(headers);
}

/** The headers of a request: its own win over the target's. */
export function headersOf(
  { headers: own = {} }: HttpRequest,
  standing: Readonly<Record<string, string>>,
): Record<string, string> {
  const headers = { ...standing };
  for (const name of Object.keys(own)) headers[name.toLowerCase()] = checkedValue(name, own[name] as string);
  return headers;
}

/** The headers of a request as they may be shown. */
export function shownHeadersOf(request: HttpRequest, options: HttpTargetOptions): Record<string, string> {
  const configured = new Set(secretHeaders(options).map(([name]) => name));
  const isHidden = (name: string) => isSecretName(name) || configured.has(name);
  return Object.fromEntries(
    [...new Headers(headersOf(request, standingHeaders(options)))]
      .map(([name, value]) => [name, isHidden(name) ? HIDDEN : value]),
  );
}

/**
 * The secrets of this request, which no text may repeat: the values of its own secret headers, its
 * query, and perhaps its path.
 */
export function secretsIn({ headers = {}, url, isPathSecret = false }: HttpRequest): readonly string[] {
  const values = Object.entries(headers).filter(([name]) => isSecretName(name)).map(([, value]) => value);
  const { search, searchParams, pathname } = new URL(url);
  // Its words, as "services", are no secrets.
  const path = isPathSecret ? [pathname, ...pathname.split("/").filter(({ length }) => length > 8)] : [];
  const raw = search.slice(1).split("&").map((pair) => pair.slice(pair.indexOf("=") + 1));
  return [...values, search.slice(1), ...raw, ...searchParams.values(), ...path].filter((value) => value.length > 2);
}

/** The secrets of these options: credentials, and the values of configured headers. */
export function secretsOf(options: HttpTargetOptions): readonly string[] {
  const credentials = [options.password, options.bearer, authorizationOf(options)?.replace(/^\w+ /, "")];
  return [...credentials, ...secretHeaders(options).map(([, value]) => value)].filter((text) => text !== undefined);
}

function secretHeaders({ headers = {} }: HttpTargetOptions): [name: string, value: string][] {
  return [...new Headers(headers)].filter(([name]) => !HARMLESS.has(name));
}

function authorizationOf({ user, password = "", bearer }: HttpTargetOptions): string | undefined {
  if (user !== undefined) return `Basic ${new TextEncoder().encode(`${user}:${password}`).toBase64()}`;
  return bearer === undefined ? undefined : `Bearer ${bearer}`;
}

/** RFC 9110, 5.6.2. A record cannot hold `__proto__`. */
const HEADER_NAME = /^(?!__proto__$)[!#$%&'*+.^_`|~\w-]+$/i;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Checked here and not by `fetch`, whose error quotes the value. */
function checkedValue(name: string, value: string): string {
  if (HEADER_NAME.test(name) && HEADER_VALUE.test(value)) return value;
  throw new TypeError(`Cannot send the header "${printable(name, 60)}": its name or value holds what no header can`);
}
