// The peers: programs of others that the watcher is measured beside. What is missing is installed and built.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages } from "../tools/packages.ts";

/** How to start each peer: a program and its first arguments. */
export interface Peers {
  /** C and librabbitmq: only acknowledges. */
  readonly consume: readonly string[];
  /** Python and oslo.messaging. */
  readonly listen: readonly string[];
}

/** Debian's, whatever else comes first on the path: the packages are for this one. */
const PYTHON = "/usr/bin/python3";

/** What each peer needs, and a command that succeeds when it is there. */
const NEEDS: readonly { readonly packages: readonly string[]; readonly test: readonly string[] }[] = [
  {
    packages: ["python3-oslo.messaging", "python3-requests"],
    test: [PYTHON, "-c", "import oslo_messaging, oslo_config, requests"],
  },
  { packages: ["gcc", "libc6-dev", "librabbitmq-dev"], test: ["gcc", "-E", "-include", "amqp.h", "-"] },
];

/** Installs what is missing and builds the C peer in `dir`. */
export async function preparePeers(dir: string): Promise<Peers> {
  const missing: string[] = [];
  for (const { packages, test } of NEEDS) if (!await succeeds(test)) missing.push(...packages);
  if (missing.length > 0) await installPackages(missing);
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

async function succeeds([program = "", ...args]: readonly string[]): Promise<boolean> {
  try {
    const command = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch {
    return false;
  }
}
