import { readUsablePems, type TlsFiles } from "../http/http_client.ts";

export type { TlsFiles };

/** What a handshake takes, as `node:tls` names it. */
export interface TlsMaterial {
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: true;
}

/**
 * Reads certificates and key for `node:tls`. Without a `caFile` those authorities are trusted that the process trusts: see main.ts.
 *
 * @throws {DeliveryError} naming the file that cannot be read or used.
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsMaterial> {
  const { ca, cert, key } = await readUsablePems(files);
  return {
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: true,
  };
}
