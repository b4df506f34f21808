import type { JsonObject } from "../model/notification.ts";
import { object, objects, text } from "./read.ts";
import type { Answer, Call, Transport } from "./transport.ts";

/** One version of an API that a service offers. */
export interface ApiVersion {
  /** As `v2.1`. */
  readonly id: string;
  /** The service's own link to this version; behind a proxy it is often wrong. */
  readonly url: string | null;
  /** Its newest microversion, as `2.93`; `null` when it has none. */
  readonly newest: string | null;
}

/**
 * The versions that an answer lists, in any of three forms: `{versions: [...]}`, Keystone's
 * `{versions: {values: [...]}}`, or a single `{version}`.
 */
export function readVersions(body: JsonObject): readonly ApiVersion[] {
  const many = body["versions"];
  const listed = Array.isArray(many) ? objects(many) : objects(object(many)["values"]);
  const versions = "version" in body ? [object(body["version"])] : listed;
  return versions.flatMap((version) => {
    const id = text(version["id"]);
    if (id === null) return [];
    const self = objects(version["links"]).find((link) => link["rel"] === "self");
    return [{ id, url: text(self?.["href"]), newest: text(version["version"]) }];
  });
}

/**
 * Requests the list of API versions from a URL; an empty list for any other answer. Services should
 * answer with 300 Multiple Choices; some answer with 200.
 */
export async function askVersions(
  transport: Transport,
  call: Call,
): Promise<{ readonly answer: Answer; readonly versions: readonly ApiVersion[] }> {
  const answer = await transport.send(call);
  const isList = answer.status === 200 || answer.status === 300;
  return { answer, versions: isList && answer.body !== null ? readVersions(answer.body) : [] };
}

/**
 * The URL of a version below the requested URL. The service's own link is used only if it stays on
 * the same host: no other host may get our token or password, and a service behind a proxy often
 * returns a wrong link. Otherwise the URL is built with `segment`, as `v3`.
 */
export function versionUrl(
  askedUrl: string,
  { url, segment }: { readonly url: string | null; readonly segment: string },
): string {
  const asked = new URL(askedUrl);
  const own = url !== null && URL.canParse(url, askedUrl) ? new URL(url, askedUrl) : null;
  const isBelow = own !== null && own.host === asked.host && own.pathname.startsWith(asked.pathname);
  const path = isBelow ? own.pathname : `${asked.pathname.replace(/\/+$/, "")}/${segment}`;
  return `${asked.origin}${path.replace(/\/+$/, "")}`;
}
