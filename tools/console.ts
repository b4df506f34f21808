// The console of a private service, to look at and to develop the page against, until Ctrl-C:
// RabbitMQ, recorded notifications, a target that answers, one that refuses and one that is down.
//
//     deno task console [--events N] [--port N] [--viewer]
//
// --events: so many made-up events besides, in the ledger before the service starts. The page's files
// are read with the first request: after a change of a file, send the service SIGHUP (its process id
// is printed).
import { join } from "node:path";
import { parseArgs } from "node:util";
import { growLedger } from "../bench/grow_ledger.ts";
import { mergeByTime, readCapture } from "../tests/support/captures.ts";
import { until } from "../tests/support/until.ts";
import { freePorts } from "./free_ports.ts";
import { CloudPublisher } from "./publisher.ts";
import { setUpRabbit, startRabbit } from "./rabbitmq.ts";
import { Receiver } from "./receiver.ts";
import { Service } from "./service.ts";

const EXCHANGES = ["nova", "neutron"];

const { values } = parseArgs({
  args: Deno.args,
  options: { events: { type: "string" }, port: { type: "string" }, viewer: { type: "boolean" } },
});

await setUpRabbit();
const dir = await Deno.makeTempDir({ prefix: "oss-watcher-console-" });
try {
  await using rabbit = await startRabbit();
  await using receiver = new Receiver();
  await using refusing = new Receiver();
  refusing.answer = () => new Response("no such owner", { status: 422 });
  await using publisher = new CloudPublisher(rabbit.url);
  for (const exchange of EXCHANGES) await publisher.declareExchange(exchange, { durable: false });
  const [nobody = 1] = freePorts(1);
  const config = configFor({ url: rabbit.url, receiver: receiver.port, refusing: refusing.port, nobody });
  await Deno.writeTextFile(join(dir, "config.ts"), config);
  const events = Number(values.events ?? 0);
  if (events > 0) {
    show(`Making ${events} events …`);
    await growLedger(join(dir, "ledger.db"), { events, plugin: "Cmdb" });
  }
  await using service = new Service(dir, ["--debug"]);
  await until(() => service.log.includes("Listening on queue"), 60_000);
  const lines = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"))
    .filter(({ exchange }) => EXCHANGES.includes(exchange));
  show(`Publishing ${lines.length} recorded notifications …`);
  for (const { exchange, routing_key: routingKey, body } of lines) {
    await publisher.publish({ exchange, routingKey, body });
  }
  show(`Directory: ${dir}\nProcess of the service: ${service.pid}\nEnter: another link; Ctrl-C: the end`);
  const stop = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.resolve());
  await Promise.race([stop.promise, printLinks(), service.status]);
  if (!service.log.includes("Stopped")) show(service.log.split("\n").slice(-20).join("\n"));
} finally {
  await Deno.remove(dir, { recursive: true });
}
Deno.exit(0);

async function printLinks(): Promise<void> {
  await printLink();
  for await (const _ of Deno.stdin.readable) await printLink();
  await new Promise(() => {});
}

async function printLink(): Promise<void> {
  const main = new URL("../main.ts", import.meta.url).pathname;
  const role = values.viewer ? ["--viewer"] : [];
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, "console", "--print", ...role],
    cwd: dir,
  });
  const { stdout, stderr } = await command.output();
  show(new TextDecoder().decode(stdout.length > 0 ? stdout : stderr));
}

function configFor(
  { url, receiver, refusing, nobody }: {
    readonly url: string;
    readonly receiver: number;
    readonly refusing: number;
    readonly nobody: number;
  },
): string {
  const rest = (name: string, port: number) =>
    `new RestNotify({ name: "${name}", host: "http://127.0.0.1", port: ${port}, user: "demo", password: "hush-4711",` +
    ` urlCreation: "/created", urlDeletion: "/deleted", urlUpdate: "/updated" })`;
  return `import { RestNotify, EventLog } from "oss-watcher/plugins";

export default {
  events: {
    creation: ["compute.instance.create.end", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
    update: ["Metadata", "FQDN"],
  },
  plugins: [
    ${rest("Cmdb", receiver)},
    ${rest("Billing", refusing)},
    ${rest("Monitoring", nobody)},
    new EventLog({ file: "events.log", format: "text" }),
  ],
  rabbit: { url: ${JSON.stringify(url)}, queue: { name: "oss-watcher-console", type: "classic" } },
  ledger: { file: "./ledger.db", keepDays: 36500 },
  metrics: false,
  console: { port: ${Number(values.port ?? 17673)} },
};
`;
}

function show(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text.trimEnd()}\n`));
}
