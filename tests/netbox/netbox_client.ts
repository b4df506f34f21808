// NetBox's API for tests, which share nothing with the plugin.
import { authorization } from "../../tools/netbox/server.ts";
import type { Row, Rows } from "./tree.ts";

export const PATHS = {
  machines: "virtualization/virtual-machines",
  interfaces: "virtualization/interfaces",
  addresses: "ipam/ip-addresses",
} as const;

export class NetBoxClient {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  async all(path: string, query = ""): Promise<Row[]> {
    const rows: Row[] = [];
    for (let offset = 0;; offset += 1000) {
      const page = await this.#ask("GET", `${path}/?limit=1000&offset=${offset}${query}`);
      rows.push(...page["results"]);
      if (page["next"] === null) return rows;
    }
  }

  async rows(): Promise<Rows> {
    return {
      machines: await this.all(PATHS.machines),
      interfaces: await this.all(PATHS.interfaces),
      addresses: await this.all(PATHS.addresses),
    };
  }

  /** Makes objects. */
  async make(path: string, rows: readonly object[]): Promise<Row[]> {
    return rows.length === 0 ? [] : await this.#ask("POST", `${path}/`, rows);
  }

  async change(path: string, rows: readonly object[]): Promise<Row[]> {
    return await this.#ask("PATCH", `${path}/`, rows);
  }

  async remove(path: string, rows: readonly { readonly id: number }[]): Promise<void> {
    if (rows.length > 0) await this.#ask("DELETE", `${path}/`, rows.map(({ id }) => ({ id })));
  }

  /** Removes all virtual machines and addresses. */
  async clear(): Promise<void> {
    const machines = await this.all(PATHS.machines, "&brief=1");
    await this.remove(PATHS.machines, machines);
    await this.remove(PATHS.addresses, await this.all(PATHS.addresses, "&brief=1"));
  }

  // deno-lint-ignore no-explicit-any
  async #ask(method: string, path: string, body?: unknown): Promise<any> {
    const headers = { ...authorization(this.#token), "content-type": "application/json" };
    const answer = await fetch(`${this.#url}/api/${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 2000)}`);
    return text === "" ? null : JSON.parse(text);
  }
}
