/** The parts of the host that the search for credentials reads. */
export interface HostEnvironment {
  /** The value of an environment variable. */
  readonly env: (name: string) => string | undefined;
  /** The content of a file; rejects with `Deno.errors.NotFound` if it does not exist. */
  readonly readFile: (path: string) => Promise<string>;
  readonly cwd: string;
  /** The user's home directory, if there is one. */
  readonly home: string | undefined;
}

/** This process's own. */
export function ownEnvironment(): HostEnvironment {
  return {
    env: (name) => Deno.env.get(name),
    readFile: (path) => Deno.readTextFile(path),
    cwd: Deno.cwd(),
    home: Deno.env.get("HOME"),
  };
}
