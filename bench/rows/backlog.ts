// A queue that has grown for days: memory must not grow with it.
import { drain } from "../drain.ts";
import { residentMib } from "../measured.ts";
import { CAPTURED, captured } from "../mix.ts";
import { type Measured, QUEUE, type Row, type Stand } from "../stand.ts";
import { idlePlugins, startWatcher } from "../watcher.ts";

const MESSAGES = 1_000_000;
const EVERY_MS = 250;

export const backlog: Row = { name: `backlog of ${MESSAGES.toLocaleString("en")} messages`, measure };

async function measure({ bus, url, quick }: Stand): Promise<Measured> {
  const times = Math.ceil((quick ? MESSAGES / 20 : MESSAGES) / CAPTURED);
  const { events } = captured(1);
  const total = { messages: times * CAPTURED, events: times * events };
  const resident: number[] = [];
  let timer: ReturnType<typeof setInterval> | undefined;
  const start = () => {
    const plugins = idlePlugins(1, total.events);
    const running = startWatcher({ url, queue: QUEUE, plugins, deliveries: total.events });
    timer = setInterval(() => resident.push(residentMib(running.pid)), EVERY_MS);
    running.finished.catch(() => {}).finally(() => clearInterval(timer));
    return running;
  };
  const fill = async () => {
    for (let from = 0; from < times; from += 10) {
      await bus.fill(QUEUE, captured(Math.min(10, times - from), from).bodies);
    }
  };
  const { figures } = await drain({ bus, queue: QUEUE, load: { ...total, fill }, start });
  const quarter = (number: number) =>
    mean(resident.slice(number * resident.length / 4, (number + 1) * resident.length / 4));
  return {
    lines: [
      { what: `messages/s of ${total.messages.toLocaleString("en")}`, value: figures["perSecond"] ?? NaN, unit: "/s" },
      { what: "memory at the start", value: resident[4] ?? NaN, unit: "MiB" },
      { what: "memory at its peak", value: Math.max(...resident), unit: "MiB", aim: { atMost: 200 } },
      { what: "memory at the end", value: resident.at(-1) ?? NaN, unit: "MiB" },
      { what: "last quarter against the second", value: quarter(3) / quarter(1), unit: "×", aim: { atMost: 1.1 } },
    ],
    raw: { total, figures, resident },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
