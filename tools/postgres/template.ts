import { runToEnd } from "../daemon.ts";
import { giveToOwner, owned, type PostgresPrograms } from "./programs.ts";

/** The role that the ledger's owner is: no superuser. It owns the database of the same name. */
export const WATCHER = { role: "watcher", password: "watcher-password", database: "watcher" } as const;
/** The superuser. */
export const ADMIN = { role: "postgres", password: "admin-password" } as const;

const ROLES = [
  `CREATE ROLE ${WATCHER.role} LOGIN PASSWORD '${WATCHER.password}'`,
  `CREATE DATABASE ${WATCHER.database} OWNER ${WATCHER.role}`,
];
const INITDB = ["--username", ADMIN.role, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"];

/**
 * The data of a server as it begins: with both roles and the database. It is made once, which takes
 * most of a second, and kept where the chroots are; servers copy it.
 */
export async function postgresTemplate(programs: PostgresPrograms): Promise<string> {
  const folder = cacheFolder();
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(`${folder}/lock`, { create: true, write: true });
  await lock.lock(true);
  const template = `${folder}/${await nameOf(programs)}`;
  if (!await exists(template)) await make(programs, template);
  return template;
}

/** Under another name until all is there, so that a process that is killed leaves nothing broken. */
async function make(programs: PostgresPrograms, template: string): Promise<void> {
  const partial = `${template}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(() => {});
  for (const folder of ["", "/log", "/data"]) await Deno.mkdir(`${partial}${folder}`);
  await Deno.writeTextFile(`${partial}/password`, ADMIN.password);
  await Deno.writeTextFile(`${partial}/roles.sql`, ROLES.map((line) => `${line};\n`).join(""));
  await giveToOwner(partial);
  const start = { env: { PATH: Deno.env.get("PATH") ?? "", LANG: "C.UTF-8" }, dir: partial };
  const files = ["--pgdata", `${partial}/data`, "--pwfile", `${partial}/password`];
  await runToEnd({ ...start, name: "initdb", command: programs.asOwner("initdb", [...INITDB, "--no-sync", ...files]) });
  const single = [programs.path("postgres"), "--single", "-F", "-D", `${partial}/data`, "postgres"] as const;
  const read: [string, ...string[]] = ["sh", "-c", `exec "$@" <"$0"`, `${partial}/roles.sql`, ...single];
  await runToEnd({ ...start, name: "roles", command: owned(read) });
  await Deno.rename(`${partial}/data`, template);
  await Deno.remove(partial, { recursive: true });
}

/** Another release and another recipe have another template. */
async function nameOf(programs: PostgresPrograms): Promise<string> {
  const command = new Deno.Command(programs.path("postgres"), { args: ["--version"], stdin: "null" });
  const version = new TextDecoder().decode((await command.output()).stdout).trim();
  const recipe = new TextEncoder().encode([version, ...ROLES, ...INITDB].join("\n"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", recipe)).toHex();
  return `${programs.release}-${digest.slice(0, 12)}`;
}

function cacheFolder(): string {
  if (Deno.uid() === 0) return "/var/cache/oss-watcher/postgres";
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${cache}/oss-watcher/postgres`;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
