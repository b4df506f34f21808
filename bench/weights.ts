/**
 * The cost of one message of 1 MiB, whatever is in it: processor time, memory, ledger, and the
 * longest time that the event loop is blocked, by the processor and by the clock. The stages of the
 * service in a process of its own for each kind of message. Of a kind with several messages,
 * processor time and ledger are those of one message; memory is that of all.
 *
 *     deno run -A bench/weights.ts            all kinds
 *     deno run -A bench/weights.ts TEXT       those whose names hold this text
 *
 * @module
 */
// deno-lint-ignore-file no-console -- figures on the terminal are what it is for

import process from "node:process";
import { HEAVY_CASES, type HeavyCase } from "../tests/support/heavy_messages.ts";
import { WeighedService } from "../tests/support/weighed_service.ts";
import { KeptLog } from "../tests/support/loggers.ts";

const MIB = 1024 * 1024;
const PATIENCE_MS = Number(Deno.env.get("PATIENCE_MS") ?? 300_000);

const [only = "", isChild] = Deno.args;
if (isChild === "--child") {
  const found = HEAVY_CASES.find(({ name }) => name === only) as HeavyCase;
  console.log(JSON.stringify(await weigh(found)));
  Deno.exit(0);
}
console.log(`${"".padEnd(66)} CPU ms  MiB memory  MB ledger  loop ms (wall)  events`);
for (const { name } of HEAVY_CASES.filter(({ name }) => name.includes(only))) {
  const args = ["run", "-A", new URL(import.meta.url).pathname, name, "--child"];
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), { args, signal }).output();
  if (!success) {
    const why = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    console.log(`${name.padEnd(66)} failed, or took more than ${PATIENCE_MS / 1000} s: ${why}`);
    continue;
  }
  const weighed = JSON.parse(new TextDecoder().decode(stdout));
  const figures = [[weighed.cpuMs, 7], [weighed.mib, 11], [weighed.mb, 10], [weighed.loopMs, 8]];
  const columns = figures.map(([value, width]) => value.toFixed(value < 10 ? 1 : 0).padStart(width)).join(" ");
  const wall = `(${Math.round(weighed.wallMs)})`.padStart(7);
  console.log(`${name.padEnd(66)}${columns}${wall}${String(weighed.events).padStart(8)}  ${weighed.log}`);
}

async function weigh({ before, messages }: HeavyCase) {
  const log = new KeptLog();
  await using service = new WeighedService(log);
  await service.take(before?.() ?? []);
  log.lines.length = 0;
  const bodies = messages();
  const [sizeBefore, deliveredBefore] = [service.size(), service.delivered];
  const residentBefore = residentMib("VmRSS");
  // Resets the peak.
  Deno.writeTextFileSync("/proc/self/clear_refs", "5");
  const loop = watchLoop();
  const cpu = process.cpuUsage();
  await service.take(bodies);
  const { user, system } = process.cpuUsage(cpu);
  const { loopMs, wallMs } = loop();
  return {
    cpuMs: (user + system) / 1000 / bodies.length,
    mib: residentMib("VmHWM") - residentBefore,
    mb: (service.size() - sizeBefore) / 1e6 / bodies.length,
    loopMs,
    wallMs,
    events: service.delivered - deliveredBefore,
    log: log.lines.filter((line) => !line.startsWith("debug")).map((line) => line.slice(0, 90)).slice(0, 1).join(),
  };
}

/** The longest time of this thread's processor, and of the clock, between two turns of a timer. */
function watchLoop(): () => { readonly loopMs: number; readonly wallMs: number } {
  const spent = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let [cpu, at, loopMs, wallMs] = [spent(), performance.now(), 0, 0];
  const look = () => {
    const [cpuNow, now] = [spent(), performance.now()];
    loopMs = Math.max(loopMs, cpuNow - cpu);
    wallMs = Math.max(wallMs, now - at);
    [cpu, at] = [cpuNow, now];
  };
  const timer = setInterval(look, 5);
  return () => {
    clearInterval(timer);
    look();
    return { loopMs, wallMs };
  };
}

function residentMib(field: "VmRSS" | "VmHWM"): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024 / MIB;
}
