import { runToEnd } from "../daemon.ts";

/** Paths of PEM files. */
export interface Certificates {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
const NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n";

/** Makes an authority, and the certificate of a server on the loopback address that it signs. */
export async function makeCertificates(dir: string): Promise<Certificates> {
  const openssl = (...args: string[]) => {
    return runToEnd({ name: "openssl", command: ["openssl", ...args], env: { PATH: Deno.env.get("PATH") ?? "" }, dir });
  };
  const authority = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Authority of a private PostgreSQL"];
  await openssl("req", "-x509", ...KEY, "-days", "2", ...authority);
  await openssl("req", ...KEY, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost");
  await Deno.writeTextFile(`${dir}/server.ext`, NAMES);
  const signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "server.ext"];
  await openssl("x509", "-req", "-in", "server.csr", ...signer, "-out", "server.pem");
  return { caFile: `${dir}/ca.pem`, certFile: `${dir}/server.pem`, keyFile: `${dir}/server.key` };
}
