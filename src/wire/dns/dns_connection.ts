import { concat } from "../concat.ts";
import { u16 } from "./dns_message.ts";
import type { DnsServer } from "./dns_options.ts";

/** A connection to a name server: messages with their length before them (RFC 1035, 4.2.2). */
export class DnsConnection implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.#close();
  #isClosed = false;

  private constructor(connection: Deno.TcpConn, signal: AbortSignal) {
    this.#connection = connection;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** The signal ends the connection, also while it is being opened. */
  static async open(server: DnsServer, signal: AbortSignal): Promise<DnsConnection> {
    signal.throwIfAborted();
    const opening = Deno.connect(server);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const connection = await Promise.race([opening, aborted]);
      connection.setNoDelay(true);
      return new DnsConnection(connection, signal);
    } catch (error) {
      // A connection that opens after all is closed: nobody waits for it.
      opening.then((late) => late.close(), () => undefined);
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Sends a message. */
  async send(message: Uint8Array): Promise<void> {
    const bytes = concat([u16(message.length), message]);
    for (let done = 0; done < bytes.length;) done += await this.#connection.write(bytes.subarray(done));
  }

  /** The next message. Rejects when the connection ends before. */
  async receive(): Promise<Uint8Array> {
    const length = await this.#read(2);
    return await this.#read((length[0] as number) << 8 | (length[1] as number));
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#close();
  }

  async #read(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const count = await this.#connection.read(bytes.subarray(done));
      if (count === null) throw new Error("the server has closed the connection");
      done += count;
    }
    return bytes;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }
}
