import type { Requirement } from "../packages.ts";

const FOLDER = "/usr/lib/postgresql";

/** The server of any release, and with it initdb, psql and pg_basebackup. */
export const POSTGRES: Requirement = {
  program: "postgres",
  package: "postgresql",
  places: installedReleases().map((release) => `${FOLDER}/${release}/bin/postgres`),
};

/** PostgreSQL's programs of one release. */
export class PostgresPrograms {
  /** The major version. */
  readonly release: number;

  /**
   * @param release @default the newest that is installed
   * @throws {Error} when it is not installed.
   */
  constructor(release: number | undefined = installedReleases()[0]) {
    if (release === undefined || !isFile(path(release, "postgres"))) {
      const which = release === undefined ? "" : ` ${release}`;
      throw new Error(`Cannot start PostgreSQL${which}: it is not installed. Run deno run -A tools/install.ts`);
    }
    this.release = release;
  }

  /** The path of a program: Debian's own of that name in PATH is a slow wrapper. */
  path(name: string): string {
    return path(this.release, name);
  }

  /** A command line that runs a program as {@linkcode OWNER}. */
  asOwner(name: string, args: readonly string[] = []): [string, ...string[]] {
    return owned([this.path(name), ...args]);
  }
}

/** Who owns the servers of root, as which PostgreSQL does not run. Debian's package has made it. */
export const OWNER = "postgres";

/** A command line that runs another one as {@linkcode OWNER}, and as ourselves if we are not root. */
export function owned(command: [string, ...string[]]): [string, ...string[]] {
  if (Deno.uid() !== 0) return command;
  return ["setpriv", `--reuid=${OWNER}`, `--regid=${OWNER}`, "--clear-groups", "--", ...command];
}

/** Gives files to {@linkcode OWNER}, with all that is in them. @throws {Error} */
export async function giveToOwner(...paths: readonly string[]): Promise<void> {
  if (Deno.uid() !== 0) return;
  const command = new Deno.Command("chown", { args: ["-R", `${OWNER}:${OWNER}`, ...paths], stdin: "null" });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(`Cannot give ${paths.join(", ")} to ${OWNER}: ${new TextDecoder().decode(stderr)}`);
}

/** Major versions, the newest first. */
function installedReleases(): readonly number[] {
  try {
    const releases = [...Deno.readDirSync(FOLDER)].map(({ name }) => Number(name));
    // The client's package alone makes a folder, too.
    return releases.filter((release) => isFile(path(release, "postgres"))).toSorted((a, b) => b - a);
  } catch {
    return [];
  }
}

function path(release: number, name: string): string {
  return `${FOLDER}/${release}/bin/${name}`;
}

function isFile(file: string): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}
