// Installs Debian packages that tests and the demo need. Linux only; on other systems it reports
// what is missing.

/** A required program, and the Debian package that has it. */
export interface Requirement {
  readonly program: string;
  readonly package: string;
  /** Where the program may lie beside $PATH, the preferred place first. */
  readonly places?: readonly string[];
  /**
   * A file by which a package without programs is recognised; then `program` is a name for people.
   */
  readonly file?: string;
}

/** The path of a program, or `null`. */
export function findProgram(requirement: Requirement): string | null {
  const onPath = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== "")
    .map((folder) => `${folder}/${requirement.program}`);
  return [...(requirement.places ?? []), ...onPath].find(isExecutable) ?? null;
}

/** Whether something has to be installed. */
export function isMissing(requirement: Requirement): boolean {
  if (requirement.file === undefined) return findProgram(requirement) === null;
  try {
    return !Deno.statSync(requirement.file).isFile;
  } catch {
    return true;
  }
}

/**
 * Installs the packages of missing programs. None of their services is started.
 *
 * @throws {Error} when the system or the rights do not allow it; the text says what to install.
 */
export async function installMissing(requirements: readonly Requirement[]): Promise<void> {
  const missing = [...new Set(requirements.filter(isMissing).map((row) => row.package))];
  if (missing.length === 0) return;
  const names = missing.join(" ");
  const advice = `Install it yourself (Debian, Ubuntu: apt-get install --no-install-recommends ${names}) and try again`;
  if (findProgram({ program: "apt-get", package: "apt" }) === null) {
    throw new Error(`Cannot install ${names}: this is not a Debian or Ubuntu. ${advice}`);
  }
  const root = await rootPrefix();
  if (root === null) throw new Error(`Cannot install ${names}: neither root nor sudo without a password. ${advice}`);

  progress(`Installing ${names} …`);
  const [program, ...args] = [...root, "sh", "-c", INSTALL, "install", ...missing];
  const { success, stdout, stderr } = await new Deno.Command(program!, { args, stdin: "null" }).output();
  if (!success) {
    const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    throw new Error(`Cannot install ${names}: apt-get failed. ${advice}\n${output.split("\n").slice(-15).join("\n")}`);
  }
  progress(`Installed ${names}`);
}

/** Prints a line of progress to standard error: standard output is for results. */
export function progress(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

// Installing a package would start its server. policy-rc.d with exit code 101 forbids it; the
// former file is put back in any case.
const INSTALL = `
  set -e
  policy=/usr/sbin/policy-rc.d
  restore() {
    rm -f "$policy"
    if [ -e "$policy.before" ] || [ -L "$policy.before" ]; then mv "$policy.before" "$policy"; fi
  }
  trap restore EXIT
  trap 'exit 130' INT TERM HUP
  if [ -e "$policy" ] || [ -L "$policy" ]; then mv "$policy" "$policy.before"; fi
  printf '#!/bin/sh\\nexit 101\\n' >"$policy"
  chmod 755 "$policy"
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  apt-get update
  apt-get install -y --no-install-recommends "$@"
`;

async function rootPrefix(): Promise<readonly string[] | null> {
  if (Deno.uid() === 0) return [];
  const sudo = findProgram({ program: "sudo", package: "sudo" });
  if (sudo === null) return null;
  const { success } = await new Deno.Command(sudo, { args: ["-n", "true"], stdin: "null" }).output();
  return success ? [sudo, "-n"] : null;
}

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}
