import type { ConnectionOptions, Server, ServerInfo, TlsOptions } from "@nats-io/nats-core";
import { checkOptions, DataBuffer, extractProtocolMessage, INFO, type Transport } from "@nats-io/nats-core/internal";
import { createConnection, type Socket } from "node:net";
import { connect as startTls } from "node:tls";

/** Of what a server says first. It has some 500 bytes. */
const MAX_INFO_BYTES = 1_048_576;

/** What of the options of TLS is ours. */
export interface SocketTls extends TlsOptions {
  /** The name that the certificate must hold. @default the host */
  readonly serverName?: string;
}

/**
 * A TCP connection to a NATS server, with TLS where it wants it, for `@nats-io/nats-core`. The
 * library's own one for Node leaves its sockets without a listener of errors now and then: on Deno a
 * reset connection would end the process.
 */
export class NatsSocket implements Transport {
  readonly lang = "oss-watcher";
  readonly version = "1";
  closeError?: Error;
  #socket: Socket | undefined;
  /** Bytes that came and were not handed on. */
  #pending: Uint8Array[] = [];
  #arrived = Promise.withResolvers<void>();
  #isEncrypted = false;
  readonly #over = Promise.withResolvers<Error | void>();
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  async connect(server: Server, options: ConnectionOptions): Promise<void> {
    const tls = (options.tls ?? undefined) as SocketTls | undefined;
    try {
      await this.#use(createConnection({ host: server.hostname, port: server.port, noDelay: true }), "connect");
      if (tls?.handshakeFirst) await this.#encrypt(server, tls);
      const info = await this.#info();
      if (this.#isEncrypted) return;
      checkOptions(info, options);
      if (info.tls_required || info.tls_available || tls !== undefined) await this.#encrypt(server, tls);
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error("the connection was closed"));
      throw this.closeError;
    }
  }

  isEncrypted(): boolean {
    return this.#isEncrypted;
  }

  send(frame: Uint8Array): void {
    // A frame that cannot be written is followed by the end of the connection, which says why.
    if (!this.#isClosed) this.#socket?.write(frame);
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    try {
      for (;;) {
        const [bytes] = this.#pending.splice(0, 1);
        if (bytes !== undefined) yield bytes;
        else if (this.#isClosed) return;
        else await this.#next();
      }
    } finally {
      // The reader has given up: nothing that comes would be read.
      this.#end(new Error("what it sends is not NATS"));
    }
  }

  close(error?: Error): Promise<void> {
    this.#end(error);
    return Promise.resolve();
  }

  disconnect(): void {
    this.#end();
  }

  discard(): void {
    this.#end();
  }

  closed(): Promise<Error | void> {
    return this.#over.promise;
  }

  /** Takes a socket into use; resolves when it emits the event. Its errors are heard to its end. */
  #use(socket: Socket, ready: "connect" | "secureConnect"): Promise<void> {
    this.#socket = socket;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const lost = (error: Error) => {
      reject(error);
      this.#end(error);
    };
    socket.once(ready, resolve);
    socket.on("error", lost);
    socket.on("close", () => lost(new Error("the server closed the connection")));
    if (this.#isClosed) socket.destroy();
    return promise;
  }

  /** The first message; of what follows it nothing is lost. */
  async #info(): Promise<ServerInfo> {
    this.#read();
    for (;;) {
      const bytes = DataBuffer.concat(...this.#pending);
      const line = extractProtocolMessage(bytes);
      const [, text] = INFO.exec(line) ?? [];
      if (text !== undefined) return JSON.parse(text);
      if (line !== "" || bytes.length > MAX_INFO_BYTES) throw new Error("what it sends is not NATS");
      if (this.#isClosed) throw this.closeError;
      await this.#next();
    }
  }

  async #encrypt({ hostname }: Server, tls: SocketTls = {}): Promise<void> {
    const { ca, cert, key, serverName } = tls;
    const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
    const name = serverName === undefined ? { host: hostname } : { servername: serverName };
    const plain = this.#socket!;
    plain.removeAllListeners("data");
    await this.#use(startTls({ socket: plain, ...name, ...files, rejectUnauthorized: true }), "secureConnect");
    this.#isEncrypted = true;
    this.#read();
  }

  #read(): void {
    this.#socket?.removeAllListeners("data").on("data", (bytes: Uint8Array) => {
      this.#pending.push(bytes);
      this.#arrived.resolve();
    });
  }

  async #next(): Promise<void> {
    await this.#arrived.promise;
    this.#arrived = Promise.withResolvers();
  }

  #end(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (error !== undefined) this.closeError = error;
    this.#socket?.destroy();
    this.#arrived.resolve();
    this.#over.resolve(error);
  }
}
