import { DeliveryError } from "../model/errors.ts";

/** PEM files for TLS. */
export interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/**
 * Deno's HTTP client with a private authority and a certificate of our own. Verification cannot be switched off.
 *
 * @throws {DeliveryError} naming the file that cannot be read or used.
 */
export async function openHttpClient({ caFile, certFile, keyFile }: TlsFiles): Promise<Deno.HttpClient> {
  const [ca, cert, key] = await Promise.all([
    readPem("CA file", caFile),
    readPem("certificate file", certFile),
    readPem("key file", keyFile),
  ]);
  try {
    return Deno.createHttpClient({ caCerts: ca === undefined ? [] : [ca], ...(cert && key ? { cert, key } : {}) });
  } catch (error) {
    throw unusable(`Cannot use the certificate file "${certFile}" with the key file "${keyFile}"`, error);
  }
}

/**
 * The text of a PEM file.
 *
 * @throws {DeliveryError} when it cannot be read or is none.
 */
export async function readPem(what: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const text = await Deno.readTextFile(file).catch((error) => {
    throw unusable(`Cannot read the ${what} "${file}"`, error);
  });
  if (!text.includes("-----BEGIN ")) throw unusable(`Cannot use the ${what} "${file}"`, new Error("it is not PEM"));
  return text;
}

/** Tried again like a connection that fails: the file may be put right while events wait. */
function unusable(attempt: string, error: unknown): DeliveryError {
  const state = error instanceof Error ? error.message : String(error);
  return new DeliveryError(`${attempt}: ${state}`, { reason: "connection", cause: error });
}
