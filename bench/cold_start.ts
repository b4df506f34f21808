// How long a command takes from nothing to its end, and how much memory, beside `deno run` of an empty file in the same rounds.
//
//     deno run -A bench/cold_start.ts [rounds]
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PERMISSIONS } from "../tools/permissions.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const SAMPLE = fileURLToPath(new URL("../samples/compute.instance.create.end.json", import.meta.url));
const ROUNDS = Number(Deno.args[0] ?? 21);

/** What `deno run` of an empty file takes, so many times; or so long, whatever the ratio. */
const AIM = { wallRatio: 6, memoryRatio: 2.5, wallMs: 120 };

/** For what only shows a text. */
const TEXT_WALL_RATIO = 4;
const TEXTS = ["--help", "--version"];

const CONFIG = `import { RestNotify } from "oss-watcher/plugins";
export const events = { creation: ["instance.create.end"], deletion: ["instance.delete.end"] };
export const plugins = [new RestNotify({ host: "https://cmdb.example", urlCreation: "/created", urlDeletion: "/deleted" })];
`;

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  "empty file": ["empty.ts"],
  "--dry-run": [...PERMISSIONS, MAIN, "--dry-run", SAMPLE],
  "--dry-run --json": [...PERMISSIONS, MAIN, "--dry-run", SAMPLE, "--json"],
  "--help": [...PERMISSIONS, MAIN, "--help"],
  "--version": [...PERMISSIONS, MAIN, "--version"],
};

interface Figures {
  readonly wallMs: number[];
  readonly memoryMib: number[];
}

async function measure(): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
  try {
    await Deno.writeTextFile(join(dir, "empty.ts"), "");
    await Deno.writeTextFile(join(dir, "config.ts"), CONFIG);
    const figures = new Map<string, Figures>(
      Object.keys(COMMANDS).map((name) => [name, { wallMs: [], memoryMib: [] }]),
    );
    // The first round fills caches. Interleaved, a machine that is busy for a while is so for all of them.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [name, args] of Object.entries(COMMANDS)) {
        const [wallMs, memoryMib] = [await wallMsOf(args, dir), await memoryMibOf(args, dir)];
        if (round === 0) continue;
        figures.get(name)?.wallMs.push(wallMs);
        figures.get(name)?.memoryMib.push(memoryMib);
      }
    }
    report(figures);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function wallMsOf(args: readonly string[], dir: string): Promise<number> {
  const start = performance.now();
  await ended(spawn(args, dir), args);
  return performance.now() - start;
}

/** The peak of what is resident, which the system keeps until the process ends: read again and again, apart from the timing. */
async function memoryMibOf(args: readonly string[], dir: string): Promise<number> {
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

function spawn(args: readonly string[], dir: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...args],
    cwd: dir,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

async function ended(child: Deno.ChildProcess, args: readonly string[]): Promise<void> {
  const { code } = await child.status;
  if (code !== 0) throw new Error(`Cannot measure deno run ${args.join(" ")}: exit code ${code}`);
}

function report(figures: ReadonlyMap<string, Figures>): void {
  const [empty] = figures.values();
  const line = (...cells: readonly string[]) =>
    cells.map((cell, index) => index === 0 ? cell.padEnd(20) : cell.padStart(9));
  const rows = [...figures].map(([name, { wallMs, memoryMib }]) => {
    const [wall, memory] = [median(wallMs), median(memoryMib)];
    const [wallRatio, memoryRatio] = [wall / median(empty?.wallMs ?? []), memory / median(empty?.memoryMib ?? [])];
    const isFast = TEXTS.includes(name)
      ? wallRatio <= TEXT_WALL_RATIO
      : wallRatio <= AIM.wallRatio || wall <= AIM.wallMs;
    const met = isFast && memoryRatio <= AIM.memoryRatio;
    return line(
      name,
      wall.toFixed(0),
      wallRatio.toFixed(2),
      memory.toFixed(0),
      memoryRatio.toFixed(2),
      met ? "met" : "missed",
    );
  });
  const text = [line(`${ROUNDS} rounds`, "wall ms", "ratio", "peak MiB", "ratio", "aim"), ...rows];
  const aim =
    `Aim: at most ${AIM.wallRatio} times the wall time or ${AIM.wallMs} ms, and ${AIM.memoryRatio} times the memory; ` +
    `${TEXTS.join(" and ")} ${TEXT_WALL_RATIO} times the wall time`;
  print([...text.map((cells) => cells.join(" ")), `${aim} (medians).`].join("\n"));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

await measure();
