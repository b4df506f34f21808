import { Chroot, type CommandLine } from "./chroot.ts";
import { findProgram, type Requirement } from "./packages.ts";

/**
 * The packages with RabbitMQ. The wrapper in /usr/sbin changes the user with su, which a private
 * server must not.
 */
export const RABBITMQ: Requirement = {
  program: "rabbitmq-server",
  package: "rabbitmq-server",
  places: ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
};

/**
 * The environment variable that names a chroot whose RabbitMQ is used in place of this machine's.
 */
export const CHROOT_VARIABLE = "OSS_WATCHER_RABBIT_CHROOT";

/** Where RabbitMQ's programs are, and how they are run. */
export interface RabbitPrograms {
  /** Runs a program of any package: a path, or a name in PATH. */
  command(program: string, args: readonly string[]): CommandLine;
  readonly server: string;
  readonly ctl: string;
}

/**
 * This machine's RabbitMQ, or that of the chroot in `root`. @throws {Error} when it is not
 * installed.
 */
export function rabbitPrograms(root = Deno.env.get(CHROOT_VARIABLE)): RabbitPrograms {
  if (root === undefined || root === "") return installed();
  const chroot = new Chroot(root);
  const [server, ctl] = [`${BIN}/rabbitmq-server`, `${BIN}/rabbitmqctl`];
  if (!chroot.has(server)) {
    throw new Error(`Cannot start RabbitMQ: ${root}${server} is missing. Correct ${CHROOT_VARIABLE}`);
  }
  return { server, ctl, command: (program, args) => chroot.command(program, args) };
}

function installed(): RabbitPrograms {
  const server = findProgram(RABBITMQ);
  const ctl = findProgram({ program: "rabbitmqctl", package: "", places: [`${BIN}/rabbitmqctl`] });
  if (server === null || ctl === null) {
    throw new Error("Cannot start RabbitMQ: it is not installed. Run deno run -A tools/install.ts");
  }
  return { server, ctl, command: (program, args) => ({ program, args }) };
}

const BIN = "/usr/lib/rabbitmq/bin";
