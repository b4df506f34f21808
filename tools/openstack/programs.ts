// Where OpenStack's programs are: on this machine, or in a chroot of another Debian release.
import { output } from "../bounded.ts";
import { type Chroot, openChroot, type Suite } from "../chroot.ts";
import { installMissing } from "../packages.ts";
import { OPENSTACK, OPENSTACK_IN_A_CHROOT } from "./packages.ts";

/** The Debian releases whose OpenStack is tested. The first means this machine's own release. */
export const RELEASES = ["bookworm", "trixie", "sid"] as const;

export type Release = typeof RELEASES[number];

/**
 * Takes `--release NAME` out of arguments. Without it the release is the machine's own.
 *
 * @throws {Error} when there is no such release.
 */
export function takeRelease(args: readonly string[]): { readonly release: Release; readonly rest: readonly string[] } {
  const at = args.indexOf("--release");
  if (at < 0) return { release: "bookworm", rest: args };
  const name = args[at + 1] ?? "";
  const release = RELEASES.find((one) => one === name);
  if (release !== undefined) return { release, rest: args.toSpliced(at, 2) };
  throw new Error(`Cannot use release "${name}": the releases are ${RELEASES.join(", ")}. Name one of them`);
}

/** A program with its arguments. */
export type Command = readonly [program: string, ...args: string[]];

export interface Programs {
  /** The chroot's folder; empty for this machine's own programs. */
  readonly root: string;
  /** Whether there is such a file or folder. */
  has(path: string): boolean;
  /** The command line that runs a command of that release on this machine. */
  run(command: Command): Command;
}

/**
 * Installs what a release's OpenStack needs; for another release than the machine's own, in a
 * chroot.
 *
 * @throws {Error} where that cannot be done; the text says why.
 */
export async function installOpenStack(release: Release): Promise<Programs> {
  if (release !== "bookworm") return await inChroot(release);
  await installMissing(OPENSTACK);
  return OWN;
}

/** This machine's. */
export const OWN: Programs = { root: "", has: exists, run: (command) => command };

async function inChroot(suite: Suite): Promise<Programs> {
  const chroot = await openChroot(suite, { packages: OPENSTACK_IN_A_CHROOT });
  return { root: chroot.root, has: (path) => chroot.has(path), run: (command) => entering(chroot, command) };
}

function entering(chroot: Chroot, [name, ...rest]: Command): Command {
  const { program, args } = chroot.command(name, rest);
  return [program, ...args];
}

/** The installed packages with their versions. */
export async function versionsOf({ run }: Programs): Promise<string> {
  const packages = ["nova-common", "neutron-common", "rabbitmq-server"];
  const [program, ...args] = run(["dpkg-query", "--show", "--showformat", "${Package} ${Version}, ", ...packages]);
  return (await output({ program, args })).replace(/, $/, "");
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
