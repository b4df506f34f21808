// What a name server will not say by itself: answers with any code and any signature, made with node:crypto and by hand, so that no
// test trusts the code that it tests.
import { createHmac } from "node:crypto";
import { KEY } from "./dns_server.ts";

/** How an answer is signed. */
export interface AnswerSignature {
  /** `null`: not at all. @default that of the tests' key */
  readonly secret?: string | null;
  readonly keyName?: string;
  /** The error in the TSIG record. @default 0 */
  readonly error?: number;
  /** Seconds that the server's clock is ahead. @default 0 */
  readonly ahead?: number;
  /** `false`: the MAC is left empty. @default true */
  readonly hasMac?: boolean;
}

/** An answer to a request that is signed with hmac-sha256. */
export function answerTo(request: Uint8Array, rcode: number, signature: AnswerSignature = {}): Uint8Array {
  const { secret = KEY.keySecret, keyName = KEY.keyName, error = 0, ahead = 0, hasMac = true } = signature;
  const header = Uint8Array.from([...request.subarray(0, 2), 0x84 | request[2]!, rcode, 0, 0, 0, 0, 0, 0, 0, 0]);
  if (secret === null) return header;
  const algorithm = nameBytes("hmac-sha256");
  const time = BigInt(Math.floor(Date.now() / 1000) + ahead);
  const timers = [...bigBytes(time, 6), ...bigBytes(300n, 2)];
  const errors = [...bigBytes(BigInt(error), 2), 0, 0];
  const variables = [...nameBytes(keyName), 0, 255, 0, 0, 0, 0, ...algorithm, ...timers, ...errors];
  const requestMac = macOf(request);
  const mac = hasMac
    ? createHmac("sha256", Uint8Array.fromBase64(secret))
      .update(Uint8Array.from([...bigBytes(BigInt(requestMac.length), 2), ...requestMac, ...header, ...variables]))
      .digest()
    : new Uint8Array();
  const data = [
    ...algorithm,
    ...timers,
    ...bigBytes(BigInt(mac.length), 2),
    ...mac,
    ...request.subarray(0, 2),
    ...errors,
  ];
  const record = [...nameBytes(keyName), 0, 250, 0, 255, 0, 0, 0, 0, ...bigBytes(BigInt(data.length), 2), ...data];
  return Uint8Array.from([...header.subarray(0, 11), 1, ...record]);
}

/** A server that answers each message as a function says; `null`: it closes the connection. */
export class AnsweringServer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  readonly #closing = Promise.withResolvers<null>();
  readonly #running: Promise<void>;
  /** Messages that came. */
  readonly requests: Uint8Array[] = [];

  /** @param portOf The port of a real server that new connections lead to; `null`: to the function. */
  constructor(
    readonly answer: (request: Uint8Array) => Uint8Array | null | Promise<Uint8Array | null>,
    readonly portOf: () => number | null = () => null,
  ) {
    this.#running = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#closing.resolve(null);
    for (const connection of this.#open) close(connection);
    await this.#running;
  }

  async #accept(): Promise<void> {
    const all: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      this.#open.add(connection);
      all.push(
        this.#serve(connection).catch(() => {}).finally(() => {
          this.#open.delete(connection);
          close(connection);
        }),
      );
    }
    await Promise.all(all);
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const port = this.portOf();
    if (port !== null) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      const back = server.readable.pipeTo(connection.writable).catch(() => {});
      await connection.readable.pipeTo(server.writable).catch(() => {});
      await back;
      return close(server);
    }
    for (;;) {
      const request = await readMessage(connection);
      this.requests.push(request);
      const answer = await Promise.race([this.answer(request), this.#closing.promise]);
      if (answer === null) return;
      await writeMessage(connection, answer);
    }
  }
}

async function readMessage(connection: Deno.Conn): Promise<Uint8Array> {
  const [high = 0, low = 0] = await readBytes(connection, 2);
  return await readBytes(connection, high << 8 | low);
}

async function writeMessage(connection: Deno.Conn, message: Uint8Array): Promise<void> {
  const bytes = Uint8Array.from([message.length >> 8, message.length & 255, ...message]);
  for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
}

async function readBytes(connection: Deno.Conn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const count = await connection.read(bytes.subarray(done));
    if (count === null) throw new Error("the connection has ended");
    done += count;
  }
  return bytes;
}

/** The MAC of a request's TSIG record: before the original id, the error and the empty other data. */
function macOf(request: Uint8Array): Uint8Array {
  return request.subarray(request.length - 6 - 32, request.length - 6);
}

function nameBytes(name: string): number[] {
  return [...name.split(".").flatMap((label) => [label.length, ...new TextEncoder().encode(label)]), 0];
}

function bigBytes(value: bigint, length: number): number[] {
  return Array.from({ length }, (_, at) => Number(value >> BigInt(8 * (length - 1 - at)) & 255n));
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}
