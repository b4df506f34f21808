// The tests that talk to RabbitMQ, on each supported release of it.
// `deno task test:rabbitmq [3.10 | 4.0 | 4.3 …] [--skip-if-not-possible]`
import { ChrootImpossible, openChroot, type Suite } from "../../tools/chroot.ts";
import { progress } from "../../tools/packages.ts";
import { CHROOT_VARIABLE, RABBITMQ, rabbitPrograms } from "../../tools/rabbitmq_programs.ts";
import { setUpRabbit } from "../../tools/rabbitmq.ts";

/** Which Debian has a release of RabbitMQ; `null`: the one of this machine, Debian 12. */
const RELEASES: Readonly<Record<string, Suite | null>> = { "3.10": null, "4.0": "trixie", "4.3": "sid" };

const TESTS = [
  "tests/rabbitmq",
  "tests/cli",
  "tests/e2e",
  "tests/inspect",
  "tests/plugins/amqp_publish_test.ts",
  "tests/contract/amqp_publish_contract_test.ts",
];

const SKIP = "--skip-if-not-possible";

type Result = "passed" | "failed" | "not possible";

async function main(args: readonly string[]): Promise<number> {
  const named = args.filter((arg) => arg !== SKIP);
  const unknown = named.filter((name) => !Object.hasOwn(RELEASES, name));
  if (unknown.length > 0) {
    print(`Cannot test RabbitMQ ${unknown.join(", ")}: the releases are ${Object.keys(RELEASES).join(", ")}`);
    return 2;
  }
  const results: Result[] = [];
  for (const [release, suite] of Object.entries(RELEASES)) {
    if (named.length === 0 || named.includes(release)) results.push(await testOn(release, suite));
  }
  const count = (result: Result) => results.filter((one) => one === result).length;
  print(`\n${count("passed")} passed, ${count("failed")} failed, ${count("not possible")} skipped`);
  if (count("failed") > 0) return 1;
  return count("not possible") > 0 && !args.includes(SKIP) ? 1 : 0;
}

async function testOn(release: string, suite: Suite | null): Promise<Result> {
  const begun = Date.now();
  let root: string;
  try {
    root = await brokerOf(suite);
    await mustBe(release, root);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    print(`\nNOT TESTED ON RABBITMQ ${release}: its broker cannot be had here.\n${reason}\n`);
    return "not possible";
  }
  progress(`RabbitMQ ${release}${root === "" ? "" : ` of ${root}`}`);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--quiet", ...TESTS],
    env: { [CHROOT_VARIABLE]: root },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  const minutes = ((Date.now() - begun) / 60_000).toFixed(1);
  print(`\nRabbitMQ ${release}: ${success ? "all passed" : "FAILED"}, after ${minutes} min`);
  return success ? "passed" : "failed";
}

/** The root of a chroot; empty for this machine's own. */
async function brokerOf(suite: Suite | null): Promise<string> {
  if (suite !== null) return (await openChroot(suite, { packages: [RABBITMQ.package] })).root;
  await setUpRabbit();
  return "";
}

/** A Debian moves on: a test that names a release must not be of another. */
async function mustBe(release: string, root: string): Promise<void> {
  const { command, ctl } = rabbitPrograms(root);
  const { program, args } = command(ctl, ["version"]);
  const { stdout } = await new Deno.Command(program, { args: [...args], stdin: "null", stderr: "null" }).output();
  const version = new TextDecoder().decode(stdout).trim();
  if (!version.startsWith(`${release}.`)) {
    throw new ChrootImpossible(`The broker there is RabbitMQ ${version || "of unknown version"}`);
  }
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

Deno.exit(await main(Deno.args));
