// What is installed once and kept: programs that Debian has no package of.

export interface InstallOnce {
  /** The environment variable that names another folder, where there is more room. */
  readonly variable: string;
  /** The folder without it. */
  readonly folder: string;
  /** What is installed, in that folder; named by its release. */
  readonly name: string;
  /** Puts all of it at a path where nothing is. */
  readonly make: (partial: string) => Promise<void>;
}

/** What was installed, and the folder that it is in. */
export interface Installed {
  readonly path: string;
  readonly folder: string;
}

/**
 * Installs it if it is not there; other processes wait. It is made under another name until all is
 * there, so that a killed process leaves nothing broken.
 */
export async function installOnce({ variable, folder: usual, name, make }: InstallOnce): Promise<Installed> {
  const folder = Deno.env.get(variable) ?? usual;
  const path = `${folder}/${name}`;
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(`${folder}/lock`, { create: true, write: true });
  await lock.lock(true);
  if (!await Deno.stat(path).then(() => true, () => false)) {
    const partial = `${path}.partial`;
    await Deno.remove(partial, { recursive: true }).catch(() => {});
    await make(partial);
    await Deno.rename(partial, path);
  }
  return { path, folder };
}
