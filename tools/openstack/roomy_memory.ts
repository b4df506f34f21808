/**
 * A folder in memory, where the schemas take seconds, a tenth of their time on a busy disk; a
 * folder on disk where memory is short.
 */
export function roomyMemory(): { readonly dir?: string } {
  const dir = "/dev/shm";
  const { success, stdout } = new Deno.Command("df", { args: ["--output=avail", dir], stderr: "null" }).outputSync();
  const kibibytes = Number(new TextDecoder().decode(stdout).split("\n")[1]);
  return success && kibibytes >= NEEDED_KIB ? { dir } : {};
}

/** The database of a cloud in use has some 400 MB, logs and images less. */
const NEEDED_KIB = 1.5 * 1024 * 1024;
