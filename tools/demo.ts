// The demo in one command: RabbitMQ, recorded notifications, the service, an HTTP receiver.
// Everything is stopped and removed at the end.
import { join } from "node:path";
import { mergeByTime, readCapture } from "../tests/support/captures.ts";
import { until } from "../tests/support/until.ts";
import { progress } from "./packages.ts";
import { CloudPublisher } from "./publisher.ts";
import { setUpRabbit, startRabbit } from "./rabbitmq.ts";
import { Receiver } from "./receiver.ts";
import { Service } from "./service.ts";

/** The events of the recorded run: tests/facts/expected_events.ts counts them by hand. */
const EXPECTED_EVENTS = 76;
const OWN_URL = Deno.env.get("OSS_WATCHER_RABBIT_URL");

/** On a RabbitMQ in use, no message of the demo may reach the exchanges of a real cloud. */
const EXCHANGES = OWN_URL === undefined
  ? { nova: "nova", neutron: "neutron" }
  : { nova: "oss-watcher-demo-nova", neutron: "oss-watcher-demo-neutron" };

async function demo(): Promise<void> {
  await setUpRabbit();
  progress(OWN_URL === undefined ? "Starting a private RabbitMQ …" : "Using the RabbitMQ of OSS_WATCHER_RABBIT_URL");
  await using rabbit = OWN_URL === undefined ? await startRabbit() : null;
  const url = rabbit?.url ?? OWN_URL as string;
  await using publisher = new CloudPublisher(url);
  for (const exchange of Object.values(EXCHANGES)) await publisher.declareExchange(exchange, { durable: false });
  await using receiver = new Receiver();
  const dir = await Deno.makeTempDir({ prefix: "oss-watcher-demo-" });
  try {
    await Deno.writeTextFile(join(dir, "config.ts"), configFor(receiver, url));
    await play({ dir, receiver, publisher });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function play({ dir, receiver, publisher }: {
  readonly dir: string;
  readonly receiver: Receiver;
  readonly publisher: CloudPublisher;
}): Promise<void> {
  progress("Starting oss-watcher …");
  await using service = new Service(dir);
  await until(() => service.log.includes("Listening on queue"), 30_000);
  const lines = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"))
    .filter(({ exchange }) => exchange in EXCHANGES);
  progress(`Publishing ${lines.length} notifications, recorded from a real cloud …`);
  const start = Date.now();
  for (const { exchange, routing_key, body } of lines) {
    await publisher.publish({ exchange: EXCHANGES[exchange as "nova"], routingKey: routing_key, body });
  }
  await until(() => new Set(receiver.requests.map(({ key }) => key)).size >= EXPECTED_EVENTS, 60_000);
  const seconds = (Math.max(...receiver.requests.map(({ at }) => at)) - start) / 1000;
  const { code } = await service.end("SIGTERM");
  show(service.log);
  for (const { path, detail, key } of receiver.requests) {
    show(
      `${path.padEnd(9)} ${String(detail["IP"] ?? "-").padEnd(15)} ${String(detail["FQDN"]).slice(0, 24).padEnd(25)}${
        shortKey(key)
      }`,
    );
  }
  show(
    `\n${lines.length} notifications published, ${receiver.requests.length} calls received in ${seconds.toFixed(1)} s` +
      ` (${Math.round(lines.length / seconds)} notifications/s); the service ended with exit code ${code}.`,
  );
  if (receiver.requests.length !== EXPECTED_EVENTS || code !== 0) {
    throw new Error(`${EXPECTED_EVENTS} calls and exit code 0 were expected`);
  }
}

function configFor({ port }: Receiver, url: string): string {
  return `import type { Config } from "oss-watcher";
import { RestNotify } from "oss-watcher/plugins";

export default {
  events: {
    creation: ["compute.instance.create.end", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
  },
  plugins: [
    new RestNotify({ host: "http://127.0.0.1", port: ${port}, user: "demo", password: "demo", urlCreation: "/created", urlDeletion: "/deleted" }),
  ],
  rabbit: { url: ${JSON.stringify(url)}, queue: { name: "oss-watcher-demo", exchanges: ${
    JSON.stringify(Object.values(EXCHANGES))
  }, type: "classic" } },
  // The recording may be older than ledger.keepDays: its creations would count as an old queue's.
  ledger: { file: "./ledger.db", keepDays: 36500 },
} satisfies Config;
`;
}

function shortKey(key: string): string {
  return key.replace(/([0-9a-f]{8})-[0-9a-f-]{27}/, "$1…");
}

function show(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text.trimEnd()}\n`));
}

await demo();
Deno.exit(0);
