// The cloud's RabbitMQ.
import { type PrivateRabbit, startRabbit } from "../rabbitmq.ts";
import type { Programs } from "./programs.ts";
import { roomyMemory } from "./roomy_memory.ts";

export interface Broker {
  readonly rabbit: PrivateRabbit;
  /** Of RabbitMQ. */
  readonly version: string;
}

/** RabbitMQ of the same release. */
export async function startBroker({ root }: Programs): Promise<Broker> {
  const rabbit = await startRabbit({ ...roomyMemory(), ...root !== "" && { root } });
  try {
    return { rabbit, version: (await rabbit.ctl("version")).trim() };
  } catch (error) {
    await rabbit.stop();
    throw error;
  }
}

/**
 * Kills RabbitMQ and starts it again. Resolves when each service consumes its queue of requests
 * again: requests before that are lost, and time out after a minute.
 *
 * @param except A queue that is no service's.
 * @param act Called while there is no broker.
 */
export async function restartBroker(
  rabbit: PrivateRabbit,
  { except, act = () => {} }: { readonly except: string; readonly act?: () => void },
): Promise<void> {
  const before = (await requestQueues(rabbit)).difference(new Set([except]));
  await rabbit.sync();
  await rabbit.kill();
  act();
  await rabbit.restart();
  const deadline = Date.now() + 120_000;
  for (;;) {
    const missing = before.difference(await requestQueues(rabbit));
    if (missing.size === 0) return;
    if (Date.now() > deadline) throw new Error(`Nobody consumes ${[...missing].join(", ")} again`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** The consumed queues of services and hosts, as `scheduler` and `compute.compute-1`. */
async function requestQueues(rabbit: PrivateRabbit): Promise<ReadonlySet<string>> {
  const lines = (await rabbit.ctl("list_queues", "name", "consumers")).trim().split("\n");
  const consumed = lines.map((line) => line.split("\t")).filter(([, consumers]) => Number(consumers) > 0);
  return new Set(consumed.flatMap(([name = ""]) => /^reply_|_fanout_/.test(name) ? [] : [name]));
}

/** From RabbitMQ 4.3 on a shared queue must be durable. oslo.messaging's are not by default. */
export function refusesTransientQueues(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 4 || major === 4 && minor >= 3;
}
