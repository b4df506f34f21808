/**
 * Real services with a console, in processes of their own.
 *
 * @module
 */

import { consoleSecret } from "../../src/console/sign_in/secret.ts";
import { makeLink } from "../../src/console/sign_in/links.ts";
import type { Role } from "../../src/console/api.ts";
import { freePorts } from "../../tools/free_ports.ts";
import { Service } from "../../tools/service.ts";
import { ProgramDirectory } from "../support/program.ts";
import { until } from "../support/until.ts";

/** Long enough for a machine that is busy with much else. */
export const LONG_MS = 120_000;

/** What differs from a service that has nothing to do: TypeScript of config.ts. */
export interface ConsoleSetUp {
  /** @default a port at which nobody listens: the service waits for it */
  readonly rabbit?: string;
  readonly plugins?: string;
  readonly ledger?: string;
  /** Further keys of `console`. */
  readonly console?: string;
  /** Further sections, each with its comma. */
  readonly sections?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A service whose console listens. */
export class RunningConsole implements AsyncDisposable {
  readonly dir: ProgramDirectory;
  readonly port: number;
  readonly #setUp: ConsoleSetUp;
  #service: Service;

  private constructor(dir: ProgramDirectory, { port, setUp }: { port: number; setUp: ConsoleSetUp }) {
    this.dir = dir;
    this.port = port;
    this.#setUp = setUp;
    this.#service = this.#begin();
  }

  static async start(setUp: ConsoleSetUp = {}): Promise<RunningConsole> {
    const [port = 0] = freePorts(1);
    const dir = new ProgramDirectory({ "config.ts": configOf(setUp, port) });
    const running = new RunningConsole(dir, { port, setUp });
    await running.listening(1);
    return running;
  }

  get service(): Service {
    return this.#service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when the console has begun to listen for so many times. */
  async listening(times: number): Promise<void> {
    try {
      await until(() => this.service.log.split("(console) Console at").length > times, LONG_MS);
    } catch (error) {
      throw new Error(`The console does not listen: ${this.service.log}`, { cause: error });
    }
  }

  /** Stops the service, and starts it again in the same place. */
  async restart(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    await this.service.end(signal);
    this.#service = this.#begin();
    await this.listening(1);
  }

  /** Another config.ts for the next start or reload. */
  configure(setUp: ConsoleSetUp): void {
    this.dir.write("config.ts", configOf({ ...this.#setUp, ...setUp }, this.port));
  }

  /** The token of a link, as the command `console` makes it. */
  async link(role: Role = "operator", user = "anna"): Promise<string> {
    return makeLink({ user, role }, { secret: await consoleSecret(this.dir.path()), now: Date.now() });
  }

  async signIn(role: Role = "operator", user = "anna"): Promise<Session> {
    return await signInAt(this.url, await this.link(role, user));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service.end("SIGKILL");
    this.dir[Symbol.dispose]();
  }

  #begin(): Service {
    return new Service(this.dir.path(), [], { STATE_DIRECTORY: this.dir.path(), ...this.#setUp.env });
  }
}

/** Signs in with the token of a link. */
export async function signInAt(url: string, token: string): Promise<Session> {
  const response = await fetch(`${url}/sign-in?token=${token}`);
  await response.body?.cancel();
  const [cookie = ""] = response.headers.get("set-cookie")?.split(";") ?? [];
  const session = new Session(url, { cookie, csrf: "" });
  const { csrf } = await session.json<{ csrf: string }>("GET", "session");
  return new Session(url, { cookie, csrf });
}

/** Somebody who has signed in. */
export class Session {
  readonly url: string;
  readonly cookie: string;
  readonly csrf: string;

  constructor(url: string, { cookie, csrf }: { readonly cookie: string; readonly csrf: string }) {
    this.url = url;
    this.cookie = cookie;
    this.csrf = csrf;
  }

  /** A request to the API. */
  fetch(method: string, path: string, init: { readonly body?: unknown; readonly headers?: HeadersInit } = {}) {
    const headers = new Headers({ cookie: this.cookie, "x-csrf-token": this.csrf });
    if (init.body !== undefined) headers.set("content-type", "application/json");
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    const body = init.body === undefined ? {} : { body: JSON.stringify(init.body) };
    return fetch(`${this.url}/api/v1/${path}`, { method, headers, ...body });
  }

  /** @throws {Error} for any status but 200. */
  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.fetch(method, path, { body });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  get<T>(path: string): Promise<T> {
    return this.json("GET", path);
  }
}

function configOf(
  {
    rabbit = `{ port: 9, queue: { name: "oss-watcher" } }`,
    plugins = `new EventLog({ file: "events.log" })`,
    ledger = `{ file: "ledger.db", keepDays: 36500 }`,
    console = "",
    sections = "",
  }: ConsoleSetUp,
  port: number,
): string {
  return `import { env, when } from "oss-watcher";
import { EventLog, RestNotify } from "oss-watcher/plugins";

export default {
  events: {
    creation: ["compute.instance.create.end", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
  },
  plugins: [${plugins}],
  rabbit: ${rabbit},
  ledger: ${ledger},
  metrics: false,
  console: { port: ${port}, ${console} },
  ${sections}
};
export const unused = env("HOME", "");
`;
}
