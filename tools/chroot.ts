// Chroots of other Debian releases, so that their programs run on this machine: its processes, network and
// loopback address, their files.
import { bounded, type CommandLine, output } from "./bounded.ts";
import { findProgram, installMissing, progress } from "./packages.ts";

export type { CommandLine };

/** A Debian release, by its code name or suite. */
export type Suite = "trixie" | "sid";

/** Why there can be no chroot here; the text says what is missing. */
export class ChrootImpossible extends Error {
  override readonly name = "ChrootImpossible";
}

export interface ChrootOptions {
  /** Packages that must be installed in it. No service of theirs is started. */
  readonly packages?: readonly string[];
  /** The folder that holds all chroots. @default /var/cache/oss-watcher/chroots */
  readonly folder?: string;
}

/** The environment variable that names another folder for chroots, where there is more room. */
export const FOLDER_VARIABLE = "OSS_WATCHER_CHROOTS";

/** For each of the two things that load from the mirror; a few are usual. */
const LIMIT_MINUTES = 20;

/** Outside the repository: a chroot is made once and used by every clone. */
export const CHROOTS = "/var/cache/oss-watcher/chroots";

/** A Debian release in a folder. */
export class Chroot {
  /** The folder, seen from outside. */
  readonly root: string;

  /** Of a folder that {@linkcode openChroot} has made. */
  constructor(root: string) {
    this.root = root;
  }

  /** Whether a file is in it, by its path inside. */
  has(path: string): boolean {
    return exists(`${this.root}${path}`);
  }

  /**
   * The command line that runs a program of the chroot, as the same process: its id is that of the program. Programs see
   * `/proc`, `/sys`, `/dev` and `/tmp` of this machine, and the folders in `shared` under their own paths. These mounts
   * exist for these processes alone, and vanish with the last of them, however it ends.
   */
  command(program: string, args: readonly string[] = [], shared: readonly string[] = []): CommandLine {
    const script = ["--mount", "--", "sh", "-c", ENTER, "chroot", this.root, ...shared, "--", program, ...args];
    return { program: "unshare", args: script };
  }

  /** Runs a program of the chroot and gives its standard output. @throws {Error} with its output when it fails. */
  run(program: string, args: readonly string[] = []): Promise<string> {
    return output(this.command(program, args));
  }
}

/**
 * Makes the chroot of a release, or opens the one that is there, and installs what is missing in it. Processes that do
 * the same at the same time wait for each other.
 *
 * @throws {ChrootImpossible} when this machine cannot have one.
 */
export async function openChroot(suite: Suite, options: ChrootOptions = {}): Promise<Chroot> {
  const { packages = [], folder = Deno.env.get(FOLDER_VARIABLE) ?? CHROOTS } = options;
  await mustBePossible();
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(`${folder}/${suite}.lock`, { create: true, write: true });
  await lock.lock(true);
  const chroot = new Chroot(`${folder}/${suite}`);
  try {
    if (!exists(chroot.root)) await make(suite, chroot);
    await install(chroot, packages);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const advice = "Look at the mirror in apt's sources and at what is said above, then try again";
    throw new ChrootImpossible(`Cannot make a chroot of Debian ${suite} in ${folder}: ${text}\n${advice}`, {
      cause: error,
    });
  }
  return chroot;
}

async function mustBePossible(): Promise<void> {
  const no = (state: string) => new ChrootImpossible(`Cannot make a chroot of another Debian: ${state}`);
  if (Deno.build.os !== "linux") throw no("this is not Linux");
  if (Deno.uid() !== 0) throw no("that takes root. Run this as root");
  try {
    await output({ program: "unshare", args: ["--mount", "--", "mount", "--bind", "/tmp", "/tmp"] });
  } catch (error) {
    throw no(`this machine allows no mounts: ${error instanceof Error ? error.message : error}`);
  }
  try {
    await installMissing([{ program: "debootstrap", package: "debootstrap", places: ["/usr/sbin/debootstrap"] }]);
  } catch (error) {
    throw no(error instanceof Error ? error.message : String(error));
  }
}

/** Under another name until it is whole: what a killed process leaves behind is made anew. */
async function make(suite: Suite, { root }: Chroot): Promise<void> {
  const mirror = await mirrorOf(suite);
  const partial = `${root}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(() => {});
  progress(`Making a chroot of Debian ${suite} …`);
  const debootstrap = findProgram({ program: "debootstrap", package: "", places: ["/usr/sbin/debootstrap"] })!;
  // What it mounts is mounted for it alone, too.
  await bounded({
    program: "unshare",
    args: ["--mount", "--", debootstrap, "--variant=minbase", suite, partial, mirror],
  }, LIMIT_MINUTES);
  await Deno.writeTextFile(`${partial}/etc/dpkg/dpkg.cfg.d/oss-watcher`, DPKG);
  // A package's server would start at once.
  await Deno.writeTextFile(`${partial}/usr/sbin/policy-rc.d`, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  await Deno.writeTextFile(`${partial}/etc/hosts`, "127.0.0.1 localhost\n::1 localhost\n");
  await Deno.rename(partial, root);
}

/** Debian's mirror as this machine's apt uses it. A new machine's apt knows nothing until it has looked. */
async function mirrorOf(suite: Suite): Promise<string> {
  const known = await knownMirror();
  if (known !== undefined) return known;
  await bounded({ program: "apt-get", args: ["update"] }, LIMIT_MINUTES);
  const found = await knownMirror();
  if (found === undefined) throw new Error(`apt's sources name no mirror of Debian to take ${suite} from`);
  return found;
}

async function knownMirror(): Promise<string | undefined> {
  const format = "$(CREATED_BY) $(ORIGIN) $(CODENAME) $(REPO_URI)";
  const targets = await output({ program: "apt-get", args: ["indextargets", "--format", format] });
  const rows = targets.split("\n").map((line) => line.split(" "));
  const isIt = ([by, origin, codename]: readonly string[]) =>
    by === "Packages" && origin === "Debian" && /^[a-z]+$/.test(codename ?? "");
  return rows.find(isIt)?.[3];
}

async function install(chroot: Chroot, packages: readonly string[]): Promise<void> {
  const missing = await missingIn(chroot, packages);
  if (missing.length === 0) return;
  progress(`Installing ${missing.join(" ")} in ${chroot.root} …`);
  // It may have been made where names were looked up elsewhere.
  await Deno.copyFile("/etc/resolv.conf", `${chroot.root}/etc/resolv.conf`).catch(() => {});
  await bounded(chroot.command("sh", ["-c", INSTALL, "install", ...missing]), LIMIT_MINUTES);
}

async function missingIn(chroot: Chroot, packages: readonly string[]): Promise<readonly string[]> {
  const database = await Deno.readTextFile(`${chroot.root}/var/lib/dpkg/status`);
  const installed = new Set(
    database.split("\n\n").filter((entry) => /^Status: install ok installed$/m.test(entry))
      .map((entry) => /^Package: (.+)$/m.exec(entry)?.[1]),
  );
  return packages.filter((name) => !installed.has(name));
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

const ENTER = `
  set -e
  export PATH=/usr/sbin:/usr/bin:/sbin:/bin
  root=$1
  shift
  for folder in /proc /sys /dev /tmp; do mount --rbind "$folder" "$root$folder"; done
  while [ "$1" != -- ]; do
    [ -e "$root$1" ] || mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    shift
  done
  shift
  exec chroot "$root" "$@"
`;

// It is made anew where it is lost, and nobody reads in it.
const DPKG = ["force-unsafe-io", ...["doc", "man", "locale"].map((one) => `path-exclude=/usr/share/${one}/*`), ""].join(
  "\n",
);

// A mirror may be a frozen copy, whose list of sid has passed its date: signatures are checked, the date is not.
// The packages that apt has cached are not needed again.
const INSTALL = `
  set -e
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 LC_ALL=C.UTF-8
  # An earlier installation may have been ended in the middle.
  dpkg --configure -a
  apt="apt-get -o Acquire::Retries=3 -o Acquire::http::Timeout=60 -o Acquire::Check-Valid-Until=false"
  $apt update
  # Without a terminal of its own dpkg stays in our group, and ends with it.
  $apt -o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@"
  apt-get clean
`;
