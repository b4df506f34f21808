// A private Designate as tests of names see it. What it holds is read and changed as its administrator does, so that no test trusts
// the code that it tests.
import type { OpenStackOptions } from "oss-watcher";
import { type PrivateDesignate, startDesignate } from "../../tools/openstack/designate.ts";
import type { Answer, CloudClient } from "../../tools/openstack/rest.ts";
import { ZONES } from "./dns_server.ts";
import type { TestedServer } from "./dns_way.ts";
import { HttpProxy, passedOnTo, type RequestHandler } from "./http_proxy.ts";
import { tool } from "./tool.ts";
import { until } from "./until.ts";

/** One for all tests of a file. */
export class DesignateServer implements TestedServer {
  readonly designate: PrivateDesignate;
  /** What the front answers. */
  handle: RequestHandler;
  readonly #admin: CloudClient;
  readonly #front: HttpProxy;
  readonly #zones = new Map<string, string>();

  private constructor({ designate, admin, front, handle }: {
    readonly designate: PrivateDesignate;
    readonly admin: CloudClient;
    readonly front: HttpProxy;
    readonly handle: RequestHandler;
  }) {
    this.designate = designate;
    this.#admin = admin;
    this.#front = front;
    this.handle = handle;
  }

  /** With the zones of all tests, in the administrator's project. */
  static async start(): Promise<DesignateServer> {
    const designate = await startDesignate();
    const admin = await designate.admin();
    const { keystone, api } = designate.ports;
    const [toKeystone, toDesignate] = [keystone, api].map((port) => passedOnTo(`http://127.0.0.1:${port}`));
    const handle: RequestHandler = (request) => (request.path.startsWith("/v3") ? toKeystone : toDesignate)!(request);
    const front = await HttpProxy.open((request) => server.handle(request));
    const server = new DesignateServer({ designate, admin, front, handle });
    await designate.addRegion("front", `http://127.0.0.1:${front.port}`);
    for (const zone of ZONES) await server.addZone(zone);
    return server;
  }

  /** Where Keystone and Designate are together, behind what tests do to them. */
  get frontPort(): number {
    return this.#front.port;
  }

  /** The plugin's login. @param port Of the front, or of what stands before it. */
  login(port: number): OpenStackOptions {
    const { secret } = this.designate;
    const authUrl = `http://127.0.0.1:${port}/v3`;
    return { authUrl, user: "admin", password: secret, project: "admin", region: "front" };
  }

  /** @param headers As `{ "X-Auth-Sudo-Project-ID": … }`. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    return await this.#admin.call("dns", `${method} /v2${path}`, { body, ...headers === undefined ? {} : { headers } });
  }

  async addZone(name: string, project?: string): Promise<void> {
    const headers = project === undefined ? {} : { "X-Auth-Sudo-Project-ID": project };
    const { id } = await this.call("POST", "/zones", { name: `${name}.`, email: "hostmaster@example.net" }, headers);
    this.#zones.set(name, id);
    // Whoever administers all projects may see all zones.
    const seen = { "X-Auth-All-Projects": "true" };
    await until(async () => (await this.call("GET", `/zones/${id}`, undefined, seen)).status === "ACTIVE");
  }

  async records(): Promise<string[]> {
    const rows = (await Promise.all([...this.#zones.values()].map((id) => this.#rows(id)))).flat();
    return rows.flatMap(({ name, type, records }: Answer) =>
      records.map((data: string) => `${name.replace(/\.$/, "")} ${type} ${apart(name, data)}`)
    ).sort();
  }

  async zone(name: string): Promise<string> {
    const rows = await this.#rows(this.#zones.get(name)!);
    return JSON.stringify(rows.map(({ name, type, ttl, records }) => [name, type, ttl, records.toSorted()]).toSorted());
  }

  async answer(name: string, type: string): Promise<string> {
    let text = "";
    await until(async () => {
      const port = String(this.designate.ports.bind);
      const args = ["@127.0.0.1", "-p", port, "+tcp", "+time=2", "+tries=1", name, type, "+noall", "+answer"];
      text = (await tool("dig", args)).output;
      return text.includes(type);
    });
    return text;
  }

  async nsupdate([zone = "", ...lines]: readonly string[]): Promise<void> {
    const id = this.#zones.get(zone.replace("zone ", ""))!;
    for (const line of lines) {
      const [, what, name = "", ttl, type = "", data = ""] =
        /^update (add|delete) (\S+)(?: (\d+))?(?: ([A-Z]+))?(?: (.*))?$/.exec(line) ?? [];
      const found = (await this.#rows(id)).find((row) => row.name === name && row.type === type);
      if (what === "delete") await this.call("DELETE", `/zones/${id}/recordsets/${found?.id}`);
      else if (found === undefined) {
        const records = [type === "TXT" ? together(name, data) : data];
        await this.call("POST", `/zones/${id}/recordsets`, { name, type, ttl: Number(ttl), records });
      } else {
        await this.call("PUT", `/zones/${id}/recordsets/${found.id}`, { records: [...found.records, data] });
      }
    }
  }

  async clear(): Promise<void> {
    for (const id of this.#zones.values()) {
      for (const row of await this.#rows(id)) {
        await this.#admin.call("dns", `DELETE /v2/zones/${id}/recordsets/${row.id}`, {
          allowed: [404],
          headers: SEES_ALL,
        });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#front[Symbol.asyncDispose]();
    await this.designate.stop();
  }

  /** All but those that a zone has by itself, and those that are being deleted. */
  async #rows(id: string): Promise<Answer[]> {
    const { recordsets } = await this.call("GET", `/zones/${id}/recordsets?limit=1000`, undefined, SEES_ALL);
    return recordsets.filter(({ name, zone_name, action }: Answer) => name !== zone_name && action !== "DELETE");
  }
}

const SEES_ALL = { "X-Auth-All-Projects": "true" };

/** Designate has the texts of an owner's record in one. */
function apart(name: string, data: string): string {
  return name.startsWith("_oss-watcher.") ? data.replaceAll(/(?<=[^"]) (?=[^"])/g, '" "') : data;
}

function together(name: string, data: string): string {
  return name.startsWith("_oss-watcher.") ? data.replaceAll('" "', " ") : data;
}
