// The disasters, each a function whose parameters scale it.
import type { PrivateRabbit } from "../../tools/rabbitmq.ts";
import { SeededRandom } from "../support/random.ts";
import type { LoadOptions } from "./load.ts";
import { type Outcome, Trial } from "./trial.ts";
import { sleep } from "./witness.ts";

export interface ScenarioOptions {
  readonly rabbit: PrivateRabbit;
  readonly load: LoadOptions;
}

/** The service is killed at random moments: while it starts, takes in, decides, delivers, records. */
export async function killService(
  { rabbit, load, kills }: ScenarioOptions & { readonly kills: number },
): Promise<Outcome> {
  const random = new SeededRandom(load.seed + 1);
  await using trial = await Trial.open({ title: `kill -9 of the service, ${kills} times`, rabbit, load });
  trial.witness.open();
  await trial.start();
  const published = trial.publish();
  for (const events of momentsOf(kills, { events: load.events, random })) {
    // Several moments may have passed while it was down: then it is hit on its way up.
    if (trial.witness.taken.size >= events) await sleep(random.next() * 700);
    await trial.delivered(events);
    await sleep(random.next() * 20);
    await trial.kill();
    trial.launch();
  }
  await published;
  return await trial.conclude();
}

/** RabbitMQ is killed at random moments; exchanges and queue are durable, messages persistent. */
export async function killBroker(
  { rabbit, load, kills }: ScenarioOptions & { readonly kills: number },
): Promise<Outcome> {
  const random = new SeededRandom(load.seed + 2);
  await using trial = await Trial.open({ title: `kill -9 of RabbitMQ, ${kills} times`, rabbit, load });
  trial.witness.open();
  await trial.start();
  // RabbitMQ writes the name of a new quorum queue to disk half a second later, and forgets the queue if it is killed before.
  await sleep(3000);
  const published = trial.publish();
  for (const events of momentsOf(kills, { events: load.events, random })) {
    await trial.delivered(events);
    await rabbit.restart();
    trial.brokerKills++;
  }
  await published;
  return await trial.conclude();
}

/** SIGTERM in the middle: what is in flight is finished and recorded, nothing comes twice. */
export async function stopService(
  { rabbit, load, stops }: ScenarioOptions & { readonly stops: number },
): Promise<Outcome> {
  const random = new SeededRandom(load.seed + 3);
  await using trial = await Trial.open({ title: `SIGTERM, ${stops} times`, rabbit, load });
  trial.witness.open();
  await trial.start();
  const published = trial.publish();
  for (const events of momentsOf(stops, { events: load.events, random })) {
    await trial.delivered(events);
    await trial.stop();
    trial.launch();
  }
  await published;
  return await trial.conclude();
}

/** Random numbers of events, in order, at which something is to happen. */
function momentsOf(
  count: number,
  { events, random }: { readonly events: number; readonly random: SeededRandom },
): number[] {
  return Array.from({ length: count }, () => 1 + random.below(Math.floor(events * 0.95))).sort((a, b) => a - b);
}
