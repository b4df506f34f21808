import type { JsonObject } from "../model/notification.ts";
import { object, objects, text } from "./read.ts";
import type { Answer, Call, Transport } from "./transport.ts";

/** One version of an API that a service offers. */
export interface ApiVersion {
  /** As `v2.1`. */
  readonly id: string;
  /** Where the service believes it is; proxies may have other ideas. */
  readonly url: string | null;
  /** Its newest microversion, as `2.93`; `null` when it has none. */
  readonly newest: string | null;
}

/** The versions that an answer lists, in any of the forms: `{versions: [...]}`, Keystone's `{versions: {values}}`, `{version}` alone. */
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

/** Asks a URL what versions there are; none when it answers with something else. 300 is what it should answer. */
export async function askVersions(
  transport: Transport,
  call: Call,
): Promise<{ readonly answer: Answer; readonly versions: readonly ApiVersion[] }> {
  const answer = await transport.send(call);
  const isList = answer.status === 200 || answer.status === 300;
  return { answer, versions: isList && answer.body !== null ? readVersions(answer.body) : [] };
}

/**
 * The URL of a version below the URL that was asked. Its own link counts where it stays on the same server: nobody else gets our token or
 * password, and a service behind a proxy often names itself wrongly. Else it is where `segment` leads, as `v3`.
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
