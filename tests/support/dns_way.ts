// The ways to a name server: by signed messages, or by an HTTP API. What is lost on the way is lost here.
import { type DnsPlugin, type DnsRecordsOptions, DnsUpdate, PowerDns } from "oss-watcher/plugins";
import { AnsweringServer } from "./dns_answers.ts";
import { API_KEY, type DnsServer, KEY, PowerDnsServer, ZONES } from "./dns_server.ts";
import { HttpProxy, passedOnTo } from "./http_proxy.ts";

/** Makes the plugin for a server. */
export interface DnsWay {
  /** Names the tests. */
  readonly name: string;
  /** The plugin's class. */
  readonly plugin: string;
  /** Whether the plugin can find zones by itself. */
  readonly findsZones: boolean;
  make(server: DnsServer, options: DnsRecordsOptions): DnsPlugin;
  /** Stands before the server, and loses what it is told. */
  losing(server: DnsServer, lost: Lost): Promise<LosingWay>;
}

/** A way that ends after some messages. */
export interface Lost {
  /** Messages that arrive and are answered. */
  readonly after: number;
  /** `true`: the next one arrives, and its answer does not. */
  readonly isAnswerLost: boolean;
}

/** A way that loses messages, until it is disposed of. */
export interface LosingWay extends AsyncDisposable {
  make(options: DnsRecordsOptions): DnsPlugin;
}

/** Signed UPDATE messages. */
export function byUpdates(name: string): DnsWay {
  const make = (port: number, options: DnsRecordsOptions) =>
    new DnsUpdate({ ...KEY, server: `127.0.0.1:${port}`, zones: ZONES, ...options });
  return {
    name,
    plugin: "DnsUpdate",
    findsZones: true,
    make: ({ port }, options) => make(port, options),
    losing: (server, lost) => {
      const proxy = new AnsweringServer(counted(lost, (request: Uint8Array) => forwarded(server.port, request)));
      return Promise.resolve({
        make: (options) => make(proxy.port, options),
        [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
      });
    },
  };
}

/** The HTTP API of PowerDNS. */
export const BY_API: DnsWay = {
  name: "PowerDNS's API",
  plugin: "PowerDns",
  findsZones: false,
  make: (server, options) => madeFor(apiPortOf(server), options),
  losing: async (server, lost) => {
    const proxy = await HttpProxy.open(counted(lost, passedOnTo(`http://127.0.0.1:${apiPortOf(server)}`)));
    return {
      make: (options) => madeFor(proxy.port, options),
      [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
    };
  },
};

function madeFor(port: number, options: DnsRecordsOptions): PowerDns {
  return new PowerDns({ url: `http://127.0.0.1:${port}`, apiKey: API_KEY, zones: ZONES, ...options });
}

function apiPortOf(server: DnsServer): number {
  if (server instanceof PowerDnsServer) return server.apiPort;
  throw new TypeError(`${server.kind} has no HTTP API`);
}

/** Passes some messages on; `null` for the others. */
function counted<Request, Answer>(
  { after, isAnswerLost }: Lost,
  pass: (request: Request) => Promise<Answer>,
): (request: Request) => Promise<Answer | null> {
  let left = after;
  return async (request) => {
    if (left-- > 0) return await pass(request);
    if (isAnswerLost && left === -1) await pass(request);
    return null;
  };
}

/** Asks the real server. */
async function forwarded(port: number, request: Uint8Array): Promise<Uint8Array> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(Uint8Array.from([request.length >> 8, request.length & 255, ...request]));
  const bytes: number[] = [];
  const part = new Uint8Array(4096);
  while (bytes.length < 2 || bytes.length < 2 + (bytes[0]! << 8 | bytes[1]!)) {
    bytes.push(...part.subarray(0, await connection.read(part) ?? 0));
  }
  return Uint8Array.from(bytes.slice(2));
}
