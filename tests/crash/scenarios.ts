// The disasters, each a function whose parameters scale it.
import type { PrivateRabbit } from "../../tools/rabbitmq.ts";
import { DELIVERY_DEFAULTS } from "../../src/model/config_defaults.ts";
import { SeededRandom } from "../support/random.ts";
import type { LoadOptions } from "./load.ts";
import type { Outcome } from "./outcome.ts";
import { Trial } from "./trial.ts";
import { sleep, wellAnswered } from "./witness.ts";

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
  await trial.witness.open();
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
  { rabbit, load, kills, queueType }: ScenarioOptions & {
    readonly kills: number;
    readonly queueType: "classic" | "quorum";
  },
): Promise<Outcome> {
  const random = new SeededRandom(load.seed + 2);
  const title = `kill -9 of RabbitMQ, ${kills} times (${queueType} queue)`;
  await using trial = await Trial.open({ title, rabbit, load, queueType });
  await trial.witness.open();
  await trial.start();
  // RabbitMQ writes the name of a new quorum queue to disk half a second later, and forgets the queue if it is killed before.
  if (queueType === "quorum") await sleep(3000);
  const published = trial.publish();
  for (const events of momentsOf(kills, { events: load.events, random })) {
    await trial.delivered(events);
    await trial.killBroker();
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
  await trial.witness.open();
  await trial.start();
  const published = trial.publish();
  for (const events of momentsOf(stops, { events: load.events, random })) {
    await trial.delivered(events);
    // Before its first words a process has not said what it does with signals.
    await trial.until(() => trial.log !== "");
    await trial.stop();
    trial.launch();
  }
  await published;
  return await trial.conclude();
}

/** SIGTERM while the receiver keeps all attempts hanging: they are cut off, recorded as interrupted, and repeated first. */
export async function stopWhileHanging({ rabbit, load }: ScenarioOptions): Promise<Outcome> {
  await using trial = await Trial.open({
    title: "SIGTERM while every attempt hangs",
    rabbit,
    load,
    ahead: load.events,
  });
  const { witness } = trial;
  await witness.open();
  await trial.start();
  const published = trial.publish();
  await trial.delivered(load.events / 3);
  witness.respond = () => Promise.resolve("hang");
  // Those in flight will be answered, even if they take all places just now; then all are taken by attempts that hang.
  const answered = witness.attempts.length;
  await trial.until(() => witness.attempts.length === answered + DELIVERY_DEFAULTS.concurrency);
  const hung = witness.attempts.slice(answered);
  const before = Date.now();
  await trial.stop();
  trial.notes.push(`the service ended ${((Date.now() - before) / 1000).toFixed(1)} s after SIGTERM`);
  const interrupted = await trial.ledger.interrupted();
  if (interrupted !== hung.length) {
    trial.problems.push(`${interrupted} attempts are recorded as interrupted, and ${hung.length} were`);
  }
  witness.respond = wellAnswered;
  trial.launch();
  await published;
  const outcome = await trial.conclude();
  const first = witness.attempts.filter(({ run }) => run === 2).slice(0, hung.length).map(({ key }) => key);
  const late = hung.filter(({ key }) => !first.includes(key));
  return late.length === 0
    ? outcome
    : { ...outcome, problems: [...outcome.problems, ...late.map(({ key }) => `interrupted and not first: ${key}`)] };
}

/** Random numbers of events, in order, at which something is to happen. */
function momentsOf(
  count: number,
  { events, random }: { readonly events: number; readonly random: SeededRandom },
): number[] {
  return Array.from({ length: count }, () => 1 + random.below(Math.floor(events * 0.95))).sort((a, b) => a - b);
}
