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

/** From RabbitMQ 4.3 on a shared queue must be durable. oslo.messaging's are not by default. */
export function refusesTransientQueues(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 4 || major === 4 && minor >= 3;
}
