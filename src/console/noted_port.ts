import { dirname, join } from "node:path";
import type { Config } from "../model/config.ts";
import { stateDirectory } from "./state_directory.ts";

/** Where the service notes the port that it was given, if config.ts says `port: 0`. */
const FILE = "console.port";

/** Writes beside and renames: whoever reads meanwhile gets all or nothing. */
export async function notePort(config: Pick<Config, "ledger">, port: number): Promise<void> {
  const path = join(stateDirectory(config), FILE);
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o750 });
  const beside = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(beside, `${port}\n`, { createNew: true, mode: 0o644 });
  await Deno.rename(beside, path);
}

/** The port that the service noted last; `null`: none. */
export async function notedPort(config: Pick<Config, "ledger">): Promise<number | null> {
  try {
    const port = Number(await Deno.readTextFile(join(stateDirectory(config), FILE)));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
