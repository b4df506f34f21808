import type { OpenStackApi, Page, PageOptions } from "../../src/openstack/api.ts";
import { idOf, type Kind, MadeCloud } from "../support/made_cloud.ts";
import { all, Opened } from "./opened.ts";

export type Method = "servers" | "ports" | "floatingIps";

export const KINDS = [["servers", "servers"], ["ports", "ports"], ["floatingIps", "floatingips"]] as const;

/** A made cloud, and clients that read pages of three. */
export class World extends Opened {
  cloud!: MadeCloud;

  static async open(servers = 8, options: { readonly pageSize?: number; readonly ownProject?: string } = {}) {
    const world = new World({}, options);
    world.cloud = await MadeCloud.behind(world.server, { servers, floatingIps: servers, ...options });
    return world;
  }

  /** The requests of lists since the last call: their queries without fields. */
  asked(): string[] {
    return this.server.taken().filter((line) => line.includes("limit=")).map((line) => line.split("?")[1]!);
  }
}

export async function pagesOf<T>(pages: AsyncIterable<Page<T>>): Promise<Page<T>[]> {
  const found: Page<T>[] = [];
  for await (const page of pages) found.push(page);
  return found;
}

export function idsOf(api: OpenStackApi, method: Method, options: PageOptions = {}): Promise<string[]> {
  return all<{ id: string }>(api[method](options)).then((records) => records.map(({ id }) => id));
}

export function ids(kind: Kind, count: number, from = 0): string[] {
  const prefix = { servers: "5e", ports: "b0", floatingips: "f1" } as const;
  return Array.from({ length: count }, (_, number) => idOf(prefix[kind], from + number));
}
