import { readUsablePems, type TlsFiles } from "../http/http_client.ts";

export type { TlsFiles };

/** Options of a TLS handshake, as `node:tls` names them. */
export interface TlsMaterial {
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: true;
}

/**
 * Reads certificates and key for `node:tls`. Without a `caFile`, the process's own authorities are
 * trusted: see main.ts.
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
