// Somebody who looks at the console of a watcher.
import { makeLink } from "../src/console/sign_in/links.ts";
import { consoleSecret } from "../src/console/sign_in/secret.ts";
import { until } from "../tests/support/until.ts";

/** A session at the console. */
export class Operator {
  readonly port: number;
  readonly cookie: string;
  readonly csrf: string;

  private constructor(port: number, { cookie, csrf }: { readonly cookie: string; readonly csrf: string }) {
    this.port = port;
    this.cookie = cookie;
    this.csrf = csrf;
  }

  /** Waits until the console listens. */
  static async signIn(dir: string, port: number): Promise<Operator> {
    const url = `http://127.0.0.1:${port}`;
    const isThere = () => fetch(url).then((response) => response.text().then(() => true), () => false);
    await until(isThere, 60_000);
    const link = makeLink({ user: "bench", role: "operator" }, { secret: await consoleSecret(dir), now: Date.now() });
    const response = await fetch(`${url}/sign-in?token=${link}`);
    await response.body?.cancel();
    const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
    const session = await fetch(`${url}/api/v1/session`, { headers: { cookie } });
    return new Operator(port, { cookie, csrf: (await session.json()).csrf });
  }

  /** Asks, and reads the whole answer. */
  async ask(path: string, body?: unknown): Promise<void> {
    const headers = { cookie: this.cookie, "x-csrf-token": this.csrf, "content-type": "application/json" };
    const init = body === undefined ? { headers } : { headers, method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${this.port}/${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  }

  /** Clients that connect and say nothing, and as many that open a stream and never read it. */
  static async crowd(dir: string, { port, each }: { readonly port: number; readonly each: number }) {
    const connections: Deno.TcpConn[] = [];
    let { cookie } = await Operator.signIn(dir, port);
    for (let index = 0; index < 2 * each; index++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      connections.push(connection);
      if (index % 2 === 0) continue;
      // A session may have few streams.
      if (index % 16 === 1) ({ cookie } = await Operator.signIn(dir, port));
      const request = `GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${cookie}\r\n\r\n`;
      await connection.write(new TextEncoder().encode(request));
    }
    return {
      [Symbol.asyncDispose]() {
        for (const connection of connections) connection.close();
        return Promise.resolve();
      },
    };
  }
}
