// A second region in the catalog: a Nova of its own, whose databases are empty. It shares Keystone,
// Glance and Neutron with the first.
import { freePorts } from "../free_ports.ts";
import { databaseUrl } from "./config_files.ts";
import type { Daemon } from "../daemon.ts";
import { answers } from "./readiness.ts";
import { type Answer, CloudClient } from "./rest.ts";
import { ADDRESS, REGION, type Site } from "./settings.ts";

export interface RegionStart {
  readonly site: Site;
  readonly admin: CloudClient;
  /** Runs statements as the database's administrator. */
  readonly sql: (statements: string) => Promise<string>;
  /** The region's nova-api: its configuration is the file, on that port. */
  readonly serve: (options: { readonly name: string; readonly file: string; readonly port: number }) => Daemon;
}

/** The databases of Nova, and what their copies are called. */
const DATABASES = ["nova_api", "nova", "nova_cell0"] as const;

/** Adds a region with an empty Nova. Disposing removes it from the catalog, and ends its Nova. */
export async function addEmptyRegion(name: string, start: RegionStart): Promise<AsyncDisposable> {
  const { site, serve, sql } = start;
  await copySchemas(start);
  const [port] = freePorts(1) as [number];
  const file = "nova-empty.conf";
  Deno.writeTextFileSync(`${site.dir}/etc/${file}`, emptyNova(site, port));
  const api = serve({ name: "empty-nova-api", file, port });
  await api.until(() => answers(`http://${ADDRESS}:${port}/`));
  const region = await addRegion(name, `http://${ADDRESS}:${port}/v2.1`, start.admin);
  return {
    async [Symbol.asyncDispose]() {
      await region[Symbol.asyncDispose]();
      await api.stop();
      await sql(DATABASES.map((one) => `DROP DATABASE ${one}_empty;`).join(" "));
    },
  };
}

/** Adds a region to the catalog, whose Nova is at a URL. Disposing removes it from there. */
export async function addRegion(name: string, novaUrl: string, admin: CloudClient): Promise<AsyncDisposable> {
  await admin.keystone("POST", "/regions", { region: { id: name } });
  const { services } = await admin.keystone("GET", "/services");
  const { endpoints } = await admin.keystone("GET", `/endpoints?region_id=${REGION}&interface=public`);
  const added: string[] = [];
  for (const { service_id, url } of endpoints) {
    const isNova = services.find(({ id }: Answer) => id === service_id)?.type === "compute";
    const endpoint = { service_id, interface: "public", region_id: name, url: isNova ? novaUrl : url };
    added.push((await admin.keystone("POST", "/endpoints", { endpoint })).endpoint.id);
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const id of added) await admin.keystone("DELETE", `/endpoints/${id}`);
      await admin.keystone("DELETE", `/regions/${name}`);
    },
  };
}

/** Copies tables without rows. Only the list of cells and the schemas' versions are copied whole. */
async function copySchemas({ sql }: RegionStart): Promise<void> {
  const listed = await sql(
    `SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN (${
      DATABASES.map((one) => `'${one}'`).join(", ")
    });`,
  );
  const tables = listed.trim().split("\n").map((line) => line.split("\t") as [string, string]);
  const statements = [
    ...DATABASES.map((one) => `CREATE DATABASE ${one}_empty CHARACTER SET utf8mb3;`),
    ...tables.map(([schema, table]) => `CREATE TABLE ${schema}_empty.${table} LIKE ${schema}.${table};`),
    ...tables.filter(([, table]) => /version|^cell_mappings$/.test(table)).map(([schema, table]) =>
      `INSERT INTO ${schema}_empty.${table} SELECT * FROM ${schema}.${table};`
    ),
    // As mysql+pymysql://…/nova?charset=utf8.
    "UPDATE nova_api_empty.cell_mappings SET database_connection = replace(database_connection, '?', '_empty?');",
  ];
  await sql(statements.join(" "));
}

/** The configuration of the first region's Nova, with the other databases and port. */
function emptyNova({ dir, ports, ...site }: Site, port: number): string {
  const text = Deno.readTextFileSync(`${dir}/etc/nova.conf`);
  const at = (name: string) => databaseUrl({ ports, ...site }, name);
  return text
    .replace(`connection = ${at("nova_api")}`, `connection = ${at("nova_api_empty")}`)
    .replace(`connection = ${at("nova")}`, `connection = ${at("nova_empty")}`)
    .replace(`osapi_compute_listen_port = ${ports.nova}`, `osapi_compute_listen_port = ${port}`);
}
