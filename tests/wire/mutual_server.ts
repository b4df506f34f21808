import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { TestPki } from "./pki.ts";

/** Where a client has its certificates. */
export interface ClientFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** A real HTTPS server of an authority of its own, which lets in whom that authority knows. */
export class MutualServer implements AsyncDisposable {
  readonly #pki: TestPki;
  readonly #server: Server;
  readonly #host: string;
  readonly #client: { readonly cert: string; readonly key: string };
  readonly #reached = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();

  private constructor(
    { pki, server, host, client }: {
      readonly pki: TestPki;
      readonly server: Server;
      readonly host: string;
      readonly client: { readonly cert: string; readonly key: string };
    },
  ) {
    this.#pki = pki;
    this.#server = server;
    this.#host = host;
    this.#client = client;
    server.on("request", async ({ url }, answer) => {
      if (url === "/slow") {
        this.#reached.resolve();
        await this.#released.promise;
      }
      answer.end(url === "/slow" ? "slow" : "known");
    });
  }

  /** @param host Two servers need two: in one process they would take each other's TLS sessions, and no certificate would be looked at. */
  static async open(host: "localhost" | "127.0.0.1"): Promise<MutualServer> {
    const pki = await TestPki.make();
    const { cert, key } = await pki.issue("server", host === "localhost" ? "DNS:localhost" : `IP:${host}`);
    const ca = await Deno.readTextFile(pki.caFile);
    const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new MutualServer({ pki, server, host, client: await pki.issue("watcher") });
  }

  get url(): string {
    return `https://${this.#host}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when somebody asks for `/slow`, which is answered after {@linkcode release}. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  release(): void {
    this.#released.resolve();
  }

  /** Writes what a client of this server needs, as cert-manager would: each file is replaced as a whole. */
  async install({ caFile, certFile, keyFile }: ClientFiles): Promise<void> {
    const texts = [[caFile, await Deno.readTextFile(this.#pki.caFile)], [certFile, this.#client.cert], [
      keyFile,
      this.#client.key,
    ]] as const;
    for (const [file, text] of texts) {
      if (file === undefined) continue;
      await Deno.writeTextFile(`${file}.new`, text);
      await Deno.rename(`${file}.new`, file);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
    await this.#pki[Symbol.asyncDispose]();
  }
}
