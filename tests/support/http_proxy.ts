import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request, as it came. */
export interface ProxiedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly authorization: string;
  /** Those whose names begin with `x-`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is answered to it. */
export interface ProxiedAnswer {
  readonly status: number;
  /** Those whose names begin with `x-`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers a request; `null` cuts the connection in place of an answer. */
export type RequestHandler = (request: ProxiedRequest) => Promise<ProxiedAnswer | null> | ProxiedAnswer | null;

/** Stands between a client and a server of HTTP, request by request, on the loopback interface. */
export class HttpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #handle: RequestHandler;

  private constructor(server: Server, handle: RequestHandler) {
    this.#server = server;
    this.#handle = handle;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response));
  }

  static async open(handle: RequestHandler): Promise<HttpProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new HttpProxy(server, handle);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      // A client that disconnects in the middle of a request gets no answer.
      return void response.destroy();
    }
    const own = Object.entries(request.headers).filter(([name]) => name.startsWith("x-"));
    const answer = await this.#handle({
      ...own.length === 0 ? {} : { headers: Object.fromEntries(own.map(([name, value]) => [name, String(value)])) },
      method: request.method ?? "",
      path: request.url ?? "",
      authorization: String(request.headers["authorization"] ?? ""),
      body: new TextDecoder().decode(new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer())),
    });
    if (answer === null) return void request.socket.destroy();
    response.writeHead(answer.status, { ...answer.headers, "content-type": "application/json" });
    response.end(answer.body);
  }
}

/** Passes requests on to a server, at `http://HOST:PORT`. */
export function passedOnTo(url: string): (request: ProxiedRequest) => Promise<ProxiedAnswer> {
  return async ({ method, path, authorization, headers: own = {}, body }) => {
    const headers = { ...own, authorization, accept: "application/json", "content-type": "application/json" };
    const answer = await fetch(url + path, { method, headers, ...(body === "" ? {} : { body }), redirect: "manual" });
    const more = [...answer.headers].filter(([name]) => name.startsWith("x-"));
    const text = await answer.text();
    return { status: answer.status, body: text, ...more.length === 0 ? {} : { headers: Object.fromEntries(more) } };
  };
}
