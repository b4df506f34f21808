// A queue that has grown for days: memory must not grow with it.
import type { Buffer } from "node:buffer";
import { contest, type Sample } from "../contest.ts";
import { drain } from "../drain.ts";
import { residentMib } from "../measured.ts";
import { CAPTURED, captured } from "../mix.ts";
import { type Measured, QUEUE, type Row, type Stand } from "../stand.ts";
import { idlePlugins, startWatcher } from "../watcher.ts";

const MESSAGES = 1_000_000;
const EVERY_MS = 250;

export const backlog: Row = { name: `backlog of ${MESSAGES.toLocaleString("en")} messages`, measure };

async function measure(stand: Stand): Promise<Measured> {
  const times = Math.ceil((stand.quick ? MESSAGES / 20 : MESSAGES) / CAPTURED);
  const rounds = await contest({ name: backlog.name, rounds: 1 }, { "watcher": () => drained(stand, times) });
  const line = (what: string, figure: string) => ({ what, value: rounds.median("watcher", figure), unit: "MiB" });
  return {
    lines: [
      {
        what: `messages/s of ${(times * CAPTURED).toLocaleString("en")}`,
        value: rounds.median("watcher", "perSecond"),
        unit: "/s",
      },
      line("memory at the start", "startMib"),
      { ...line("memory at its peak", "peakMib"), aim: { atMost: 200 } },
      line("memory at the end", "endMib"),
      {
        what: "last quarter against the second",
        value: rounds.median("watcher", "growth"),
        unit: "×",
        aim: { atMost: 1.1 },
      },
    ],
    raw: rounds,
  };
}

async function drained({ bus, url }: Stand, times: number): Promise<Sample> {
  const { events } = captured(1);
  const load = { messages: times * CAPTURED, events: times * events, bodies: () => bodies(times) };
  const resident: number[] = [];
  let timer: ReturnType<typeof setInterval> | undefined;
  const start = () => {
    const plugins = idlePlugins(1, load.events);
    const running = startWatcher({ url, queue: QUEUE, plugins, deliveries: load.events });
    timer = setInterval(() => resident.push(residentMib(running.pid)), EVERY_MS);
    running.finished.catch(() => {}).finally(() => clearInterval(timer));
    return running;
  };
  const { work, figures } = await drain({ bus, queue: QUEUE, load, start });
  const quarter = (number: number) =>
    mean(resident.slice(number * resident.length / 4, (number + 1) * resident.length / 4));
  const memory = {
    startMib: resident[4] ?? NaN,
    peakMib: Math.max(...resident),
    endMib: resident.at(-1) ?? NaN,
    growth: quarter(3) / quarter(1),
  };
  return { work, figures: { ...figures, ...memory } };
}

function* bodies(times: number): Generator<Buffer> {
  for (let number = 0; number < times; number++) yield* captured(1, number).bodies;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
