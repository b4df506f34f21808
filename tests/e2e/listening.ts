import type { PrivateRabbit } from "../../tools/rabbitmq.ts";
import { Service } from "../../tools/service.ts";
import type { ProgramDirectory } from "../support/program.ts";
import { until } from "../support/until.ts";

/** Long enough for a machine that is busy with much else. */
export const LONG_MS = 120_000;

/** A service that has begun to consume. */
export async function listening(
  dir: ProgramDirectory,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Service> {
  const service = new Service(dir.path(), args, env);
  try {
    await until(() => service.log.includes("Listening on queue"), LONG_MS);
    return service;
  } catch (error) {
    await service.end("SIGKILL");
    throw new Error(`Cannot start the service: ${service.log}`, { cause: error });
  }
}

/** Messages in a queue, those included that wait for their acknowledgement. */
export async function depth(rabbit: PrivateRabbit, queue: string): Promise<number> {
  const lines = (await rabbit.ctl("list_queues", "name", "messages")).trim().split("\n");
  return Number(lines.map((line) => line.split("\t")).find(([name]) => name === queue)?.[1]);
}
