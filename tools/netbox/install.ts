// Installs NetBox from PyPI, with PostgreSQL and Redis from Debian 13: NetBox needs Python 3.12 or
// newer, which Debian 12 does not have.
import { bounded } from "../bounded.ts";
import { type Chroot, openChroot } from "../chroot.ts";
import { installOnce } from "../install_once.ts";
import { findProgram, installMissing, progress } from "../packages.ts";

/** The release that the tests run. */
export const RELEASE = "4.7.3";
/** The Python of the chroot. */
const PYTHON = "3.13";
const PACKAGES = ["python3", "postgresql", "redis-server"];
/** The environment variable that names another folder, where there is more room. */
export const FOLDER_VARIABLE = "OSS_WATCHER_NETBOX";
const FOLDER = "/var/cache/oss-watcher/netbox";
const LIMIT_MINUTES = 15;

/** Where NetBox is installed. */
export interface NetBoxPrograms {
  readonly chroot: Chroot;
  /** Its Python packages, for `PYTHONPATH`. */
  readonly packages: string;
  /** For what is made once and kept, as an empty database with all tables. */
  readonly cache: string;
}

/**
 * Installs what is missing: half a minute for the Python packages, and some minutes for the chroot
 * where there is none.
 *
 * @throws {Error} when it cannot be installed here.
 */
export async function installNetBox(): Promise<NetBoxPrograms> {
  const chroot = await openChroot("trixie", { packages: PACKAGES });
  const once = { variable: FOLDER_VARIABLE, folder: FOLDER, name: RELEASE, make: installPackages };
  const { path: packages, folder: cache } = await installOnce(once);
  return { chroot, packages, cache };
}

async function installPackages(folder: string): Promise<void> {
  await installMissing([{ program: "pip3", package: "python3-pip" }]);
  progress(`Installing NetBox ${RELEASE} from PyPI in ${folder} …`);
  await pip(["--target", folder, "--no-deps", "--ignore-requires-python", `netbox==${RELEASE}`]);
  const needed = await requirements(folder);
  const forPython = ["--python-version", PYTHON, "--implementation", "cp", "--only-binary=:all:"];
  await pip(["--target", folder, ...forPython, "--ignore-requires-python", ...needed]);
}

async function pip(args: readonly string[]): Promise<void> {
  const program = findProgram({ program: "pip3", package: "python3-pip" }) ?? "pip3";
  await bounded({ program, args: ["install", "--quiet", "--no-cache-dir", ...args] }, LIMIT_MINUTES);
}

/**
 * What NetBox requires, without the programs that write its documentation, and with the compiled
 * form of psycopg.
 */
async function requirements(folder: string): Promise<readonly string[]> {
  const metadata = await Deno.readTextFile(`${folder}/netbox-${RELEASE}.dist-info/METADATA`);
  return [...metadata.matchAll(/^Requires-Dist: (.+)$/gm)].map(([, needed = ""]) => needed)
    .filter((needed) => !/extra ==|^mkdocs|^zensical/.test(needed))
    .map((needed) => needed.replace("psycopg[c,", "psycopg[binary,"));
}
