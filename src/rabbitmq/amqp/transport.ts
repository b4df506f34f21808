import type { TLSSocket } from "node:tls";
import type { TlsMaterial } from "../address.ts";
import { AmqpError } from "./amqp_error.ts";

/** The byte stream to and from a broker: TCP or TLS. */
export interface Transport {
  /** Resolves with the number of bytes read; 0 at the end of the stream. */
  read(into: Uint8Array): Promise<number>;
  write(bytes: Uint8Array): Promise<void>;
  /** Closes the socket and ends running reads and writes. */
  close(): void;
}

export interface TransportOptions {
  readonly host: string;
  readonly port: number;
  /** `null` for a connection without TLS. */
  readonly tls: TlsMaterial | null;
  /** Aborts the connection attempt. */
  readonly signal: AbortSignal;
}

/** Connects to the first address of a name that answers. Errors have codes as Node's have. */
export function openTransport(options: TransportOptions): Promise<Transport> {
  return options.tls === null ? openPlain(options) : openSecure(options, options.tls);
}

async function openPlain({ host, port, signal }: TransportOptions): Promise<Transport> {
  const connection = await connect({ hostname: host, port, signal });
  connection.setNoDelay(true);
  return {
    async read(into) {
      return await connection.read(into) ?? 0;
    },
    async write(bytes) {
      for (let at = 0; at < bytes.byteLength;) at += await connection.write(bytes.subarray(at));
    },
    close() {
      try {
        connection.close();
      } catch {
        // It was closed before.
      }
    },
  };
}

async function connect(options: Deno.ConnectOptions): Promise<Deno.TcpConn> {
  try {
    return await Deno.connect(options);
  } catch (error) {
    // Deno's failed name lookup is the only connection error with neither a class nor a code.
    if (error instanceof Error && /^failed to lookup address/.test(error.message)) {
      throw new AmqpError("ENOTFOUND", "name not found");
    }
    throw error;
  }
}

/** Uses Node's TLS: Deno's cannot combine a client certificate with a different server name. */
async function openSecure({ host, port, signal }: TransportOptions, material: TlsMaterial): Promise<Transport> {
  const { connect } = await import("node:tls");
  signal.throwIfAborted();
  const socket = connect({ host, port, ...material });
  socket.setNoDelay(true);
  await secured(socket, signal);
  return new SecureTransport(socket);
}

function secured(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = () => socket.destroy(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    socket.once("error", reject);
    socket.once("close", () => reject(new AmqpError("CONN_CLOSE", "closed by the other side")));
    socket.once("secureConnect", () => {
      signal.removeEventListener("abort", giveUp);
      resolve();
    });
  });
}

class SecureTransport implements Transport {
  readonly #socket: TLSSocket;
  #rest = new Uint8Array();
  #ended = false;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on("readable", () => this.#wake());
    socket.on("end", () => this.#end(null));
    socket.on("close", () => this.#end(null));
    socket.on("error", (error) => this.#end(error));
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.#rest.byteLength === 0) {
      const chunk: Uint8Array | null = this.#socket.read();
      if (chunk !== null) this.#rest = chunk as Uint8Array<ArrayBuffer>;
      else if (this.#failure !== null) throw this.#failure;
      else if (this.#ended) return 0;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const part = this.#rest.subarray(0, into.byteLength);
    into.set(part);
    this.#rest = this.#rest.subarray(part.byteLength);
    return part.byteLength;
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve());
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #end(failure: Error | null): void {
    this.#failure ??= failure;
    this.#ended = true;
    this.#wake();
  }
}
