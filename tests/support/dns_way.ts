// The ways to a name server: by signed messages, or by an HTTP API. What is lost on the way is lost here.
import { type DnsPlugin, type DnsRecordsOptions, DnsUpdate, PowerDns } from "oss-watcher/plugins";
import { AnsweringServer } from "./dns_answers.ts";
import {
  API_KEY,
  type DnsServer,
  type DnsServerKind,
  KEY,
  PowerDnsServer,
  startDnsServer,
  ZONES,
} from "./dns_server.ts";
import { HttpProxy, passedOnTo, type ProxiedRequest } from "./http_proxy.ts";

/** A name server, as tests see it. What it holds is read and changed past the plugin. */
export interface TestedServer extends AsyncDisposable {
  /** The records of all zones but SOA and NS of the zones themselves, as `name type data` each, sorted. */
  records(): Promise<string[]>;
  /** Changes a zone as the administrator, in nsupdate's language. */
  nsupdate(lines: readonly string[]): Promise<void>;
  /** All of a zone, also the values that records() leaves out. */
  zone(name: string): Promise<string>;
  /** A record as a resolver gets it, once it is there. */
  answer(name: string, type: string): Promise<string>;
  /** Removes every record but SOA and NS. */
  clear(): Promise<void>;
}

/** Starts a server, and makes the plugin for it. */
export interface DnsWay<Server extends TestedServer = TestedServer> {
  /** Names the tests. */
  readonly name: string;
  /** The plugin's class. */
  readonly plugin: string;
  /** Whether the plugin can find zones by itself. */
  readonly findsZones: boolean;
  /** Whether a message takes so long that not all ways to lose one are tried. @default false */
  readonly isSlow?: boolean;
  start(): Promise<Server>;
  make(server: Server, options: DnsRecordsOptions): DnsPlugin;
  /** Stands before the server, and loses what it is told. */
  losing(server: Server, lost: Lost): Promise<LosingWay>;
}

/** A way that ends after some messages. */
export interface Lost {
  /** Messages that arrive and are answered; by an API, those that write. */
  readonly after: number;
  /** `true`: the next one arrives, and its answer does not. */
  readonly isAnswerLost: boolean;
}

/** A way that loses messages, until it is disposed of. */
export interface LosingWay extends AsyncDisposable {
  make(options: DnsRecordsOptions): DnsPlugin;
}

/** Signed UPDATE messages. */
export function byUpdates(name: DnsServerKind): DnsWay<DnsServer> {
  const make = (port: number, options: DnsRecordsOptions) =>
    new DnsUpdate({ ...KEY, server: `127.0.0.1:${port}`, zones: ZONES, ...options });
  return {
    name,
    plugin: "DnsUpdate",
    findsZones: true,
    start: () => startDnsServer(name),
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
export const BY_API: DnsWay<DnsServer> = {
  name: "PowerDNS's API",
  plugin: "PowerDns",
  findsZones: false,
  start: () => startDnsServer("powerdns"),
  make: (server, options) => madeFor(apiPortOf(server), options),
  losing: async (server, lost) => {
    const proxy = await HttpProxy.open(counted(lost, passedOnTo(`http://127.0.0.1:${apiPortOf(server)}`), isWrite));
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

/** Whether a request changes something: one that only asks may as well be lost with the next. */
export function isWrite({ method, path }: ProxiedRequest): boolean {
  return method !== "GET" && !path.startsWith("/v3/");
}

/** Passes some messages on; `null` for all that come later. */
export function counted<Request, Answer>(
  { after, isAnswerLost }: Lost,
  pass: (request: Request) => Promise<Answer>,
  counts: (request: Request) => boolean = () => true,
): (request: Request) => Promise<Answer | null> {
  let left = after;
  return async (request) => {
    if (left < 0) return null;
    if (!counts(request) || left-- > 0) return await pass(request);
    if (isAnswerLost) await pass(request);
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
