// Apart from the link, so that a configuration without Kafka loads neither of these modules.
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { TlsMaterial } from "../files/tls_files.ts";

/** Opens a connection; its errors are the caller's to hear. */
export function openSocket(
  { host, port, tls }: {
    readonly host: string;
    readonly port: number;
    readonly tls?: TlsMaterial & { readonly servername: string };
  },
  onConnect: () => void,
): Socket {
  if (tls === undefined) return connectPlain({ host, port, noDelay: true }, onConnect);
  const { servername, ...files } = tls;
  // SNI is for names alone (RFC 6066, 3).
  return connectTls({ host, port, ...files, ...(isIP(servername) ? {} : { servername }) }, onConnect);
}
