import { DeliveryError } from "../../model/errors.ts";

/** PEM files for TLS. */
export interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/**
 * Deno's HTTP client with a private authority and a certificate of our own. Verification cannot be
 * switched off.
 *
 * @throws {DeliveryError} naming the file that cannot be read or used.
 */
export async function openHttpClient(files: TlsFiles): Promise<Deno.HttpClient> {
  return clientOf(files, await readPems(files));
}

/** The contents of the PEM files. */
export interface TlsPems {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/**
 * Reads PEM files and checks them, in particular that the key belongs to the certificate.
 *
 * @throws {DeliveryError} naming the file that cannot be read or used.
 */
export async function readUsablePems(files: TlsFiles): Promise<TlsPems> {
  const pems = await readPems(files);
  clientOf(files, pems).close();
  return pems;
}

async function readPems({ caFile, certFile, keyFile }: TlsFiles): Promise<TlsPems> {
  const [ca, cert, key] = await Promise.all([
    readPem("CA file", caFile),
    readPem("certificate file", certFile),
    readPem("key file", keyFile),
  ]);
  return { ca, cert, key };
}

function clientOf({ caFile, certFile, keyFile }: TlsFiles, { ca, cert, key }: TlsPems): Deno.HttpClient {
  try {
    return Deno.createHttpClient({ caCerts: ca === undefined ? [] : [ca], ...(cert && key ? { cert, key } : {}) });
  } catch (error) {
    const used = [
      ...(caFile === undefined ? [] : [`the CA file "${caFile}"`]),
      ...(certFile === undefined ? [] : [`the certificate file "${certFile}" with the key file "${keyFile}"`]),
    ];
    throw unusable(`Cannot use ${used.join(", or ")}`, error);
  }
}

async function readPem(what: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const text = await Deno.readTextFile(file).catch((error) => {
    throw unusable(`Cannot read the ${what} "${file}"`, error);
  });
  if (!text.includes("-----BEGIN ")) throw unusable(`Cannot use the ${what} "${file}"`, new Error("it is not PEM"));
  return text;
}

/**
 * Has the reason of a failed connection, so that it is retried: the file may be corrected while
 * events wait.
 */
function unusable(attempt: string, error: unknown): DeliveryError {
  // Deno's text repeats the file's name.
  const state = (error instanceof Error ? error.message : String(error)).replace(/: readfile '.*'$/, "");
  return new DeliveryError(`${attempt}: ${state}`, { reason: "connection", cause: error });
}
