import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Compares a text with the file that holds what it should be. Those files were read and checked by a human against the recordings;
 * `UPDATE_SNAPSHOTS=1` writes them anew, to be read and checked again.
 */
export async function matchesSnapshot(text: string, file: URL): Promise<void> {
  const path = fileURLToPath(file);
  if (Deno.env.get("UPDATE_SNAPSHOTS") === "1") {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
  assert.equal(text, await Deno.readTextFile(path), `differs from ${path}; UPDATE_SNAPSHOTS=1 writes it anew`);
}
