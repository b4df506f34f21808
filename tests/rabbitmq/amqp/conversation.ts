import type { ConnectionOptions } from "../../../src/rabbitmq/amqp/connection.ts";
import { openTransport, type Transport, type TransportOptions } from "../../../src/rabbitmq/amqp/transport.ts";

/** What a broker said in a conversation with us, and how many bytes it had from us by then. */
export interface Saying {
  readonly bytes: Uint8Array;
  readonly after: number;
}

/** Notes what a real broker says. */
export class Recording {
  readonly sayings: Saying[] = [];
  #sent = 0;

  readonly open = async (options: TransportOptions): Promise<Transport> => {
    const transport = await openTransport(options);
    return {
      read: async (into) => {
        const count = await transport.read(into);
        if (count > 0) this.sayings.push({ bytes: into.slice(0, count), after: this.#sent });
        return count;
      },
      write: (bytes) => {
        this.#sent += bytes.byteLength;
        return transport.write(bytes);
      },
      close: () => transport.close(),
    };
  };
}

/** Says it again, in pieces, when it has as many bytes from us as the broker had; ends when those do not come. */
export function replay(sayings: readonly Saying[], nextSize: () => number) {
  const left = [...sayings];
  let [sent, closed] = [0, false];
  let wake = () => {};
  const transport: Transport = {
    async read(into) {
      const [saying] = left;
      if (saying === undefined || closed) return 0;
      if (sent < saying.after && !await written(saying.after)) return 0;
      const bytes = saying.bytes.subarray(0, Math.min(nextSize(), into.byteLength));
      into.set(bytes);
      const rest = saying.bytes.subarray(bytes.byteLength);
      if (rest.byteLength === 0) left.shift();
      else left[0] = { bytes: rest, after: saying.after };
      return bytes.byteLength;
    },
    write(bytes) {
      sent += bytes.byteLength;
      wake();
      return Promise.resolve();
    },
    close() {
      closed = true;
      wake();
    },
  };
  /** Whether we have sent so much, or do within some turns of the event loop: nothing but ourselves is waited for. */
  async function written(count: number): Promise<boolean> {
    for (let turn = 0; turn < 3 && sent < count && !closed; turn++) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return sent >= count && !closed;
  }
  return { open: () => Promise.resolve(transport), isClosed: () => closed };
}

/** Gives one answer to each write; when there is none left it is silent, until it is closed. */
export function answering(answers: readonly Uint8Array[]): Transport {
  const [left, ready] = [[...answers], [] as Uint8Array[]];
  let closed = false;
  let wake = () => {};
  return {
    async read(into) {
      while (ready.length === 0 && !closed) await new Promise<void>((resolve) => wake = resolve);
      const answer = ready.shift() ?? new Uint8Array();
      into.set(answer);
      return answer.byteLength;
    },
    write() {
      ready.push(...left.splice(0, 1));
      wake();
      return Promise.resolve();
    },
    close() {
      closed = true;
      wake();
    },
  };
}

/** A frame with a method, a header or a body. */
export function frame(channel: number, payload: readonly number[], type: number = 1): Uint8Array {
  return new Uint8Array([type, 0, channel, 0, 0, 0, payload.length, ...payload, 0xce]);
}

/** Several frames in one read. */
export function together(...frames: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(frames.flatMap((bytes) => [...bytes]));
}

/** A short text, as AMQP writes it. */
export function short(ascii: string): readonly number[] {
  return [ascii.length, ...new TextEncoder().encode(ascii)];
}

/** What a broker answers to the protocol header, the login and the vhost. */
export const HANDSHAKE: readonly Uint8Array[] = [
  frame(0, [0, 10, 0, 10, 0, 9, 0, 0, 0, 0, 0, 0, 0, ...short("PLAIN"), 0, 0, 0, ...short("en_US")]),
  frame(0, [0, 10, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0]),
  frame(0, [0, 10, 0, 41, 0]),
];

/** Connects to nobody but a transport. */
export function connectionOptions(transport: Transport): ConnectionOptions {
  return {
    ...{ host: "", port: 0, tls: null, user: "u", password: "p", vhost: "/", heartbeatSeconds: 10, name: "test" },
    ...{ signal: new AbortController().signal, open: () => Promise.resolve(transport) },
  };
}
