import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { UserError } from "../../model/errors.ts";

const FILE = "console.key";
const BYTES = 32;
const OTHERS = 0o077;

/**
 * The secret that links and sessions are signed with, of the state directory. It is made when it is
 * missing, with mode 0600 and the directory's owner: root makes it for the service's user. One that
 * others could read is replaced, which ends all sessions.
 *
 * @throws {UserError} when it can be neither read nor made.
 */
export async function consoleSecret(directory: string): Promise<Uint8Array> {
  const path = join(directory, FILE);
  try {
    const found = await readSecret(path);
    if (found !== null) return found;
    await makeSecret(directory, path);
    const made = await readSecret(path);
    if (made !== null) return made;
  } catch (error) {
    throw new UserError(`Cannot use the console's key "${path}": ${whyNot(error)}`);
  }
  throw new UserError(`Cannot use the console's key "${path}": it is not what was written. Remove the file`);
}

/** `null`: it is missing, or no secret. */
async function readSecret(path: string): Promise<Uint8Array | null> {
  try {
    const { mode } = await Deno.stat(path);
    // Windows knows no modes.
    if (mode !== null && (mode & OTHERS) !== 0) return null;
    const bytes = await Deno.readFile(path);
    return bytes.length === BYTES ? bytes : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Writes beside and renames: whoever reads meanwhile gets all or nothing. */
async function makeSecret(directory: string, path: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o750 });
  const beside = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await Deno.writeFile(beside, randomBytes(BYTES), { createNew: true, mode: 0o600 });
    await giveToOwner(directory, beside);
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
}

async function giveToOwner(directory: string, path: string): Promise<void> {
  const [owner, own] = [await Deno.stat(directory), await Deno.stat(path)];
  if (owner.uid === null || owner.uid === own.uid) return;
  await Deno.chown(path, owner.uid, owner.gid);
}

function whyNot(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) {
    return "this user may not. Run it as root, or as the user of the service";
  }
  return error instanceof Error ? error.message : String(error);
}
