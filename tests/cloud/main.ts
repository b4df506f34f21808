// The service on a real OpenStack. `deno task test:openstack [PASS…] [--release NAME] [--skip-if-not-installable]`
import { fileURLToPath } from "node:url";
import { startCloud } from "../../tools/openstack/cloud.ts";
import {
  installOpenStack,
  type Programs,
  type Release,
  takeRelease,
  versionsOf,
} from "../../tools/openstack/programs.ts";
import { COMPUTES } from "../../tools/openstack/settings.ts";
import { progress } from "../../tools/packages.ts";
import type { Cast } from "./cast.ts";
import { diagnoseFaults } from "./faults.ts";
import { EVERYTHING } from "./notifying.ts";
import * as passes from "./passes.ts";
import type { Outcome, Stage } from "./passes.ts";
import { differencesOf, LEGEND, tableOf } from "./report.ts";
import { Tenant } from "./tenant.ts";

type Pass = (stage: Stage) => Promise<Outcome>;

/** Those with other settings come last: Nova and Neutron are started anew for them. */
const PASSES: Readonly<Record<string, Pass>> = {
  core: passes.watchEverything,
  more: passes.watchMore,
  middle: passes.watchFromTheMiddle,
  lost: passes.watchLosses,
  updates: passes.watchUpdates,
  "updates-versioned": passes.watchVersionedUpdates,
  "first-generation": passes.watchFirstGeneration,
  versioned: passes.watchVersionedAlone,
  faults: diagnoseFaults,
};
const SKIP = "--skip-if-not-installable";
/** The plugin for Designate, on one that is started for it. */
const DESIGNATE = "designate";

async function main(args: readonly string[]): Promise<number> {
  const choice = chosenBy(args);
  if (typeof choice === "string") {
    print(choice);
    return 2;
  }
  const { release, names } = choice;
  const begun = Date.now();
  if (names.length === 1 && names[0] === DESIGNATE) return await testDesignate();
  const programs = await install(release);
  if (typeof programs === "string") {
    print(`\nNOT TESTED ON A REAL OPENSTACK (${release}): its packages cannot be installed here.\n${programs}\n`);
    return args.includes(SKIP) ? 0 : 1;
  }
  const seconds = ((Date.now() - begun) / 1000).toFixed(0);
  print(`Installed after ${seconds} s, ${release}: ${await versionsOf(programs)}`);
  const chosen = Object.entries(PASSES).filter(([name]) => names.length === 0 || names.includes(name));
  const isCore = chosen.every(([name]) => name === "core");
  const computes = isCore ? COMPUTES.slice(0, 1) : COMPUTES;
  await using cloud = await startCloud({ programs, notifying: EVERYTHING, computes });
  const stage = { cloud, cast: await makeCast(cloud) };
  const outcomes: Outcome[] = [];
  for (const [, pass] of chosen) {
    const outcome = await pass(stage);
    outcomes.push(outcome);
    report(outcome);
  }
  const isRight = outcomes.every(({ comparisons, problems }) =>
    problems.length === 0 && differencesOf(comparisons).length === 0
  );
  const minutes = ((Date.now() - begun) / 60_000).toFixed(1);
  print(isRight ? `\nAll as the cloud says, in ${minutes} min` : `\nWRONG, after ${minutes} min: see above`);
  return isRight ? 0 : 1;
}

/** What the arguments ask for, or why it cannot be done. */
function chosenBy(args: readonly string[]): { readonly release: Release; readonly names: readonly string[] } | string {
  try {
    const { release, rest } = takeRelease(args);
    const names = rest.filter((arg) => arg !== SKIP);
    const unknown = names.filter((name) => !Object.hasOwn(PASSES, name) && name !== DESIGNATE);
    if (names.length > 1 && names.includes(DESIGNATE) || names.includes(DESIGNATE) && release !== "bookworm") {
      return `Cannot run ${DESIGNATE} with other passes, or of another release. Name it alone`;
    }
    if (unknown.length === 0) return { release, names };
    const passes = Object.keys(PASSES).join(", ");
    return `Cannot run ${
      unknown.join(", ")
    }: the passes are ${passes}, and ${DESIGNATE}. Without any, all but that are run`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function testDesignate(): Promise<number> {
  const args = ["test", "-A", "--quiet", fileURLToPath(new URL("../designate/main.ts", import.meta.url))];
  return (await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn().status).code;
}

/** Gives its programs, or why it cannot be done. */
async function install(release: Release): Promise<Programs | string> {
  try {
    return await installOpenStack(release);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function makeCast(cloud: Stage["cloud"]): Promise<Cast> {
  progress("Projects, users, networks");
  const alice = await Tenant.make(cloud, { project: "physics", user: "alice", net: 11 });
  const bob = await Tenant.make(cloud, { project: "webshop", user: "bob@example.org", net: 21 });
  return { alice, bob, carol: await bob.colleague("carol") };
}

function report({ title, steps, events, seconds, comparisons, problems }: Outcome): void {
  print(
    `\n${title}: ${steps} operations, ${events} events, ${Math.round(seconds)} s\n\n${
      tableOf(comparisons)
    }\n\n${LEGEND}`,
  );
  const wrong = [...differencesOf(comparisons), ...problems];
  if (wrong.length > 0) print(`\nWRONG:\n${wrong.join("\n")}`);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

Deno.exit(await main(Deno.args));
