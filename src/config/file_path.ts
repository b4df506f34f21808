// As node:path and node:url have it, which take a dry run 5 ms to load. What a path of most
// configurations needs of them is here; every other path is theirs.

/** Names that mean nothing else on any system, and of which a URL encodes nothing. */
const PLAIN = /^\/(?:(?!\.{1,2}(?:\/|$))[\w.-]+(?:\/(?=.)|$))+$/;

/** The absolute path of a file. */
export async function absolutePath(path: string, cwd: string): Promise<string> {
  for (const absolute of [path, `${cwd}/${path}`]) if (isPlain(absolute)) return absolute;
  const { resolve } = await import("node:path");
  return resolve(cwd, path);
}

/** The `file:` URL of an absolute path. */
export async function fileUrl(path: string): Promise<string> {
  if (isPlain(path)) return `file://${path}`;
  const { pathToFileURL } = await import("node:url");
  return pathToFileURL(path).href;
}

function isPlain(path: string): boolean {
  return Deno.build.os !== "windows" && PLAIN.test(path);
}
