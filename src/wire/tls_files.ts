import { readUsablePems, type TlsFiles } from "./http/http_client.ts";

export type { TlsFiles };

/** What a handshake takes, as `node:tls` names it. */
export interface TlsMaterial {
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: true;
}

/**
 * Reads certificates and key for `node:tls`. Without a `caFile` the system's authorities are trusted, with those that its administrator
 * has added, if we may ask for them; else the usual ones.
 *
 * @throws {DeliveryError} naming the file that cannot be read or used.
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsMaterial> {
  const { ca, cert, key } = await readUsablePems(files);
  const trusted = ca === undefined ? await systemAuthorities() : [ca];
  return {
    ...(trusted.length > 0 ? { ca: trusted } : {}),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: true,
  };
}

/** Deno's own list, which is used for an empty one, lacks what was added to the system's; but asking for that takes `--allow-sys=ca`. */
async function systemAuthorities(): Promise<string[]> {
  const { getCACertificates } = await import("node:tls");
  try {
    return [...getCACertificates("system")];
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}
