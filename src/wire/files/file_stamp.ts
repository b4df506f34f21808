/**
 * A fingerprint of files that changes when one is written or replaced, or when the directory that a
 * link leads to is replaced, as Kubernetes does.
 */
export async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = await Promise.all(files.map(async (file) => {
    const found = await Deno.stat(file).catch(() => undefined);
    return found && [found.dev, found.ino, found.size, found.mtime?.getTime(), found.ctime?.getTime()];
  }));
  return JSON.stringify(stamps);
}
