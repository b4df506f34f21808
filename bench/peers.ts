// The peers: other programs that the watcher is measured beside. Missing ones are installed and
// built.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installMissing, type Requirement } from "../tools/packages.ts";

/** How to start each peer: a program and its first arguments. */
export interface Peers {
  /** C and librabbitmq: only acknowledges. */
  readonly consume: readonly string[];
  /** Python and oslo.messaging. */
  readonly listen: readonly string[];
}

/** Debian's Python, whatever comes first on the path: the installed packages are for this one. */
const PYTHON = "/usr/bin/python3";

const PYTHON_PACKAGES = "/usr/lib/python3/dist-packages";

const NEEDED: readonly Requirement[] = [
  { program: "python3", package: "python3", places: [PYTHON] },
  {
    program: "oslo.messaging",
    package: "python3-oslo.messaging",
    file: `${PYTHON_PACKAGES}/oslo_messaging/__init__.py`,
  },
  { program: "requests", package: "python3-requests", file: `${PYTHON_PACKAGES}/requests/__init__.py` },
  { program: "gcc", package: "gcc" },
  { program: "C library", package: "libc6-dev", file: "/usr/include/stdio.h" },
  { program: "librabbitmq", package: "librabbitmq-dev", file: "/usr/include/amqp.h" },
];

/** Installs what is missing and builds the C peer in `dir`. */
export async function preparePeers(dir: string): Promise<Peers> {
  await installMissing(NEEDED);
  const consume = join(dir, "consume");
  await build(peer("consume.c"), consume);
  return { consume: [consume], listen: [PYTHON, "-W", "ignore", peer("listen.py")] };
}

function peer(name: string): string {
  return fileURLToPath(new URL(`./peers/${name}`, import.meta.url));
}

async function build(source: string, program: string): Promise<void> {
  const args = ["-O2", "-Wall", "-o", program, source, "-lrabbitmq"];
  const { success, stderr } = await new Deno.Command("gcc", { args, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot build ${source}: ${new TextDecoder().decode(stderr)}`);
}
