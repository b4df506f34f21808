/** What the search for credentials may look at. */
export interface HostEnvironment {
  /** A variable's value. */
  readonly env: (name: string) => string | undefined;
  /** A file's text; rejects with `Deno.errors.NotFound` when there is none. */
  readonly readFile: (path: string) => Promise<string>;
  readonly cwd: string;
  /** The home directory, where there is one. */
  readonly home: string | undefined;
}
