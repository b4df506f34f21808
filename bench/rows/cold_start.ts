// Time and memory of a command from its start to its end, beside `deno run` of an empty file.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PERMISSIONS } from "../../tools/permissions.ts";
import { contest, type Sample } from "../contest.ts";
import type { Measured, Row, Stand } from "../stand.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const SAMPLE = fileURLToPath(new URL("../../samples/compute.instance.create.end.json", import.meta.url));

const CONFIG = `import { RestNotify } from "oss-watcher/plugins";
export const events = { creation: ["instance.create.end"], deletion: ["instance.delete.end"] };
export const plugins = [new RestNotify({ host: "https://cmdb.example", urlCreation: "/created", urlDeletion: "/deleted" })];
`;

/** Every start takes some tens of milliseconds, so there can be more rounds than of other rows. */
const ROUNDS_PER_ROUND = 4;

export const coldStart: Row = { name: "cold start", measure };

async function measure({ rounds, quick }: Stand): Promise<Measured> {
  const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
  try {
    await Deno.writeTextFile(join(dir, "empty.ts"), "");
    await Deno.writeTextFile(join(dir, "config.ts"), CONFIG);
    const command = (...args: string[]) => () => started(args, dir);
    const contenders = {
      "empty file": command("empty.ts"),
      "--help": command(...PERMISSIONS, MAIN, "--help"),
      "--version": command(...PERMISSIONS, MAIN, "--version"),
      "--dry-run": command(...PERMISSIONS, MAIN, "--dry-run", SAMPLE),
    };
    // The first starts fill caches.
    for (const start of Object.values(contenders)) await start();
    const results = await contest({
      name: coldStart.name,
      rounds: quick ? rounds : ROUNDS_PER_ROUND * rounds,
    }, contenders);
    const lines = (name: "--help" | "--version" | "--dry-run", atMost: number) => [
      { what: name, value: results.median(name, "wallMs"), unit: "ms" },
      {
        what: `${name} against an empty file`,
        value: results.ratio(name, "empty file", "wallMs"),
        unit: "×",
        aim: { atMost },
      },
      {
        what: `memory of ${name} against it`,
        value: results.ratio(name, "empty file", "peakMib"),
        unit: "×",
        aim: { atMost: 2.5 },
      },
    ];
    const empty = { what: "an empty file", value: results.median("empty file", "wallMs"), unit: "ms" };
    return { lines: [empty, ...lines("--help", 4), ...lines("--version", 4), ...lines("--dry-run", 4)], raw: results };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Twice: reading the memory again and again would slow the start down. */
async function started(args: readonly string[], dir: string): Promise<Sample> {
  const start = performance.now();
  await ended(spawn(args, dir), args);
  const wallMs = performance.now() - start;
  return { work: "a start", figures: { wallMs, peakMib: await peakMib(args, dir) } };
}

/** The peak of the resident memory, which the system keeps until the process ends. */
async function peakMib(args: readonly string[], dir: string): Promise<number> {
  const child = spawn(args, dir);
  let running = true;
  const end = ended(child, args).finally(() => running = false);
  let peakKib = 0;
  while (running) {
    peakKib = Math.max(peakKib, peakKibOf(child.pid));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await end;
  return peakKib / 1024;
}

function peakKibOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function spawn(args: readonly string[], cwd: string): Deno.ChildProcess {
  const silent = { stdin: "null", stdout: "null", stderr: "null" } as const;
  return new Deno.Command(Deno.execPath(), { args: ["run", "--quiet", ...args], cwd, ...silent }).spawn();
}

async function ended(child: Deno.ChildProcess, args: readonly string[]): Promise<void> {
  const { code } = await child.status;
  if (code !== 0) throw new Error(`deno run ${args.join(" ")} ended with ${code}`);
}
